"""Area `funnels`: a funnel over events, against a sort of the same rows."""

from functools import partial
from pathlib import Path

import duckdb

from benchmarks.measure import Figure, compare
from profiles_assets.project.entities import Entity
from profiles_assets.project.funnels import Funnel
from profiles_assets.project.project import Declared, Project
from profiles_assets.project.sources import Source
from profiles_assets.traits.funnels import stage_funnel

Con = duckdb.DuckDBPyConnection

STEPS = ["product_viewed", "product_added", "order_completed"]
FUNNELS = {
    "loose order within 7 days": {"within": "7 days"},
    "strict order, one product, exclusion": {"order": "strict", "same": "product_id", "unless": "cart_abandoned"},
    "any order within 7 days": {"order": "any", "within": "7 days"},
}
AS_OF = "DATE '2025-12-31'"
SORT = """CREATE OR REPLACE TEMP TABLE sorted AS
    SELECT a.profile_key, e.* EXCLUDE (tuple_user, day, duplicate)
    FROM raw_events.tracks e JOIN attribution a ON a.tuple_key = e.tuple_user ORDER BY profile_key, time"""


def figures(quick: bool) -> list[Figure]:
    """Funnels of three steps over 3 million events, in CPU of sorting these events by person and time."""
    rows = 300_000 if quick else 3_000_000
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        make_events(con, rows)
        return [
            compare(
                f"three steps over {rows:,} events: {name}",
                partial(run, con, keys),
                partial(con.execute, SORT),
                "ORDER BY person, time",
                goal=4.0,
            )
            for name, keys in FUNNELS.items()
        ]


def run(con: Con, keys: dict[str, str]) -> None:
    """Compute a funnel into a temporary table."""
    funnel = Declared("way", "user", Funnel.model_validate({"steps": STEPS, **keys}))
    stage_funnel(con, project(), funnel, AS_OF, "staged")


def project() -> Project:
    """A project with one source."""
    told = {"files": "tracks/*.jsonl", "time": "timestamp", "event": "event", "ids": {"user_id": "userId"}}
    user = Entity.model_validate({"ids": {"user_id": {}}})
    return Project(Path(), "bench", {"user": user}, {"tracks": Source.model_validate(told)})


def make_events(con: Con, rows: int) -> None:
    """Raw events of people with 20 each, spread over a year; four kinds, the later in the funnel the rarer."""
    con.execute("CREATE SCHEMA raw_events")
    con.execute(
        f"""CREATE TABLE raw_events.tracks AS
        SELECT day AS day, day AS event_day, time, time AS received, event_id, file, position, false AS duplicate,
            CASE WHEN dice < 60 THEN 'product_viewed' WHEN dice < 80 THEN 'product_added'
                WHEN dice < 90 THEN 'cart_abandoned' ELSE 'order_completed' END AS event,
            (hash(position) % {rows // 20})::BIGINT AS tuple_user, 'sku-' || hash(position, 3) % 5 AS p_product_id
        FROM (SELECT time::DATE AS day, *, 'landing/tracks/' || time::DATE || '/part-0.jsonl.gz' AS file FROM (
            SELECT i AS position, md5(i::VARCHAR) AS event_id, hash(i, 1) % 100 AS dice,
                TIMESTAMP '2025-01-01' + to_seconds((hash(i, 2) % (364 * 86400))::BIGINT) AS time
            FROM range({rows}) g(i)))"""
    )
    con.execute(f"CREATE TABLE people AS SELECT 'p' || i AS profile_id, i AS profile_key FROM range({rows // 20}) g(i)")
    con.execute("CREATE TABLE attribution AS SELECT profile_key AS tuple_key, profile_id, profile_key FROM people")
