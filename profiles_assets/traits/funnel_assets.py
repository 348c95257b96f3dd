"""Assets `funnels/<name>` and `funnels/<name>_report`: how far each person came, and how many came how far."""

from typing import Any

import dagster as dg

from profiles_assets.identity.assets import STITCHED
from profiles_assets.project.funnels import FUNNEL_MEANING, REPORT, Funnel, funnel_columns
from profiles_assets.project.project import Declared, Project
from profiles_assets.shell import (
    FRESHNESS,
    ROW_COUNT,
    automation,
    checks,
    outcome,
    owners,
    report_metadata,
    schema,
    schema_now,
)
from profiles_assets.traits.checks import one_row_per_person
from profiles_assets.traits.funnel_report import (
    StepReport,
    definition_hash,
    funnel_table,
    read_report,
    report_table,
    update_funnel,
)
from profiles_assets.traits.funnel_words import outline, rules, steps_picture, steps_table
from resources.lake import Lake

CHECKS = {"one_row_per_person": "Every person has exactly one row, and nobody else has one."}
REPORT_CHECKS = {"no_step_grows": "No step was reached by more people than the one before."}
REPORT_COLUMNS = {
    "as_of": ("DATE", "Day as of which it holds."),
    "step": ("BIGINT", "Number of the step, from 1."),
    "title": ("VARCHAR", "Step in words."),
    "people": ("BIGINT", "People who reached the step."),
    "step_conversion": ("DOUBLE", "Share of the people of the step before."),
    "conversion": ("DOUBLE", "Share of the people who took the first step."),
    "median_hours": ("DOUBLE", "Median hours from the start to the step, among all who reached it."),
}


def funnel_key(name: str) -> dg.AssetKey:
    """Key of the asset of a funnel."""
    return dg.AssetKey(["funnels", name])


def build_funnel_assets(project: Project) -> list[dg.AssetsDefinition]:
    """Two assets per funnel: a row per person, and the report."""
    funnels = project.funnels.values()
    return [build(project, funnel) for funnel in funnels for build in (_funnel_asset, _report_asset)]


def _funnel_asset(project: Project, funnel: Declared[Funnel]) -> dg.AssetsDefinition:
    key, described, table = funnel_key(funnel.name), _columns(funnel), funnel_table(funnel.name)

    @dg.asset(
        key=key,
        deps=[STITCHED],
        group_name="traits",
        kinds={"duckdb", "yaml"},
        owners=owners(funnel.owner, project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        code_version=definition_hash(funnel),
        check_specs=checks(key, CHECKS),
        metadata=schema(described),
        description=_description(funnel, "How far each person came."),
    )
    def person_steps(lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        report = update_funnel(lake, project, funnel.name)
        with lake.get_connection() as con:
            result = outcome("one_row_per_person", one_row_per_person(con, table, funnel.entity))
        metadata = report_metadata(report) | schema_now(lake, table, described) | {ROW_COUNT: report.people}
        return dg.MaterializeResult(metadata=metadata, check_results=[result])

    return person_steps


def _report_asset(project: Project, funnel: Declared[Funnel]) -> dg.AssetsDefinition:
    key = funnel_key(funnel.name + REPORT)

    @dg.asset(
        key=key,
        deps=[funnel_key(funnel.name)],
        group_name="traits",
        kinds={"duckdb"},
        owners=owners(funnel.owner, project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        code_version=definition_hash(funnel),
        check_specs=checks(key, REPORT_CHECKS),
        metadata=schema(REPORT_COLUMNS),
        description=_description(funnel, "How many people reached each step, one row per step and day."),
    )
    def steps_report(lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        with lake.get_connection() as con:
            steps = read_report(con, funnel.name)
        now = schema_now(lake, report_table(funnel.name), REPORT_COLUMNS)
        result = outcome("no_step_grows", _no_step_grows(steps))
        return dg.MaterializeResult(metadata=now | _report_metadata(steps), check_results=[result])

    return steps_report


def _no_step_grows(steps: list[StepReport]) -> tuple[bool, dict[str, Any]]:
    people = [step.people for step in steps]
    return people == sorted(people, reverse=True), {"people": ", ".join(map(str, people))}


def _report_metadata(steps: list[StepReport]) -> dict[str, Any]:
    if not steps:
        return {ROW_COUNT: 0}
    return {
        ROW_COUNT: len(steps),
        "as_of": steps[0].as_of.isoformat(),
        "funnel": dg.MetadataValue.md(steps_picture(steps)),
        "steps": dg.MetadataValue.md(steps_table(steps)),
    }


def _columns(funnel: Declared[Funnel]) -> dict[str, tuple[str, str]]:
    title = funnel.spec.title or funnel.name.replace("_", " ")
    of_funnel = {
        column: (type_, f"{title}: {FUNNEL_MEANING[column.removeprefix(funnel.name)]}")
        for column, type_ in funnel_columns(funnel.name).items()
    }
    return {"profile_id": ("VARCHAR", "The person.")} | of_funnel


def _description(funnel: Declared[Funnel], words: str) -> str:
    about = funnel.spec.description or funnel.spec.title or f"Funnel {funnel.name}, per {funnel.entity}."
    return f"{about}\n\n{outline(funnel.spec)}\n\n{rules(funnel.spec)} {words}"
