"""The largest profiles, looked into: links and ids that alone hold groups of their ids together."""

from dataclasses import dataclass

import duckdb

from profiles_assets.identity.audit_graph import weak_points
from profiles_assets.identity.explain_links import stage_pairs

Con = duckdb.DuckDBPyConnection
LARGEST = 10
MOST_DISSECTED = 5_000


@dataclass(frozen=True)
class Large:
    """A large profile: `bridges` are its links, `joints` its ids, without which it would fall into groups.

    `weakest` says which of them parts the largest group and what it is seen in. Beyond 5,000 ids a profile is not
    looked into; the counts are -1 then.
    """

    profile_id: str
    ids: int
    types: dict[str, int]
    bridges: int
    joints: int
    weakest: str


@dataclass(frozen=True)
class _Node:
    name: str
    id_type: str


def largest_profiles(con: Con) -> list[Large]:
    """The profiles with the most ids, with their weak points; needs `audit_profiles`."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE audit_largest AS SELECT *, ids <= {MOST_DISSECTED} AS dissected "
        f"FROM audit_profiles WHERE ids > 2 ORDER BY ids DESC, profile_key LIMIT {LARGEST}"
    )
    profiles = con.execute(
        "SELECT profile_key, profile_id, ids, dissected FROM audit_largest ORDER BY ids DESC, 1"
    ).fetchall()
    types = _types(con)
    stage_pairs(
        con,
        "SELECT key FROM explain_ids SEMI JOIN audit_largest l USING (profile_key)"
        " WHERE profile_key IN (SELECT profile_key FROM audit_largest WHERE dissected)",
    )
    nodes, links = _nodes(con), _links(con)
    return [
        Large(name, ids, types[key], *(_weakest(nodes.get(key, {}), links.get(key, [])) if looked else (-1, -1, "")))
        for key, name, ids, looked in profiles
    ]


def _types(con: Con) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for key, id_type, count in con.execute(
        "SELECT profile_key, id_type, count(*) FROM explain_ids SEMI JOIN audit_largest l USING (profile_key) "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall():
        found.setdefault(key, {})[id_type] = count
    return found


def _nodes(con: Con) -> dict[int, dict[int, _Node]]:
    found: dict[int, dict[int, _Node]] = {}
    for profile, key, id_type, value in con.execute(
        "SELECT profile_key, key, id_type, value FROM explain_ids SEMI JOIN explain_keys USING (key) ORDER BY key"
    ).fetchall():
        found.setdefault(profile, {})[key] = _Node(f"{id_type}:{value}", id_type)
    return found


def _links(con: Con) -> dict[int, list[tuple[int, int, int]]]:
    found: dict[int, list[tuple[int, int, int]]] = {}
    for profile, *link in con.execute(
        """SELECT i.profile_key, p.a, p.b, p.count FROM explain_pairs p JOIN explain_ids i ON i.key = p.a
        JOIN explain_ids j ON j.key = p.b WHERE p.a < p.b AND i.profile_key = j.profile_key ORDER BY p.a, p.b"""
    ).fetchall():
        found.setdefault(profile, []).append((link[0], link[1], link[2]))
    return found


def _weakest(nodes: dict[int, _Node], links: list[tuple[int, int, int]]) -> tuple[int, int, str]:
    keys = [*nodes]
    at = {key: i for i, key in enumerate(keys)}
    found = weak_points(len(keys), [(at[a], at[b]) for a, b, _ in links])
    if found.links:
        worst = max(found.links, key=lambda i: (found.links[i], -links[i][2], -i))
        a, b, count = links[worst]
        words = f"{nodes[a].name} – {nodes[b].name}, {_records(count)}, cuts off {found.links[worst]} ids"
    elif found.ids:
        joint = max(found.ids, key=lambda i: (found.ids[i], -i))
        words = f"{nodes[keys[joint]].name} cuts off {found.ids[joint]} ids"
    else:
        words = ""
    return len(found.links), len(found.ids), words


def _records(count: int) -> str:
    return f"{count:,} record{'s' * (count != 1)}" if count else "linked by a rule"
