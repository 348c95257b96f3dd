"""The daily series of a metric: the organisation's number per event day, over everybody's events and nobody's."""

from datetime import date

import duckdb

from profiles_assets.project.metrics import Metric
from profiles_assets.project.project import Declared, Project
from profiles_assets.traits.columns import PAYLOAD, EventColumns, event_columns
from profiles_assets.traits.compile import aggregations, in_order, trait_paths, visible
from profiles_assets.traits.verbs import finished, rows_sql
from resources.tables import exists, literal, quote

Con = duckdb.DuckDBPyConnection

WHOLE = ("count", "days_with", "unique_count")
FIRST_DAY = "DATE '1970-01-01'"


def series_table(name: str) -> str:
    """Table with the daily series of a metric."""
    return f"metrics.{quote(name)}"


def stage_series(con: Con, project: Project, name: str, as_of: date, table: str, *, whose: str = "true") -> None:
    """Temporary table (day, value, events, people) of the days with counting events, from a table `attribution`.

    Events that are nobody's count for value and events; `whose` may pick by `person`, the profile key.
    """
    sql = series_sql(project.metrics[name], event_columns(con, project), f"DATE '{as_of}'", whose)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {sql}")


def series_sql(metric: Declared[Metric], events: EventColumns, as_of: str, whose: str = "true") -> str:
    """SELECT of the daily series: the verb over all events of a day, as if the day were a person."""
    trait, type_ = metric.spec.model_copy(update={"within": None}), value_type(metric.spec)
    scanned = _scans(metric.entity, trait, events, as_of)
    if not scanned:
        return f"SELECT NULL::DATE AS day, NULL::{type_} AS value, 0::BIGINT AS events, 0::BIGINT AS people WHERE false"
    scanned = in_order(scanned, {"of_day": trait}, events, as_of)
    read = f"COLUMNS(lambda c: c NOT IN ('profile_key', {literal(PAYLOAD)}))"
    of_day = f"{read}, profile_key AS person, date_diff('day', {FIRST_DAY}, event_day) AS profile_key"
    aggregation = aggregations({"of_day": trait}, events, as_of)[0]
    return f"""WITH events AS MATERIALIZED (FROM (SELECT {of_day} FROM ({scanned})) WHERE {whose}),
        {aggregation},
        counted AS (
            SELECT profile_key, event_day AS day, count(*) AS events, count(DISTINCT person) AS people
            FROM events WHERE {rows_sql(trait, events, as_of)} GROUP BY ALL)
        SELECT day, try_cast({finished(trait, "of_day")} AS {type_}) AS value, events, people
        FROM counted LEFT JOIN {aggregation.split(" AS ", 1)[0]} USING (profile_key)"""


def series_of(con: Con, name: str) -> list[tuple[date, float]]:
    """The days of a metric with their values, in order; days without a value are left out."""
    if not exists(con, series_table(name)):
        return []
    return con.execute(
        f"SELECT day, value::DOUBLE FROM {series_table(name)} WHERE value IS NOT NULL ORDER BY day"
    ).fetchall()


def value_type(metric: Metric) -> str:
    """Type of the values of a series: whole numbers for counts, else DOUBLE."""
    whole = metric.verb in WHOLE if metric.type is None else metric.type == "integer"
    return "BIGINT" if whole else "DOUBLE"


def _scans(entity: str, trait: Metric, events: EventColumns, as_of: str) -> str:
    # text after JOIN: the row in front keeps the events that are nobody's
    join = f"(SELECT true) AS always ON true LEFT JOIN attribution a ON a.tuple_key = e.{quote(f'tuple_{entity}')}"
    selects = [
        events.scan(source, [trait.event], trait_paths(trait), join, visible(as_of, [None]))
        for source in sorted(events.sources(trait.event))
    ]
    return "\nUNION ALL BY NAME\n".join(selects)
