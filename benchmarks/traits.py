"""Area `traits`: all traits of a section in one statement, against one statement per trait."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import Figure, compare
from profiles_assets.project.entities import Entity
from profiles_assets.project.project import Project, Section
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.compile import compile_section, scans
from resources.lake import Con, Lake

AS_OF = "DATE '2025-03-31'"
DAYS = 90
SHARES = {
    "page_viewed": 45, "product_viewed": 30, "product_added": 8, "app_opened": 5, "newsletter_opened": 4,
    "order_completed": 4, "identify": 3, "cart_abandoned": 1,
}  # fmt: skip
ORDER, VIEW = "order_completed", "product_viewed"
TRAITS: dict[str, dict[str, Any]] = {
    "orders": {"count": ORDER},
    "orders_30d": {"count": ORDER, "within": "30 days"},
    "orders_60d": {"count": ORDER, "within": "60 days"},
    "spend_total": {"sum": f"{ORDER}.price", "unless_none": 0},
    "spend_30d": {"sum": f"{ORDER}.price", "within": "30 days", "unless_none": 0},
    "spend_60d": {"sum": f"{ORDER}.price", "within": "60 days", "unless_none": 0},
    "average_order": {"average": f"{ORDER}.price"},
    "smallest_order": {"min": f"{ORDER}.price"},
    "largest_order": {"max": f"{ORDER}.price"},
    "first_order_at": {"first": f"{ORDER}.time"},
    "days_since_order": {"days_since": ORDER},
    "large_orders": {"count": ORDER, "where": {"price": ">= 150"}},
    "weekend_share": {"sql": "avg((dayofweek(time) in (0, 6))::int)", "from": ORDER, "type": "float"},
    "bulk_spend": {"sql": "sum(price * quantity) filter (where quantity > 2)", "from": ORDER, "type": "float"},
    "favourite_category": {"most_frequent": f"{VIEW}.category", "at_least": 2, "within": "60 days"},
    "categories_viewed": {"unique": f"{VIEW}.category", "within": "60 days"},
    "products_viewed_30d": {"unique_count": f"{VIEW}.product", "within": "30 days"},
    "active_days_30d": {"days_with": "page_viewed", "within": "30 days"},
    "days_since_visit": {"days_since": "page_viewed"},
    "carts_abandoned_30d": {"count": "cart_abandoned", "within": "30 days"},
    "uses_app": {"exists": "app_opened", "within": "60 days"},
    "reads_newsletter": {"exists": "newsletter_opened", "within": "60 days"},
    "city": {"latest": "identify.category"},
    "plan": {"latest": "identify.product", "unless_none": "free"},
}


def figures(quick: bool) -> list[Figure]:
    """The traits of a shop in one scan, in CPU of one scan per trait; and what of it the bare scan takes."""
    events = 200_000 if quick else 2_000_000
    with filled(events) as con:
        found = [
            compare(
                f"{len(TRAITS)} traits over {events:,} events in one statement",
                lambda: run(con, section(TRAITS)),
                lambda: [run(con, section({name: spec})) for name, spec in TRAITS.items()],
                "one statement per trait",
                goal=0.4,
            ),
            compare(
                "bare scan of the events, of the time of all traits",
                lambda: scan(con, section(TRAITS)),
                lambda: run(con, section(TRAITS)),
                "all traits",
                goal=1.0,
            ),
        ]
    return [*found, *(import_module("benchmarks.funnels").figures(quick) if find_spec("benchmarks.funnels") else [])]


def section(traits: dict[str, dict[str, Any]]) -> Project:
    """A project with one source and one section of these traits."""
    specs = {name: Trait.model_validate(spec) for name, spec in traits.items()}
    source = Source(files="landing/*.jsonl", time="t", event="event", ids={"user_id": "u"})
    return Project(
        root=Path(),
        name="bench",
        entities={"user": Entity.model_validate({"ids": {"user_id": {}}})},
        sources={"shop": source},
        sections={"facts": Section("facts", "user", specs)},
    )


def run(con: Con, project: Project) -> None:
    """Compute the section into a temporary table."""
    sql = compile_section(project, "facts", event_columns(con, project), AS_OF)
    con.execute(f"CREATE OR REPLACE TEMP TABLE computed AS {sql}")


def scan(con: Con, project: Project) -> None:
    """Read, and attribute to people, all that the section reads."""
    scanned = scans(project.sections["facts"].traits, event_columns(con, project), AS_OF, "attribution", "user")
    con.execute(f"SELECT count(COLUMNS(* EXCLUDE (payload, received))) FROM ({scanned})").fetchall()


@contextmanager
def filled(events: int) -> Iterator[Con]:
    """A lake with events of 90 days, three events to a visitor id, three ids to a person."""
    with TemporaryDirectory() as folder, Lake(root=folder).get_connection() as con:
        con.execute(f"CREATE TABLE raw_events.shop AS {_events(0, events)}")
        con.execute("ALTER TABLE raw_events.shop SET PARTITIONED BY (day)")
        con.execute(f"INSERT INTO raw_events.shop {_events(events, events)}")
        con.execute(
            f"CREATE TEMP TABLE attribution AS SELECT i AS tuple_key, i // 3 AS profile_key "
            f"FROM range({events // 12}) g(i)"
        )
        con.execute(
            "CREATE TEMP TABLE people AS SELECT DISTINCT 'p' || profile_key AS profile_id, profile_key FROM attribution"
        )
        yield con


def _events(count: int, of: int) -> str:
    names = [name for name, share in SHARES.items() for _ in range(share)]
    return f"""SELECT t::DATE AS day, t::DATE AS event_day, t AS time, t AS received,
        {names}[(1 + hash(i) % 100)::BIGINT] AS event,
        md5(i::VARCHAR) AS event_id, 'landing/shop/' || t::DATE || '/events.jsonl.gz' AS file, i AS position,
        false AS duplicate, '{{"event": ' || i || '}}' AS payload, (hash(i, 1) % {of // 12})::BIGINT AS tuple_user,
        (hash(i, 2) % 20000) / 100 AS p_price, (1 + hash(i, 3) % 4)::DOUBLE AS p_quantity,
        'category ' || hash(i, 4) % 20 AS p_category, 'product-' || hash(i, 5) % 5000 AS p_product
        FROM (SELECT i, TIMESTAMP '2025-01-01' + to_seconds((i * {86_400 * DAYS} / {of})::BIGINT) AS t
              FROM range({count}) g(i))"""
