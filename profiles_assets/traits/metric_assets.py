"""Assets `metrics/<name>`: the daily series of a number of the organisation, and its distribution over people."""

from typing import Any

import dagster as dg

from profiles_assets import pictures
from profiles_assets.project.metrics import Metric
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
from profiles_assets.traits.assets import section_key, sentence
from profiles_assets.traits.checks import one_row_per_value
from profiles_assets.traits.evaluate_metrics import update_metric
from profiles_assets.traits.metric_checks import adds_up, series_adds_up
from profiles_assets.traits.metrics import histogram, percentiles, section_of, values_table
from profiles_assets.traits.series import series_of, series_table, value_type
from resources.lake import Lake

PER_DAY = {"one_row_per_day": "Every day with events has exactly one row."}
ADDS_UP = {"series_adds_up": "The days add up to the values of people and what is nobody's."}
SHOWN_PERCENTILES = (0, 1, 5, 10, 25, 50, 75, 90, 95, 99, 100)


def metric_key(name: str) -> dg.AssetKey:
    """Key of the asset of a metric."""
    return dg.AssetKey(["metrics", name])


def build_metric_assets(project: Project) -> list[dg.AssetsDefinition]:
    """One asset per metric."""
    return [_metric_asset(project, metric) for metric in project.metrics.values()]


def _metric_asset(project: Project, metric: Declared[Metric]) -> dg.AssetsDefinition:
    name, key = metric.name, metric_key(metric.name)
    checked = adds_up(metric.spec)

    @dg.asset(
        key=key,
        deps=[section_key(section_of(project, name))],
        group_name="metrics",
        kinds={"duckdb", "yaml"},
        owners=owners(metric.owner, project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        check_specs=checks(key, PER_DAY | (ADDS_UP if checked else {})),
        metadata=schema(_columns(metric)),
        description=_description(project, metric),
    )
    def series(lake: Lake) -> dg.MaterializeResult:  # type: ignore[type-arg]
        report = update_metric(lake, project, name)
        with lake.get_connection() as con:
            results = [outcome("one_row_per_day", one_row_per_value(con, series_table(name), "day"))]
            results += [outcome("series_adds_up", series_adds_up(con, project, name))] if checked else []
            metadata = report_metadata(report) | _pictures(con, project, metric)
        return dg.MaterializeResult(metadata=metadata | {ROW_COUNT: report.days}, check_results=results)

    return series


def _columns(metric: Declared[Metric]) -> dict[str, tuple[str, str]]:
    return {
        "day": ("DATE", "Day on which the events happened."),
        "value": (value_type(metric.spec), f"{sentence(metric.name, metric.spec)}: all of the day's events together."),
        "events": ("BIGINT", "Events that count."),
        "people": ("BIGINT", "Different people they belong to."),
    }


def _pictures(con: Any, project: Project, metric: Declared[Metric]) -> dict[str, Any]:
    unit = f" {metric.spec.unit}" if metric.spec.unit else ""
    bins = histogram(con, metric.name, values_table(project, metric.name))
    places = percentiles(con, metric.name)
    drawn = {
        "series": pictures.series(series_of(con, metric.name), unit),
        "histogram": pictures.histogram(bins, unit),
    }
    shown = {name: dg.MetadataValue.md(pictures.markdown(picture, name)) for name, picture in drawn.items()}
    return shown | ({"percentiles": dg.MetadataValue.table(_table(places))} if places else {})


def _table(places: list[float]) -> list[dg.TableRecord]:
    return [dg.TableRecord({"percentile": place, "value": places[place]}) for place in SHOWN_PERCENTILES]


def _description(project: Project, metric: Declared[Metric]) -> str:
    spec, entity = metric.spec, metric.entity
    made = f"{spec.verb} `{spec.reference}`" + (f", last {spec.within} days per {entity}" if spec.within else "")
    section = section_of(project, metric.name)
    drawn = pictures.made_from([spec.reference, f"entity_vars/{section}"], f"metrics/{metric.name}")
    picture = pictures.markdown(drawn, "what the metric is made from")
    return (
        f"{sentence(metric.name, spec)}\n\n{picture}\n\n"
        f"Made from {made}. One row per day with events; the distribution over "
        f"every {entity} is in `metrics.distributions`, the value of each in `entity_vars.{section}`."
    )
