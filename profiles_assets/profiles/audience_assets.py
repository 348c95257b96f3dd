"""Assets `audiences/<name>`: who belongs to a group of people, and since when."""

from typing import Any

import dagster as dg

from profiles_assets import pictures
from profiles_assets.profiles.assets import profiles_key
from profiles_assets.profiles.audience_checks import members_are_current
from profiles_assets.profiles.audiences import sizes, update_audience
from profiles_assets.profiles.rows import rows_table
from profiles_assets.project.audiences import Audience
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
)
from resources.lake import Lake

CHECKS = {"members_are_current": "The members are exactly the people of whom the profiles say so."}
COLUMNS = {
    "profile_id": ("VARCHAR", "The person."),
    "since": ("DATE", "Day as of which the person came in, without having left since."),
}


def build_audience_assets(project: Project) -> list[dg.AssetsDefinition]:
    """One asset per audience."""
    return [_audience_asset(project, audience) for audience in project.audiences.values()]


def _audience_asset(project: Project, audience: Declared[Audience]) -> dg.AssetsDefinition:
    key = dg.AssetKey(["audiences", audience.name])

    @dg.asset(
        key=key,
        deps=[profiles_key(audience.entity)],
        group_name="audiences",
        kinds={"duckdb", "yaml"},
        owners=owners(audience.owner, project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        check_specs=checks(key, CHECKS),
        metadata=schema(COLUMNS),
        description=_description(audience),
    )
    def members(lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        report = update_audience(lake, project, audience.name)
        with lake.get_connection() as con:
            result = outcome("members_are_current", members_are_current(con, project, audience.name))
            metadata = report_metadata(report) | _share(con, audience.entity, report.size)
            drawn = pictures.series([(day, float(size)) for day, size in sizes(con, audience.name)])
        metadata["size_over_time"] = dg.MetadataValue.md(pictures.markdown(drawn, "size over time"))
        return dg.MaterializeResult(metadata=metadata | {ROW_COUNT: report.size}, check_results=[result])

    return members


def _share(con: Any, entity: str, size: int) -> dict[str, float]:
    people = con.execute(f"SELECT count(*) FROM {rows_table(entity)}").fetchone()[0] if size else 0
    return {"share": size / people} if people else {}


def _description(audience: Declared[Audience]) -> str:
    spec = audience.spec
    words = {"all": "All of these hold", "any": "At least one of these holds", "none": "None of these holds"}
    parts = [f"**{words[group]}**\n\n{_listed(found)}" for group, found in spec.conditions.items()]
    about = "\n\n".join(filter(None, [spec.title or audience.name.replace("_", " "), spec.description]))
    drawn = pictures.made_from(spec.inputs, f"audiences/{audience.name}")
    return "\n\n".join([about, *parts, pictures.markdown(drawn, "what the audience is made from")])


def _listed(conditions: list[dict[str, Any]]) -> str:
    return "\n".join(f"- `{', '.join(f'{name}: {value}' for name, value in one.items())}`" for one in conditions)
