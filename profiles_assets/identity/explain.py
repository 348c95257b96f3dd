"""Explain two ids: the evidence that joins them, or the guard that keeps them apart."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import duckdb

from profiles_assets.identity.explain_apart import find_route, shared_nobodies
from profiles_assets.identity.explain_links import (
    NO_STEP,
    Id,
    Link,
    Rule,
    read_ids,
    read_links,
    read_rules,
    shortest_path,
    stage_pairs,
)
from profiles_assets.identity.explain_read import Asked

Con = duckdb.DuckDBPyConnection
WORDS = {
    "blocked": "is a blocked value",
    "hub": "is quarantined as a hub",
    "bridge": "is quarantined as a bridge",
    "quarantined": "is quarantined by a rule",
    "collision": "has the key of another value",
}


@dataclass(frozen=True)
class Explanation:
    """The way from one id to another: ids and the links between them, empty where nothing connects them.

    `why` says in words what keeps the two apart, empty where they are one profile.
    """

    entity: str
    as_of: date | None
    together: bool
    ids: list[Id]
    links: list[Link]
    why: list[str]


def explain_pair(con: Con, a: Asked, b: Asked, as_of: date | None) -> Explanation:
    """Explain why two ids are together or apart; needs the views of `stage_reading`."""
    if a.entity != b.entity:
        return Explanation(
            a.entity, as_of, False, [], [], [f"they are ids of different entities, {a.entity} and {b.entity}"]
        )
    together = a.profile_id is not None and a.profile_id == b.profile_id
    path = _within(con, a, b) if together else []
    if together:
        return Explanation(a.entity, as_of, True, *_told(con, path), [])
    nobodies = [one for one in read_ids(con, [a.key, b.key]).values() if one.status in NO_STEP]
    if nobodies:
        return Explanation(a.entity, as_of, False, [], [], [barred_words(con, one) for one in nobodies])
    return _apart(con, a, b, as_of)


def barred_words(con: Con, one: Id) -> str:
    """Why an id identifies nobody, in words."""
    rules = read_rules(con, "action = 'quarantine' AND key = ?", [one.key])
    told = [one.detail] if one.detail else []
    told += [rule.words for rule in rules] if one.status == "quarantined" else []
    return f"{one.name} {WORDS.get(one.status, one.status)}" + (f": {'; '.join(told)}" if told else "")


def _within(con: Con, a: Asked, b: Asked) -> list[int]:
    stage_pairs(con, f"SELECT key FROM explain_ids WHERE grp = (SELECT grp FROM explain_ids WHERE key = {a.key})")
    mine = "(FROM explain_pairs SEMI JOIN explain_keys ON a = key)"
    return shortest_path(con, f"(FROM {mine} SEMI JOIN explain_keys ON b = key)", a.key, b.key)


def _told(con: Con, path: list[int]) -> tuple[list[Id], list[Link]]:
    ids = read_ids(con, path)
    return [ids[key] for key in path], read_links(con, [*pairwise(path)])


def _apart(con: Con, a: Asked, b: Asked, as_of: date | None) -> Explanation:
    route = find_route(con, a.key, b.key)
    ids, links = _told(con, route.path)
    why = [barred_words(con, one) for one in ids if one.status != "ok"]
    why += [_crossing(con, x, y, link) for x, y, link in zip(ids, ids[1:], links, strict=False) if _crosses(x, y)]
    if not ids:
        why = [route.stopped] if route.stopped else _nothing(con, a, b)
    why += [f"a rule keeps the two profiles apart, {rule.words}" for rule in _unlinked(con, a.key, b.key)]
    return Explanation(a.entity, as_of, False, ids, links, why)


def _crosses(x: Id, y: Id) -> bool:
    return x.status == y.status == "ok" and x.profile_id != y.profile_id


def _crossing(con: Con, x: Id, y: Id, link: Link) -> str:
    if link.yielded:
        return f"the link {x.name} – {y.name} yielded: {link.yielded}"
    row = con.execute(
        """SELECT u.id_type || ':' || u.value, v.id_type || ':' || v.value, min(r.detail) FROM explain_reasons r
        JOIN explain_evidence e ON list_contains(e.nodes, r.key) AND list_contains(e.nodes, r.other_key)
        JOIN explain_ids u ON u.key = r.other_key JOIN explain_ids v ON v.key = r.key
        WHERE list_contains(e.nodes, ?) AND list_contains(e.nodes, ?) GROUP BY ALL ORDER BY ALL LIMIT 1""",
        [x.key, y.key],
    ).fetchone()
    if row is None:
        return f"the link {x.name} – {y.name} yielded"
    return f"the link {row[0]} – {row[1]} in the records of {x.name} and {y.name} yielded: {row[2]}"


def _nothing(con: Con, a: Asked, b: Asked) -> list[str]:
    shared = read_ids(con, shared_nobodies(con, a.key, b.key)).values()
    return ["nothing connects them", *(f"both were seen with {one.name}, but it {WORDS[one.status]}" for one in shared)]


def _unlinked(con: Con, a: int, b: int) -> list[Rule]:
    group = "(SELECT key FROM explain_ids WHERE grp = (SELECT grp FROM explain_ids WHERE key = ?))"
    where = f"(key IN {group} AND other_key IN {group})"
    return [*read_rules(con, f"action = 'unlink' AND ({where} OR {where})", [a, b, b, a])]
