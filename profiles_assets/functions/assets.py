"""Assets `functions/<name>`: the rows of a profile function, and the sensor that notices a publish."""

import json
from typing import Any

import dagster as dg

from profiles_assets import pictures
from profiles_assets.functions import versions
from profiles_assets.functions.run import FunctionReport, update_function
from profiles_assets.functions.tables import view_name
from profiles_assets.functions.typed import TypedReport, typed_traits, update_typed
from profiles_assets.identity.assets import STITCHED
from profiles_assets.project.functions import ProfileFunction
from profiles_assets.project.project import Project
from profiles_assets.shell import (
    FRESHNESS,
    ROW_COUNT,
    automation,
    checks,
    log_progress,
    outcome,
    owners,
    schema,
)
from profiles_assets.triggers import JOB as WHOLE_PATH
from resources.lake import Lake

CHECKS = {"errors_within_share": "The share of people who fail stays under the one declared (max_errors)."}
TYPED_CHECKS = {"values_fit": "What the function gives is of the types that its traits declare."}
COLUMNS = {
    "profile_id": ("VARCHAR", "The person, or the key that the function chose."),
    "_person": ("VARCHAR", "The person."),
    "traits": ("VARCHAR", "What the function gave, over the identify traits, as JSON."),
    "function": ("VARCHAR", "The function."),
    "version": ("BIGINT", "Version of the code that made the row."),
    "table": ("VARCHAR", "Table that the row belongs to."),
    "destination": ("VARCHAR", "Where the row is to go."),
}
SECONDS_OF_REBUILD = 300.0
JOB = "build_functions"


def function_key(name: str) -> dg.AssetKey:
    """Key of the asset of a function."""
    return dg.AssetKey(["functions", name])


def build_function_assets(project: Project, lake: Lake) -> list[dg.AssetsDefinition]:
    """One asset per profile function; its code version is the published one."""
    return [_function_asset(project, function, lake) for function in project.functions.values()]


def _function_asset(project: Project, function: ProfileFunction, lake: Lake) -> dg.AssetsDefinition:
    key, typed = function_key(function.name), typed_traits(project, function.name)
    described = CHECKS | (TYPED_CHECKS if typed else {})

    @dg.asset(
        key=key,
        deps=[STITCHED],
        group_name="functions",
        kinds={"python", "duckdb"},
        owners=owners(function.config.owner, project.owner),
        automation_condition=None if function.config.schedule else automation(),
        freshness_policy=FRESHNESS,
        code_version=published_hash(lake, function.name),
        check_specs=checks(key, described, warn_only=list(described)),
        metadata=schema(COLUMNS),
        description=_description(function),
    )
    def rows(context: dg.AssetExecutionContext, lake: Lake) -> dg.MaterializeResult:
        waits = bool(function.config.schedule) and context.run.job_name == WHOLE_PATH
        report = update_function(
            lake,
            project,
            function.name,
            budget=SECONDS_OF_REBUILD,
            on_progress=log_progress(context),
            only_count=waits,
        )
        for level, line in report.lines:
            getattr(context.log, "warning" if level == "warn" else level)(line)
        if report.broken:
            context.log.error(f"{function.file} cannot be run: {report.broken}")
        results = [outcome("errors_within_share", share_of_errors(report, function.config.max_errors), warn=True)]
        if typed:
            fit = values_fit(update_typed(lake, project, function.name))
            results.append(outcome("values_fit", fit, warn=True))
        return dg.MaterializeResult(metadata=_metadata(report), check_results=results)

    return rows


def share_of_errors(report: FunctionReport, most: float) -> tuple[bool, dict[str, Any]]:
    """Whether few enough people fail, and how many do."""
    people = report.rows + report.errors
    share = report.errors / people if people else 0.0
    told: dict[str, Any] = {"errors": report.errors, "share": share, "max_errors": most}
    return share <= most and not report.broken, told | ({"broken": report.broken} if report.broken else {})


