"""Asset `cleanup` with its job and schedule: the lake is kept small once a day."""

from typing import Any

import dagster as dg

from profiles_assets import pictures
from profiles_assets.project.project import Project
from profiles_assets.shell import checks, outcome, owners, report_metadata, schema
from profiles_assets.upkeep import clean_up
from resources.lake import Lake

CLEANUP = dg.AssetKey(["cleanup"])
CHECKS = {"publications_are_readable": "Everything that is published can still be read."}
SCHEMA = {"snapshot_id": ("BIGINT", "A state of the lake that readers can have.")}


def build_upkeep_assets(project: Project) -> list[dg.AssetsDefinition]:
    """The clean-up as an asset of its own, which no other depends on."""

    @dg.asset(
        key=CLEANUP,
        group_name="upkeep",
        kinds={"duckdb"},
        owners=owners(project.owner),
        check_specs=checks(CLEANUP, CHECKS),
        metadata=schema(SCHEMA),
        description="Forgets old states of the lake, merges small files, and removes what nothing reads any more.\n\n"
        + pictures.markdown(pictures.made_from(["the lake"], "cleanup"), "what is cleaned up"),
    )
    def cleanup(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        report = clean_up(lake, project, on_step=context.log.info)
        result = outcome("publications_are_readable", publications_are_readable(lake, project))
        return dg.MaterializeResult(metadata=report_metadata(report), check_results=[result])

    return [cleanup]


def build_upkeep_job() -> Any:
    """The job that cleans up."""
    return dg.define_asset_job(
        "clean_up", selection=dg.AssetSelection.assets(CLEANUP), description="Keeps the lake small."
    )


def build_upkeep_schedule(project: Project, job: Any) -> dg.ScheduleDefinition:
    """Once a day, after the catch-up."""
    return dg.ScheduleDefinition(
        name="clean_up_daily",
        job=job,
        cron_schedule="30 4 * * *",
        execution_timezone=project.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Once a day: forgets old states, merges files, removes what nothing reads any more.",
    )


def publications_are_readable(lake: Lake, project: Project) -> tuple[bool, dict[str, Any]]:
    """Whether the published state of each entity's profiles can be read, with its number of people."""
    found: dict[str, Any] = {}
    with lake.get_connection() as con:
        newest = con.execute("SELECT entity, max(snapshot) FROM ops.publications GROUP BY entity").fetchall()
    for entity, snapshot in newest:
        if entity in project.entities:
            with lake.read(snapshot) as con:
                row = con.execute(f'SELECT count(*) FROM profiles."{entity}_rows"').fetchone()
            found[entity] = int(row[0]) if row else 0
    return True, found
