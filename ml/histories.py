"""What people bought, as SQL over the raw events: histories up to a day, and outcomes in a window after it.

"Buying" stands for whatever event a prediction is about. All such events of a day are one purchase; its
amount is the sum of the predicted property, or the number of events where no property is predicted.
"""

from dataclasses import dataclass
from datetime import date

import duckdb

from ml.errors import PredictionError
from ml.targets import sources_of
from profiles_assets.project.project import Forecast, Project
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.compile import visible
from profiles_assets.traits.verbs import EXACT
from resources.tables import quote

Con = duckdb.DuckDBPyConnection

HISTORY = {
    "_frequency": "Days with a purchase after the first one",
    "_recency": "Days from the first purchase to the last one",
    "_age": "Days since the first purchase",
    "_monetary": "Mean amount of the purchases after the first one",
    "_recent": "Amount within the last horizon",
}
OUTCOMES = {
    "none": "(o.events IS NULL)::DOUBLE",
    "any": "(o.events IS NOT NULL)::DOUBLE",
    "count": "coalesce(o.events, 0)::DOUBLE",
    "sum": "coalesce(o.amount, 0)::DOUBLE",
    "becomes": "coalesce(o.met, 0)",
}


@dataclass(frozen=True)
class Seen:
    """Where tables hold the identities as of a day: who is who, and whose every event is."""

    day: date
    stitched: str = "identity.stitched_ids"
    attribution: str = "attribution"


def first_day(con: Con, project: Project, forecast: Forecast) -> date:
    """First load day of the sources of what is predicted. Raises PredictionError if none is loaded."""
    sources = sources_of(project, forecast, event_columns(con, project))
    found = [con.execute(f"SELECT min(day) FROM raw_events.{quote(name)}").fetchone() for name in sources]
    days = [row[0] for row in found if row and row[0] is not None]
    if not days:
        what = forecast.spec.predict.event or ", ".join(forecast.spec.predicted_traits)
        raise PredictionError(f"no events have been loaded from a source of {what}")
    return date.fromisoformat(str(min(days)))


def stage_history(con: Con, project: Project, forecast: Forecast, seen: Seen, table: str) -> None:
    """Temporary table of the purchase history up to a day of everybody who has bought by then."""
    recent = f"event_day > DATE '{seen.day}' - {forecast.spec.over}"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        WITH purchases AS (
            SELECT profile_key, event_day, sum(amount) AS amount
            FROM ({_events(con, project, forecast, seen, None)}) GROUP BY ALL)
        SELECT profile_key,
            (count(*) - 1)::DOUBLE AS _frequency,
            date_diff('day', min(event_day), max(event_day))::DOUBLE AS _recency,
            date_diff('day', min(event_day), DATE '{seen.day}')::DOUBLE AS _age,
            (sum(amount) - arg_min(amount, event_day))::DOUBLE / nullif(count(*) - 1, 0) AS _monetary,
            coalesce(sum(amount) FILTER (WHERE {recent}), 0)::DOUBLE AS _recent
        FROM purchases GROUP BY profile_key"""
    )


def outcomes_sql(con: Con, project: Project, forecast: Forecast, closes: Seen) -> str:
    """SELECT of (profile_key, events, amount) of everybody with such an event in the window that closes."""
    events = _events(con, project, forecast, closes, forecast.spec.over)
    return f"SELECT profile_key, count(*) AS events, sum(amount) AS amount FROM ({events}) GROUP BY profile_key"


def outcome_sql(forecast: Forecast) -> str:
    """Expression of the label over a row `o` of outcomes, which is missing where nothing happened."""
    return OUTCOMES[forecast.spec.predict.goal]


def _events(con: Con, project: Project, forecast: Forecast, seen: Seen, window: int | None) -> str:
    """SELECT of (profile_key, event_day, amount) of the predicted events visible on a day."""
    target, events = forecast.spec.predict, event_columns(con, project)
    join = f"{seen.attribution} a ON a.tuple_key = e.{quote(f'tuple_{forecast.entity}')}"
    where = visible(f"DATE '{seen.day}'", [window])
    paths = [target.property] if target.property else []
    scans = [events.scan(source, [target.event], paths, join, where) for source in events.sources(target.event)]
    value = events.value(target.event, target.property).sql if paths else "1"
    amount = f"coalesce({EXACT.format(value)}, 0) AS amount"
    return f"SELECT profile_key, event_day, {amount} FROM ({' UNION ALL BY NAME '.join(scans)})"
