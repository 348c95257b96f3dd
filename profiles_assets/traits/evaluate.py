"""Fill the trait tables: the stored one of a section, and temporary ones at any as_of."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.events.load import newest_day
from profiles_assets.identity.as_of import stitch_as_of
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.identity.owners import owners_step
from profiles_assets.project.project import Project
from profiles_assets.traits.advance import (
    ROWS,
    Moment,
    notes_of,
    rows_table,
    since,
    stage_all,
    stage_changed,
    stage_edited,
)
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.compile import Who, compile_section, select_all_traits
from profiles_assets.traits.funnels import stage_funnel
from profiles_assets.traits.metrics import stage_distributions
from profiles_assets.traits.running import STATES, states_table
from resources import progress
from resources.lake import Lake
from resources.tables import Change, Merge, quote, rows_after, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection
MoreTables = Callable[[Con, Project, str, date], Sequence[str]]


def _no_more(_con: Con, _project: Project, _entity: str, _as_of: date) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class SectionReport:
    """What filling a section changed, how many people it has and as of when."""

    as_of: date | None
    people: int = 0
    change: Change = field(default_factory=Change)


@dataclass(frozen=True)
class _Staged:
    report: SectionReport
    notes: dict[str, str]
    merges: tuple[Merge, ...] = ()


def update_section(lake: Lake, project: Project, section: str) -> SectionReport:
    """Bring the table of a section to the newest load day.

    Only people whom something happened to are computed, from their states, and only rows that changed are written.
    """
    entity, step = project.sections[section].entity, f"entity_vars/{section}"
    reads = [*upstream(project, entity), owners_step(entity), step]

    def compute(con: Con) -> _Staged:
        as_of, notes = newest_day(con, project), progress.applied(con, step)
        version = section_version(con, project, section, as_of)
        table = rows_table(section)
        if as_of is None or notes.get("all") == version:
            return _Staged(SectionReport(as_of, _people(con, table)), {})
        now = Moment(project, section, event_columns(con, project), as_of)
        merges = _stage(con, now, notes, table)
        report = SectionReport(as_of, rows_after(con, merges[-1]), merges[-1].change)
        return _Staged(report, {"all": version} | notes_of(con, now), merges)

    def write(con: Con, staged: _Staged) -> None:
        for merge in staged.merges:
            write_merge(con, merge)
        progress.record(con, step, staged.notes)

    return lake.step(compute, write, reads).report


def _stage(con: Con, now: Moment, notes: dict[str, str], table: str) -> tuple[Merge, ...]:
    """Differences of the states and of the rows of a section."""
    found, states = since(con, now, notes), states_table(now.section)
    if found is None or json.loads(notes["traits"]) != now.definitions:
        if found is None:
            stage_all(con, now)
        else:
            stage_edited(con, now, found)
        return stage_merge(con, states, STATES, ["profile_key"]), stage_merge(con, table, ROWS, ["profile_id"])
    stage_changed(con, now, found)
    scopes = "profile_key IN (SELECT profile_key FROM concerned)", "profile_id IN (SELECT profile_id FROM concerned)"
    return (
        Merge(states, STATES, ("profile_key",), scopes[0], Change(), whole=True),
        stage_merge(con, table, ROWS, ["profile_id"], scopes[1]),
    )


def upstream(project: Project, entity: str) -> list[str]:
    """Steps whose notes decide what the traits of an entity are."""
    return [*(f"raw_events/{source}" for source in project.sources), f"stitched_ids/{entity}"]


def section_version(con: Con, project: Project, section: str, as_of: date | None) -> str:
    """Hash of everything the table of a section is made from."""
    entity = project.sections[section].entity
    parts = (progress.fingerprint(con, upstream(project, entity)), definition_hash(project, section), as_of)
    return hashlib.md5("|".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def definition_hash(project: Project, section: str) -> str:
    """Hash of the declared traits of a section."""
    text = "\n".join(f"{n}: {t.model_dump_json()}" for n, t in sorted(project.sections[section].traits.items()))
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def stage_people(con: Con, entity: str, stitched: str = "identity.stitched_ids", table: str = "people") -> None:
    """Temporary table (profile_id, profile_key) of everybody in a table of stitched ids."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT DISTINCT profile_id, profile_key FROM {stitched} "
        "WHERE entity = ? AND profile_id IS NOT NULL",
        [entity],
    )


def stage_section(con: Con, project: Project, section: str, as_of: date, table: str, *, who: Who | None = None) -> None:
    """Temporary table with the stored traits of a section as of a day."""
    sql = compile_section(project, section, event_columns(con, project), f"DATE '{as_of}'", who)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {sql}")


def stage_traits_as_of(
    con: Con, project: Project, entity: str, as_of: date, table: str, *, more: MoreTables = _no_more
) -> None:
    """Temporary table of one row per person known at a past day, with every trait that needs no prediction.

    Identity and traits are read as of that day; `more` stages further tables of the people known then, by
    profile_id, and gives their names. Leaves `stitched_then`, `attribution_then` and `people_then` behind.
    """
    stitch_as_of(con, project, entity, as_of, "stitched_then")
    create_attribution(con, project, entity, stitched="stitched_then", as_of=as_of, table="attribution_then")
    stage_people(con, entity, "stitched_then", "people_then")
    then = Who("people_then", "attribution_then")
    day, tables = f"DATE '{as_of}'", []
    for name in project.sections_of(entity):
        tables.append(quote(f"then_{name}"))
        stage_section(con, project, name, as_of, tables[-1], who=then)
    for name, funnel in project.funnels_of(entity).items():
        tables.append(quote(f"then_funnel_{name}"))
        stage_funnel(con, project, funnel, day, tables[-1], who=then)
    tables += more(con, project, entity, as_of)
    stage_metrics_then(con, project, entity)
    sql = select_all_traits(project, entity, tables, "people_then", day, distributions="distributions_then")
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {sql}")


def stage_metrics_then(con: Con, project: Project, entity: str) -> None:
    """Temporary table `distributions_then` of the metrics in the sections staged for a past day."""
    metrics = project.metrics_of(entity)
    section = next(
        (n for n, s in project.sections_of(entity).items() if metrics and metrics.keys() <= s.traits.keys()), ""
    )
    stage_distributions(con, list(metrics), quote(f"then_{section}"), "distributions_then")


def _people(con: Con, table: str) -> int:
    try:
        row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    except duckdb.CatalogException:
        return 0
    return int(row[0]) if row else 0
