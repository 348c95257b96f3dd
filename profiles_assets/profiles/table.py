"""One row per person: ids, identify traits and stored traits, rewritten only when the person changed.

`profiles.<entity>_rows` is the table; `profiles.<entity>` is the view that people read, which adds the
predictions and the traits that move by themselves or depend on a prediction.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.events.load import newest_day
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.project import Project
from profiles_assets.traits.derived import Reading, add_traits, read_traits, stored_tables
from profiles_assets.traits.identify import stage_identify_traits
from resources import progress
from resources.lake import Lake
from resources.tables import Change, Merge, exists, quote, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection
AS_OF = "(SELECT as_of FROM ops.as_of WHERE entity = '{}')"


@dataclass(frozen=True)
class ProfilesReport:
    """What filling the profiles changed, and the snapshot that was published."""

    as_of: date | None
    people: int = 0
    change: Change = field(default_factory=Change)
    snapshot: int | None = None


@dataclass(frozen=True)
class _Plan:
    as_of: date
    version: str
    view: str
    merge: Merge
    people: int


def update_profiles(lake: Lake, project: Project, entity: str) -> ProfilesReport:
    """Bring the profiles of an entity up to date and publish them; writes nothing when nothing changed."""
    step = f"profiles/{entity}"

    def compute(con: Con) -> _Plan | None:
        as_of = newest_day(con, project)
        version = profiles_version(con, project, entity, as_of)
        if as_of is None or progress.applied(con, step).get("all") == version:
            return None
        stage_rows(con, project, entity)
        merge = stage_merge(con, rows_table(entity), "staged_rows", ["profile_id"])
        return _Plan(as_of, version, view_sql(con, project, entity), merge, _count(con, "staged_rows"))

    def write(con: Con, plan: _Plan | None) -> None:
        if plan:
            write_merge(con, plan.merge)
            con.execute("DELETE FROM ops.as_of WHERE entity = ?", [entity])
            con.execute("INSERT INTO ops.as_of VALUES (?, ?)", [entity, plan.as_of])
            con.execute(f"CREATE OR REPLACE VIEW {view_name(entity)} AS {plan.view}")
            progress.record(con, step, {"all": plan.version})

    plan = lake.step(compute, write, [*inputs(project, entity), step])
    snapshot = publish(lake, entity, step)
    if plan is None:
        return _unchanged(lake, entity, snapshot)
    return ProfilesReport(plan.as_of, plan.people, plan.merge.change, snapshot)


def inputs(project: Project, entity: str) -> list[str]:
    """Steps whose notes decide what the profiles of an entity are."""
    stored, predictions = stored_tables(project, entity), [f"predictions/{n}" for n in project.predictions_of(entity)]
    metrics = [f"metrics/{name}" for name in project.metrics_of(entity)]
    return [*(f"raw_events/{s}" for s in project.sources), f"stitched_ids/{entity}", *stored, *metrics, *predictions]


def profiles_version(con: Con, project: Project, entity: str, as_of: date | None) -> str:
    """Hash of everything the profiles are made from, the definitions of traits read from the view included."""
    facts = project.facts_of(entity)
    read = [f"{name}: {facts[name].model_dump_json()}" for name in read_traits(project, entity)]
    parts = (progress.fingerprint(con, inputs(project, entity)), as_of, *read)
    return hashlib.md5("|".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def stage_rows(con: Con, project: Project, entity: str) -> None:
    """Temporary table `staged_rows` with the stored part of every profile."""
    create_attribution(con, project, entity)
    stage_identify_traits(con, project, entity, "staged_identify")
    joins = "".join(f" LEFT JOIN {table} USING (profile_id)" for table in filled_tables(con, project, entity))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE staged_rows AS
        WITH of_type AS (
            SELECT profile_id, id_type, list_sort(list(value)) AS vals, min(first_seen) AS first_seen,
                   max(last_seen) AS last_seen
            FROM identity.stitched_ids WHERE entity = ? AND profile_id IS NOT NULL GROUP BY ALL),
        people AS (
            SELECT profile_id, map_from_entries(list((id_type, vals) ORDER BY id_type)) AS ids,
                   min(first_seen) AS first_seen, max(last_seen) AS last_seen
            FROM of_type GROUP BY profile_id)
        SELECT * FROM people LEFT JOIN staged_identify USING (profile_id){joins}""",
        [entity],
    )


def filled_tables(con: Con, project: Project, entity: str) -> list[str]:
    """Tables of stored traits of an entity that have been filled."""
    return [table for table in stored_tables(project, entity).values() if exists(con, table)]


def view_sql(con: Con, project: Project, entity: str) -> str:
    """SELECT of the published view: stored rows, predictions, and the traits computed when reading."""
    joins, scores = "", []
    for name in project.predictions_of(entity):
        table = f"predictions.{quote(name)}"
        if exists(con, table):
            joins += f" LEFT JOIN {table} AS {quote(name)} USING (profile_id)"
        scores += score_columns(name, exists(con, table))
    select = f"SELECT {', '.join(['person.*', *scores])} FROM {rows_table(entity)} AS person{joins}"
    reading = Reading.of(project, entity, AS_OF.format(entity))
    return add_traits(select, read_traits(project, entity), project.facts_of(entity), reading)


def score_columns(name: str, scored: bool) -> list[str]:
    """Columns in which a prediction comes back as traits."""
    parts = {"score": ("", "DOUBLE"), "percentile": ("_percentile", "DOUBLE"), "band": ("_band", "VARCHAR")}
    return [
        f"{quote(name) + '.' + column if scored else f'NULL::{type_}'} AS {quote(name + suffix)}"
        for column, (suffix, type_) in parts.items()
    ]


def rows_table(entity: str) -> str:
    """Name of the stored table."""
    return f"profiles.{quote(entity + '_rows')}"


def view_name(entity: str) -> str:
    """Name of the view that people read."""
    return f"profiles.{quote(entity)}"


def publish(lake: Lake, entity: str, step: str) -> int | None:
    """Note the newest snapshot as the one readers use, unless these profiles are published already."""
    with lake.get_connection() as con:
        version = progress.applied(con, step).get("all")
        published = progress.applied(con, f"published/{entity}").get("all")
    if version is None or version == published:
        return None
    return lake.publish(entity, version)


def _unchanged(lake: Lake, entity: str, snapshot: int | None) -> ProfilesReport:
    with lake.get_connection() as con:
        if not exists(con, rows_table(entity)):
            return ProfilesReport(None)
        row = con.execute("SELECT as_of FROM ops.as_of WHERE entity = ?", [entity]).fetchone()
        return ProfilesReport(row[0] if row else None, _count(con, rows_table(entity)), snapshot=snapshot)


def _count(con: Con, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
