"""What starts runs: the job, the landing sensor, the automation sensor and the catch-up schedule.

Correctness never depends on a trigger: every run applies whatever has not been applied yet.
"""

from typing import Any

import dagster as dg
from dagster import AssetSelection

from profiles_assets.events.arrivals import Arrival, arrivals, listing_hash, table_arrivals, unapplied
from profiles_assets.project.project import Project
from profiles_assets.watching import watcher
from resources.lake import Lake

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
JOB = "build_profiles"
TICK_SECONDS = 25.0  # of the 60 that Dagster gives a sensor


def build_job() -> Any:
    """The job that takes files all the way to profiles."""
    selection = AssetSelection.all() - AssetSelection.groups("upkeep")
    return dg.define_asset_job(JOB, selection=selection, description="From landing files to profiles.")


def build_triggers(project: Project, lake: Lake, job: Any) -> dict[str, Any]:
    """Sensors and schedules of a project, as arguments of Definitions."""
    automation = dg.AutomationConditionSensorDefinition(
        "automation",
        target=AssetSelection.all(),
        description="Refreshes what comes after an asset that was materialised by hand.",
    )
    tables = [_table_sensor(project, lake, job)] if any(source.table for source in project.sources.values()) else []
    return {
        "sensors": [_landing_sensor(project, lake, job), *tables, automation],
        "schedules": [_catch_up(project, lake, job)],
    }


def range_tags(first: str, last: str) -> dict[str, str]:
    """Run tags that choose a range of days."""
    return {RANGE_START: first, RANGE_END: last}


def _landing_sensor(project: Project, lake: Lake, job: Any) -> dg.SensorDefinition:
    @dg.sensor(
        name="landing_files",
        job=job,
        minimum_interval_seconds=5,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Turns new and changed landing files into runs of the load days they concern.",
    )
    def landing_files(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if (process := watcher(lake)) is not None:
            return dg.SkipReason(f"profiles watch (process {process}) takes care of new files")
        listing = listing_hash(project)
        if listing == context.cursor:
            return dg.SkipReason("no landing file is new or changed")
        found = arrivals(lake, project, TICK_SECONDS)
        complete = sum(arrival.files for arrival in found) == len(unapplied(lake, project))
        cursor = listing if complete else context.cursor  # what is left is looked at by the next tick
        return dg.SensorResult(run_requests=[_request(arrival) for arrival in found], cursor=cursor)

    return landing_files


def _table_sensor(project: Project, lake: Lake, job: Any) -> dg.SensorDefinition:
    @dg.sensor(
        name="source_tables",
        job=job,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Turns new rows of source tables into runs.",
    )
    def source_tables(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        if (process := watcher(lake)) is not None:
            return dg.SkipReason(f"profiles watch (process {process}) takes care of new rows")
        problems: list[str] = []
        requests = [_request(arrival) for arrival in table_arrivals(lake, project, problems.append)]
        for problem in problems:
            context.log.warning(problem)
        return (
            dg.SensorResult(run_requests=requests) if requests else dg.SkipReason("; ".join(problems) or "nothing new")
        )

    return source_tables


def _catch_up(project: Project, lake: Lake, job: Any) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="catch_up",
        job=job,
        cron_schedule="30 2 * * *",
        execution_timezone=project.timezone,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description="Once a day: applies whatever files no run has applied.",
    )
    def catch_up(context: dg.ScheduleEvaluationContext) -> Any:
        found = [*arrivals(lake, project), *table_arrivals(lake, project, context.log.warning)]
        tick = context.scheduled_execution_time.isoformat()
        return [_request(a, f"{tick}-{a.key}") for a in found] or dg.SkipReason("every file is applied")

    return catch_up


def _request(arrival: Arrival, key: str | None = None) -> dg.RunRequest:
    return dg.RunRequest(
        run_key=key or arrival.key,
        tags=range_tags(arrival.first.isoformat(), arrival.last.isoformat()) | {"files": str(arrival.files)},
    )