def values_fit(report: TypedReport) -> tuple[bool, dict[str, Any]]:
    """Whether all values are of the types of their traits, and how many are not, by trait."""
    return not report.unfit, {f"unfit/{name}": count for name, count in report.unfit.items()}


def published_hash(lake: Lake, name: str) -> str | None:
    """Hash of the code of the version to be seen; None while there is none."""
    if not lake.exists():
        return None
    with lake.get_connection() as con:
        state = versions.state_of(con, name)
        found = [v.hash for v in versions.versions(con, name) if state and v.version == state.target]
    return f"{state.target}-{found[0]}" if state and found else None


def _metadata(report: FunctionReport) -> dict[str, Any]:
    counts = ("version", "building", "computed", "rebuilt", "removed", "errors", "transform_errors", "waiting")
    metadata: dict[str, Any] = {name: getattr(report, name) for name in counts if getattr(report, name) is not None}
    metadata |= {"as_of": str(report.as_of), ROW_COUNT: report.rows, "log_lines_left_out": report.dropped}
    if report.lines:
        metadata["log"] = dg.MetadataValue.md("\n".join(f"- **{level}** {line}" for level, line in report.lines))
    if report.version is None:
        metadata["note"] = "nothing is published; publish the draft with: profiles publish"
    return metadata


def _description(function: ProfileFunction) -> str:
    config = function.config
    about = config.description or config.title or f"Profile function {function.name}."
    made = pictures.made_from([f"events of {config.window} days", "identify traits"], f"functions/{function.name}")
    kind = "batch" if function.batch else "row"
    return (
        f"{about}\n\n{pictures.markdown(made, 'what the function is made from')}\n\n`{function.file}`, {kind} API. "
        f"Read `{view_name(function.table)}`; the file is the draft, runs use what `profiles publish` stored."
    )


def build_schedules(project: Project) -> tuple[list[Any], list[dg.ScheduleDefinition]]:
    """A job for each function with a schedule, of it and what follows from it, and the schedule that starts it."""
    jobs, schedules = [], []
    for name, function in project.functions.items():
        if function.config.schedule:
            selection = dg.AssetSelection.assets(function_key(name)).downstream()
            jobs.append(dg.define_asset_job(f"build_function_{name}", selection=selection))
            schedule = dg.ScheduleDefinition(
                name=f"function_{name}",
                job=jobs[-1],
                cron_schedule=function.config.schedule,
                execution_timezone=project.timezone,
                default_status=dg.DefaultScheduleStatus.RUNNING,
                description=f"Runs the function {name} when its config says so.",
            )
            schedules.append(schedule)
    return jobs, schedules


def build_function_triggers(project: Project, lake: Lake) -> tuple[list[Any], list[dg.SensorDefinition]]:
    """The job that builds functions and what follows from them, and the sensor that starts it after a publish."""
    if not project.functions:
        return [], []
    selection = dg.AssetSelection.assets(*(function_key(name) for name in project.functions)).downstream()
    job = dg.define_asset_job(JOB, selection=selection, description="From published functions to profiles.")

    @dg.sensor(
        name="published_functions",
        job=job,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Builds what was published, run by run, until it can be seen.",
    )
    def published_functions(context: dg.SensorEvaluationContext) -> dg.SensorResult | dg.SkipReason:
        found = states(lake, project)
        now = json.dumps(found, sort_keys=True)
        if now == context.cursor or all(state["visible"] == state["target"] for state in found.values()):
            return dg.SkipReason("no function waits to be built")
        return dg.SensorResult(run_requests=[dg.RunRequest(run_key=now)], cursor=now)

    return [job], [published_functions]


def states(lake: Lake, project: Project) -> dict[str, dict[str, Any]]:
    """Visible version, target and progress of every published function."""
    if not project.functions or not lake.exists():
        return {}
    with lake.get_connection() as con:
        found = {name: versions.state_of(con, name) for name in project.functions}
    return {
        name: {"visible": state.visible, "target": state.target, "done": state.done, "total": state.total}
        for name, state in found.items()
        if state
    }
