"""Assets `views/<name>`: chosen traits, one row per value of an id."""

import dagster as dg

from profiles_assets import pictures
from profiles_assets.profiles.assets import profiles_key
from profiles_assets.profiles.views import all_traits, keys_table, update_view, view_table
from profiles_assets.project.project import Declared, Project
from profiles_assets.project.views import View
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
from profiles_assets.traits.assets import sentence
from profiles_assets.traits.checks import one_row_per_value
from resources.lake import Lake

CHECKS = {"one_row_per_value": "Every value of the id has exactly one row."}


def build_view_assets(project: Project) -> list[dg.AssetsDefinition]:
    """One asset per feature view."""
    return [_view_asset(project, view) for view in project.views.values()]


def _view_asset(project: Project, view: Declared[View]) -> dg.AssetsDefinition:
    described, key = _columns(project, view), dg.AssetKey(["views", view.name])

    @dg.asset(
        key=key,
        deps=[profiles_key(view.entity)],
        group_name="views",
        kinds={"duckdb", "yaml"},
        owners=owners(view.owner, project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        check_specs=checks(key, CHECKS),
        metadata=schema(described),
        description=_description(view),
    )
    def rows(lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        report = update_view(lake, project, view.name)
        with lake.get_connection() as con:
            result = outcome("one_row_per_value", one_row_per_value(con, keys_table(view.name), "value"))
        metadata = report_metadata(report) | schema_now(lake, view_table(view.name), described)
        return dg.MaterializeResult(metadata=metadata | {ROW_COUNT: report.rows}, check_results=[result])

    return rows


def _columns(project: Project, view: Declared[View]) -> dict[str, tuple[str, str]]:
    facts = project.facts_of(view.entity)
    own = {
        view.spec.key: ("VARCHAR", "The id."),
        "profile_id": ("VARCHAR", "Who was seen with it most recently."),
        "owners": ("BIGINT", "How many different people were seen with it."),
    }
    names = view.spec.traits or all_traits(project, view.name)
    return own | {n: ("", sentence(n, facts[n]) if n in facts else n.replace("_", " ")) for n in names}


def _description(view: Declared[View]) -> str:
    key = view.spec.key
    shown = "as it is" if view.spec.personal else "masked"
    made = pictures.made_from([f"profiles/{view.entity}", "id_edges"], f"views/{view.name}")
    picture = pictures.markdown(made, "what the view is made from")
    about = "\n\n".join(filter(None, [view.spec.title or view.name.replace("_", " "), view.spec.description, picture]))
    return (
        f"{about}\n\nOne row per {key}, with the traits of the {view.entity} who was seen with it most recently. "
        f"Personal data is {shown}. Read `{view_table(view.name)}`."
    )
