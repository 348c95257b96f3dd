"""Changed guards: which ids they may concern, so that only these are resolved again.

A limit concerns what exceeds the smaller of what it was and what it is; closure then finds whatever follows from
that. What is declared of an id type beyond its guards, such as how it is normalised, concerns everything.
"""

import json
from collections.abc import Iterator

import duckdb

from profiles_assets.identity.blocked import blocked
from profiles_assets.project.entities import Entity
from profiles_assets.project.project import Project
from resources.tables import literal

Con = duckdb.DuckDBPyConnection
LIMITS = {"max_per_profile", "max_linked", "max_bridged"}
FILTERS = {"block", "block_matching", "only_matching", "block_shared_mailboxes"}
ABOUT_READERS = {"pii"}
NOBODY = "('blocked', 'collision', 'quarantined')"


def declared(project: Project, entity: str) -> str:
    """What is declared about an entity's ids and the sources they come from, as JSON to compare with later."""
    spec = project.entities[entity]
    ids = {name: kind.model_dump(mode="json", exclude=ABOUT_READERS) for name, kind in spec.ids.items()}
    origins = {name: sorted(spec.ids.keys() & source.ids.keys()) for name, source in project.sources.items()}
    return json.dumps({"ids": [[n, kind] for n, kind in ids.items()], "guards": spec.guards, "origins": origins})


def only_guards_differ(before: str, now: str) -> bool:
    """True when two declarations differ in guards and filters at most."""
    return _without_guards(before) == _without_guards(now)


def stage_touched(con: Con, before: str, spec: Entity) -> None:
    """Add to the temporary table `ruled_keys` the ids that changed guards and filters may concern.

    Reads the view `evidence` and the view `before` of the ids as they are stored.
    """
    told = json.loads(before)
    old = Entity.model_validate({"ids": dict(told["ids"]), "guards": told["guards"]})
    for query in _queries(old, spec):
        con.execute(f"INSERT INTO ruled_keys {query}")


def _queries(old: Entity, new: Entity) -> Iterator[str]:
    strong = [name for name in new.ids if not new.is_weak(name)]
    for name in new.ids:
        mine = f"FROM before WHERE id_type = {literal(name)}"
        if _filters(old, name) != _filters(new, name):
            yield f"SELECT key {mine} AND status <> 'collision' AND ({blocked(new)}) <> (status = 'blocked')"
        if _cap(old, name) != _cap(new, name):
            most = _smaller(old.max_per_profile(name), new.max_per_profile(name))
            yield f"SELECT min(key) {mine} AND component IS NOT NULL GROUP BY component HAVING count(*) > {most}"
        if old.max_bridged(name) != new.max_bridged(name):
            yield _met_more(name, strong, "known", _smaller(old.max_bridged(name), new.max_bridged(name)))
        linked, links = old.max_linked(name), new.max_linked(name)
        for other in (n for n in new.ids if linked.get(n) != links.get(n)):
            yield _met_more(name, [other], "key", _smaller(linked.get(other), links.get(other)))


def _met_more(id_type: str, others: list[str], counted: str, most: int) -> str:
    """SELECT of the ids of a type seen with more than so many values of other types, or known people."""
    kinds = ", ".join(map(literal, others)) or "NULL"
    return f"""WITH seen AS (
            SELECT tuple_key, b.key, b.id_type, b.known FROM (SELECT tuple_key, unnest(nodes) AS key FROM evidence)
            JOIN before b USING (key) WHERE b.status NOT IN {NOBODY})
        SELECT a.key FROM seen a JOIN seen o USING (tuple_key)
        WHERE a.id_type = {literal(id_type)} AND o.id_type IN ({kinds}) GROUP BY a.key
        HAVING count(DISTINCT o.{counted}) > {most}"""


def _smaller(before: int | None, now: int | None) -> int:
    return min(limit for limit in (before, now) if limit is not None)


def _cap(entity: Entity, name: str) -> tuple[int | None, str]:
    return entity.max_per_profile(name), entity.period(name)


def _filters(entity: Entity, name: str) -> dict[str, object]:
    return entity.ids[name].model_dump(include=FILTERS)


def _without_guards(text: str) -> object:
    told = json.loads(text)
    kinds = [[name, {k: v for k, v in kind.items() if k not in LIMITS | FILTERS}] for name, kind in told["ids"]]
    return kinds, told["origins"]
