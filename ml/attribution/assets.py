"""Assets `attribution/<name>`: credits of conversions by model, channel and day."""

import dagster as dg

from ml.attribution.report import (
    channel_returns,
    credits_add_up,
    credits_picture,
    journeys_picture,
    returns_table,
)
from ml.attribution.step import credits_table, definition_hash, update_credits
from profiles_assets import pictures
from profiles_assets.identity.assets import STITCHED
from profiles_assets.project.attribution import Attribution
from profiles_assets.project.project import Declared, Project
from profiles_assets.shell import (
    FRESHNESS,
    automation,
    checks,
    outcome,
    owners,
    report_metadata,
    schema,
    schema_now,
)
from resources.lake import Lake

CHECKS = {"credits_add_up": "The credits of every model add up to the conversions."}
COLUMNS = {
    "model": ("VARCHAR", "How conversions are shared among the channels of a journey."),
    "channel": ("VARCHAR", "Channel, in small letters; none for conversions without a touchpoint."),
    "day": ("DATE", "Day of the conversion, or of the cost."),
    "conversions": ("DOUBLE", "Conversions credited."),
    "value": ("DOUBLE", "Their value credited."),
    "cost": ("DOUBLE", "What the channel cost on the day, the same for every model."),
}


def build_attribution_assets(project: Project) -> list[dg.AssetsDefinition]:
    """One asset per attribution."""
    return [_asset(project, found) for found in project.attribution.values()]


def _asset(project: Project, found: Declared[Attribution]) -> dg.AssetsDefinition:
    key = dg.AssetKey(["attribution", found.name])

    @dg.asset(
        key=key,
        deps=[STITCHED],
        group_name="predictions",
        kinds={"duckdb", "yaml"},
        owners=owners(found.owner, project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        code_version=definition_hash(found),
        check_specs=checks(key, CHECKS),
        metadata=schema(COLUMNS),
        description=_description(found),
    )
    def channel_credits(lake: Lake) -> dg.MaterializeResult:
        report = update_credits(lake, project, found.name)
        with lake.get_connection() as con:
            result = outcome("credits_add_up", credits_add_up(con, found.name))
            told = {
                "credits": credits_picture(con, found.name),
                "journeys": journeys_picture(con, found.name),
                "returns": returns_table(channel_returns(con, found)),
            }
        metadata = report_metadata(report) | schema_now(lake, credits_table(found.name), COLUMNS)
        shown = {name: dg.MetadataValue.md(words) for name, words in told.items()}
        return dg.MaterializeResult(metadata=metadata | shown, check_results=[result])

    return channel_credits


def _description(found: Declared[Attribution]) -> str:
    about = found.spec.description or f"Which channels `{found.spec.conversion}` is credited to."
    return f"{about}\n\n{pictures.markdown(pictures.pipeline('predictions'), 'stage predictions')}"
