"""Fill the trait tables: the stored one of a section, and temporary ones at any as_of."""

import hashlib
from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.events.load import newest_day
from profiles_assets.identity.as_of import stitch_as_of
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.project import Project
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.compile import Who, compile_section, select_all_traits
from profiles_assets.traits.funnels import stage_funnel
from profiles_assets.traits.metrics import stage_distributions
from resources import progress
from resources.lake import Lake
from resources.tables import Change, Merge, quote, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class SectionReport:
    """What filling a section changed, how many people it has and as of when."""

    as_of: date | None
    people: int = 0
    change: Change = field(default_factory=Change)


def update_section(lake: Lake, project: Project, section: str) -> SectionReport:
    """Bring the table of a section to the newest load day; only rows of people who changed are rewritten."""
    entity, table, step = (
        project.sections[section].entity,
        f"entity_vars.{quote(section)}",
        f"entity_vars/{section}",
    )
    reads = [*upstream(project, entity), step]

    def compute(con: Con) -> tuple[SectionReport, str, Merge | None]:
        as_of = newest_day(con, project)
        version = section_version(con, project, section, as_of)
        if as_of is None or progress.applied(con, step).get("all") == version:
            return SectionReport(as_of, _people(con, table)), version, None
        stage_people(con, entity)
        create_attribution(con, project, entity)
        stage_section(con, project, section, as_of, "staged_section")
        merge = stage_merge(con, table, "staged_section", ["profile_id"])
        return SectionReport(as_of, _people(con, "staged_section"), merge.change), version, merge

    def write(con: Con, value: tuple[SectionReport, str, Merge | None]) -> None:
        if value[2] is not None:
            write_merge(con, value[2])
            progress.record(con, step, {"all": value[1]})

    return lake.step(compute, write, reads)[0]


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


def stage_traits_as_of(con: Con, project: Project, entity: str, as_of: date, table: str) -> None:
    """Temporary table of one row per person known at a past day, with every trait that needs no prediction.

    Identity and traits are read as of that day. Leaves `stitched_then` and `people_then` behind.
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
