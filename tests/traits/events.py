"""A small in-memory lake with hand-made events, for testing the compiler on its own."""

from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from profiles_assets.project.entities import Entity
from profiles_assets.project.predictions import Prediction
from profiles_assets.project.project import Forecast, Project, Section
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait

COLUMNS = {
    "day": pa.date32(),
    "event_day": pa.date32(),
    "time": pa.timestamp("us"),
    "received": pa.timestamp("us"),
    "event": pa.string(),
    "event_id": pa.string(),
    "file": pa.string(),
    "position": pa.int64(),
    "duplicate": pa.bool_(),
    "payload": pa.string(),
    "tuple_user": pa.int64(),
    "p_amount": pa.float64(),
    "p_word": pa.string(),
    "p_flag": pa.bool_(),
    "p_tags": pa.string(),
}
NAMES = {"received": "time", "tuple_user": "person"}


def project_with(
    traits: dict[str, dict[str, Any]],
    more: dict[str, dict[str, Any]] | None = None,
    *,
    timezone: str = "UTC",
    columns: dict[str, Any] | None = None,
) -> Project:
    """A project with one source and these traits; `more` go to a second section."""
    layout = {"files": "landing/*.jsonl", "time": "t", "event": "event", "ids": {"user_id": "u"}}
    source = Source.model_validate({**layout, "columns": columns or {}})
    specs = {"facts": traits, **({"more": more} if more else {})}
    return Project(
        root=Path(),
        name="test",
        timezone=timezone,
        entities={"user": Entity.model_validate({"ids": {"user_id": {}}})},
        sources={"clicks": source},
        sections={
            name: Section(name, "user", {t: Trait.model_validate(s) for t, s in some.items()})
            for name, some in specs.items()
        },
        predictions={
            "risk": Forecast("risk", "user", Prediction.model_validate({"predict": "no buy", "over": "30 days"}))
        },
    )


def lake_with(events: list[dict[str, Any]], people: int) -> duckdb.DuckDBPyConnection:
    """Connection with the events in raw_events.clicks; person n has tuple key n and profile id pn."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    con.execute("CREATE SCHEMA raw_events")
    fill(con, events, people)
    return con


def fill(con: duckdb.DuckDBPyConnection, events: list[dict[str, Any]], people: int) -> None:
    """Put these events and people in the place of those that a connection has."""
    arrays = [pa.array([_value(e, name) for e in events], type_) for name, type_ in COLUMNS.items()]
    con.register("rows", pa.table(arrays, names=list(COLUMNS)))
    con.execute("CREATE OR REPLACE TABLE raw_events.clicks AS FROM rows")
    con.unregister("rows")
    con.execute(
        f"CREATE OR REPLACE TABLE people AS SELECT 'p' || i AS profile_id, i AS profile_key FROM range({people}) g(i)"
    )
    con.execute(
        "CREATE OR REPLACE TABLE attribution AS SELECT profile_key AS tuple_key, profile_id, profile_key FROM people"
    )


def _value(event: dict[str, Any], column: str) -> Any:
    return event.get(NAMES.get(column, column.removeprefix("p_")))
