"""Checks on metrics: the organisation's number is that of its people."""

from datetime import timedelta
from typing import Any

import duckdb

from profiles_assets.events.load import newest_day
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.metrics import Metric
from profiles_assets.project.project import Project
from profiles_assets.traits.evaluate import section_version
from profiles_assets.traits.evaluate_metrics import metric_version
from profiles_assets.traits.metrics import section_of, values_table
from profiles_assets.traits.series import series_table, stage_series
from resources import progress
from resources.tables import quote

Con = duckdb.DuckDBPyConnection
RELATIVE, ABSOLUTE = 1e-9, 1e-6


def adds_up(metric: Metric) -> bool:
    """True for metrics whose values of people and days add up to the same number."""
    return metric.verb in ("count", "sum") and not metric.unless_none and metric.type in (None, "number", "float")


def series_adds_up(con: Con, project: Project, name: str) -> tuple[bool, dict[str, Any]]:
    """Whether the days of the window are the people's values plus events that are nobody's.

    Passes without looking while something upstream is newer than the metric.
    """
    as_of, metric = newest_day(con, project), project.metrics[name]
    if as_of is None or not _up_to_date(con, project, name):
        return True, {}
    create_attribution(con, project, metric.entity)
    stage_series(con, project, name, as_of, "nobodys_series", whose="person IS NULL")
    since = as_of - timedelta(days=metric.spec.within) if metric.spec.within else None
    window = f"WHERE day > DATE '{since}'" if since else ""
    row = con.execute(
        f"""SELECT (SELECT coalesce(sum(value), 0)::DOUBLE FROM {series_table(name)} {window}),
            (SELECT coalesce(sum({quote(name)}), 0)::DOUBLE FROM {values_table(project, name)}),
            (SELECT coalesce(sum(value), 0)::DOUBLE FROM nobodys_series {window}),
            (SELECT coalesce(sum(abs(value)), 0)::DOUBLE FROM {series_table(name)} {window})"""
    ).fetchone()
    assert row is not None
    days, people, nobodys, size = row
    close = abs(days - people - nobodys) <= ABSOLUTE + RELATIVE * size
    return close, {"days": days, "people": people, "unattributed": nobodys}


def _up_to_date(con: Con, project: Project, name: str) -> bool:
    as_of, section = newest_day(con, project), section_of(project, name)
    wanted = {
        f"metrics/{name}": metric_version(con, project, name, as_of),
        f"entity_vars/{section}": section_version(con, project, section, as_of),
    }
    return all(progress.applied(con, step).get("all") == version for step, version in wanted.items())
