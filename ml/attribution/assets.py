"""Assets `attribution/<name>`: credits of conversions by model, channel and day."""

from typing import Any

import dagster as dg
import duckdb

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
from resources.tables import exists

CHECKS = {"credits_add_up": "The credits of every model add up to the conversions."}
COLUMNS = {
    "model": ("VARCHAR", "How conversions are shared among the channels of a journey."),
    "channel": ("VARCHAR", "Channel, in small letters; none for conversions without a touchpoint."),
    "day": ("DATE", "Day of the conversion."),
    "conversions": ("DOUBLE", "Conversions credited."),
    "value": ("DOUBLE", "Their value credited."),
}
MOST = 8
CLOSE = 1e-6


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
            drawn = credits_pictures(con, found.name)
        metadata = report_metadata(report) | schema_now(lake, credits_table(found.name), COLUMNS)
        return dg.MaterializeResult(metadata=metadata | {"credits": dg.MetadataValue.md(drawn)}, check_results=[result])

    return channel_credits


def _description(found: Declared[Attribution]) -> str:
    about = found.spec.description or f"Which channels `{found.spec.conversion}` is credited to."
    return f"{about}\n\n{pictures.markdown(pictures.pipeline('predictions'), 'stage predictions')}"


def credits_add_up(con: duckdb.DuckDBPyConnection, name: str) -> tuple[bool, dict[str, Any]]:
    """Whether every model credits as many conversions as the others."""
    if not exists(con, credits_table(name)):
        return True, {}
    sums = dict(con.execute(f"SELECT model, sum(conversions) FROM {credits_table(name)} GROUP BY 1").fetchall())
    near = [abs(total - round(total)) <= CLOSE * max(total, 1) for total in sums.values()]
    return all(near) and len({round(total) for total in sums.values()}) <= 1, {"conversions": sums}


def credits_pictures(con: duckdb.DuckDBPyConnection, name: str) -> str:
    """Bars of the channels of each model, the largest first."""
    if not exists(con, credits_table(name)):
        return "nothing yet"
    rows = con.execute(
        f"SELECT model, channel, sum(conversions) FROM {credits_table(name)} GROUP BY ALL ORDER BY 1, 3 DESC, 2"
    ).fetchall()
    models: dict[str, list[tuple[str, float]]] = {}
    for model, channel, conversions in rows:
        models.setdefault(model, []).append((pictures.shortened(channel, 22), round(conversions, 1)))
    drawn = [
        f"**{model}**\n\n{pictures.markdown(pictures.bars(found[:MOST]), f'conversions by channel, {model}')}"
        for model, found in models.items()
    ]
    return "\n\n".join(drawn)
