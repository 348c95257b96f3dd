"""Whose every id tuple is, kept in step with ids and evidence: `identity.tuple_owners`; NULL for nobody's."""

import hashlib
from dataclasses import dataclass, field

import duckdb

from profiles_assets.identity import schema
from profiles_assets.identity.attribution import place_tuples
from profiles_assets.identity.plan import step_name
from profiles_assets.project.project import Project
from resources import progress
from resources.feed import Feed, changes_since, newest_snapshot, tells
from resources.lake import Lake
from resources.tables import Change, Merge, exists, literal, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection
TABLE = "identity.tuple_owners"
MOVED = ("key", "profile_key")


@dataclass(frozen=True)
class OwnersReport:
    """Tuples whose owner changed."""

    change: Change = field(default_factory=Change)


def update_owners(lake: Lake, project: Project, entity: str) -> OwnersReport:
    """Bring the owners of tuples in line with the stitched ids; looks only at tuples that may have changed."""
    step = owners_step(entity)

    def compute(con: Con) -> tuple[str, int, Merge | None]:
        version, snapshot = owners_version(con, project, entity), newest_snapshot(con)
        if is_current(con, project, entity):
            return version, snapshot, None
        scope = f"entity = {literal(entity)}"
        feed = changes_since(con, progress.applied(con, step).get("snapshot"))
        if feed and exists(con, TABLE) and all(tells(con, feed, "identity", t) for t in ("id_edges", "stitched_ids")):
            scope += " AND tuple_key IN (SELECT tuple_key FROM touched_tuples)"
            _stage_touched(con, entity, feed)
            _stage_owners(con, project, entity, some=True)
        else:
            _stage_owners(con, project, entity, some=False)
        return version, snapshot, stage_merge(con, TABLE, "staged_owners", ("entity", "tuple_key"), scope)

    def write(con: Con, value: tuple[str, int, Merge | None]) -> None:
        version, snapshot, merge = value
        if merge:
            write_merge(con, merge)
            progress.record(con, step, {"all": version, "snapshot": str(snapshot)})

    _, _, merge = lake.step(compute, write, [step_name(entity), "id_edges", step])
    return OwnersReport(merge.change if merge else Change())


def owners_step(entity: str) -> str:
    """Name under which the owners of an entity's tuples are noted."""
    return f"tuple_owners/{entity}"


def owners_version(con: Con, project: Project, entity: str) -> str:
    """Hash of everything that owners are made from."""
    parts = progress.fingerprint(con, [step_name(entity)]), *project.entities[entity].ids
    return hashlib.md5("|".join(parts).encode(), usedforsecurity=False).hexdigest()


def is_current(con: Con, project: Project, entity: str) -> bool:
    """True when the stored owners are those of the stitched ids."""
    return progress.applied(con, owners_step(entity)).get("all") == owners_version(con, project, entity)


def _stage_touched(con: Con, entity: str, feed: Feed) -> None:
    """Temporary table `touched_tuples`: those in changed evidence, and those with an id that has another owner now."""
    mine = f"entity = {literal(entity)}"
    came, went = (f"FROM {of('identity', 'stitched_ids')} WHERE {mine}" for of in (feed.came, feed.went))
    keys = ", ".join(MOVED)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE moved_keys AS SELECT DISTINCT key FROM (
            (SELECT {keys} {came} EXCEPT SELECT {keys} {went}) UNION ALL
            (SELECT {keys} {went} EXCEPT SELECT {keys} {came}))"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE touched_tuples AS
        SELECT tuple_key FROM {feed.came("identity", "id_edges")} WHERE {mine}
        UNION SELECT tuple_key FROM {feed.went("identity", "id_edges")} WHERE {mine}
        UNION SELECT tuple_key FROM (SELECT tuple_key, unnest(nodes) AS key FROM identity.id_edges WHERE {mine})
            SEMI JOIN moved_keys USING (key)"""
    )


def _stage_owners(con: Con, project: Project, entity: str, *, some: bool) -> None:
    """Temporary table `staged_owners` of all tuples, or of the touched ones."""
    only = " SEMI JOIN touched_tuples USING (tuple_key)" if some else ""
    edges, stitched = schema.view(con, "id_edges"), schema.view(con, "stitched_ids")
    mine = f"entity = {literal(entity)}"
    tuples = f"SELECT DISTINCT tuple_key, nodes FROM {edges}{only} WHERE {mine}"
    if some:
        con.execute(f"CREATE OR REPLACE TEMP TABLE touched_nodes AS {tuples}")
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE touched_ids AS SELECT entity, key, profile_id, profile_key FROM {stitched}
            WHERE {mine} AND key IN (SELECT unnest(nodes) FROM touched_nodes)"""
        )
        tuples, stitched = "FROM touched_nodes", "touched_ids"
    place_tuples(con, project, entity, tuples, stitched, table="staged_places")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE staged_owners AS SELECT {literal(entity)} AS entity, tuple_key, p.profile_key "
        f"FROM ({tuples}) LEFT JOIN staged_places p USING (tuple_key)"
    )
