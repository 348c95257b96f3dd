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
BOUGHT, VIEWED = "order_completed", "product_viewed"
TRAITS: dict[str, dict[str, Any]] = {
    **{f"orders_{days}d": {"count": BOUGHT, "within": f"{days} days"} for days in (7, 30, 90)},
    **{f"spend_{days}d": {"sum": f"{BOUGHT}.price", "within": f"{days} days"} for days in (7, 30, 90)},
    **{f"products_{days}d": {"unique_count": f"{VIEWED}.product", "within": f"{days} days"} for days in (7, 30)},
    **{f"active_{days}d": {"days_with": "page_viewed", "within": f"{days} days"} for days in (7, 30)},
    "orders": {"count": BOUGHT},
    "large_orders": {"count": BOUGHT, "where": {"price": ">= 150"}},
    "spend": {"sum": f"{BOUGHT}.price", "unless_none": 0},
    "order_value": {"average": f"{BOUGHT}.price"},
    "smallest_order": {"min": f"{BOUGHT}.price"},
    "largest_order": {"max": f"{BOUGHT}.price"},
    "days_since_order": {"days_since": BOUGHT},
    "has_added": {"exists": "product_added", "within": "30 days"},
    "first_category": {"first": f"{BOUGHT}.category"},
    "last_viewed": {"latest": f"{VIEWED}.product"},
    "favourite_category": {"most_frequent": f"{VIEWED}.category"},
    "categories": {"unique": f"{VIEWED}.category"},
    "weekend_share": {"sql": "avg((dayofweek(time) in (0, 6))::int)", "from": BOUGHT, "type": "float"},
    "bulk_spend": {"sql": "sum(price * quantity) filter (where quantity > 2)", "from": BOUGHT, "type": "float"},
}


def figures(quick: bool) -> list[Figure]:
    """One scan for all traits of a section, in CPU of one scan per trait; and what of it the bare scan takes."""
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
    con.execute(f"SELECT count(COLUMNS(* EXCLUDE (moment, payload, received))) FROM ({scanned})").fetchall()


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
    return f"""SELECT t::DATE AS day, t::DATE AS event_day, t AS time, t AS received,
        ['page_viewed', '{VIEWED}', '{VIEWED}', 'product_added', '{BOUGHT}'][(1 + hash(i) % 5)::BIGINT] AS event,
        md5(i::VARCHAR) AS event_id, 'landing/shop/' || t::DATE || '/events.jsonl.gz' AS file, i AS position,
        false AS duplicate, '{{"event": ' || i || '}}' AS payload, (hash(i, 1) % {of // 12})::BIGINT AS tuple_user,
        (hash(i, 2) % 20000) / 100 AS p_price, (1 + hash(i, 3) % 4)::DOUBLE AS p_quantity,
        'category ' || hash(i, 4) % 20 AS p_category, 'product-' || hash(i, 5) % 5000 AS p_product
        FROM (SELECT i, TIMESTAMP '2025-01-01' + to_seconds((i * {86_400 * DAYS} / {of})::BIGINT) AS t
              FROM range({count}) g(i))"""
