"""A small in-memory lake with hand-made events, for testing the compiler on its own."""

from pathlib import Path
from typing import Any

import duckdb

from profiles_assets.project.entities import Entity
from profiles_assets.project.predictions import Prediction
from profiles_assets.project.project import Forecast, Project, Section
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait

COLUMNS = """day DATE, event_day DATE, time TIMESTAMP, received TIMESTAMP, event VARCHAR, event_id VARCHAR,
    file VARCHAR, position BIGINT, duplicate BOOLEAN, tuple_user BIGINT,
    p_amount DOUBLE, p_word VARCHAR, p_flag BOOLEAN"""


def project_with(traits: dict[str, dict[str, Any]], more: dict[str, dict[str, Any]] | None = None) -> Project:
    """A project with one source and these traits; `more` go to a second section."""
    source = Source(files="landing/*.jsonl", time="t", event="event", ids={"user_id": "u"})
    specs = {"facts": traits, **({"more": more} if more else {})}
    return Project(
        root=Path(),
        name="test",
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
    con.execute(f"CREATE TABLE raw_events.clicks ({COLUMNS})")
    for e in events:
        row = [
            e["day"],
            e["event_day"],
            e["time"],
            e["time"],
            e["event"],
            e["event_id"],
            e["file"],
            e["position"],
        ]
        row += [e["duplicate"], e["person"], e["amount"], e["word"], e["flag"]]
        con.execute(f"INSERT INTO raw_events.clicks VALUES ({', '.join('?' * len(row))})", row)
    con.execute(f"CREATE TABLE people AS SELECT 'p' || i AS profile_id, i AS profile_key FROM range({people}) g(i)")
    con.execute("CREATE TABLE attribution AS SELECT profile_key AS tuple_key, profile_id, profile_key FROM people")
    return con
