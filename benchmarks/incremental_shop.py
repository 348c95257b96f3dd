"""Raw events of a growing shop, day after day, and a project over them: everything is a hash of the event's number."""

from datetime import date, timedelta
from pathlib import Path

from benchmarks.traits import TRAITS
from profiles_assets.events.ids import tuple_key_sql
from profiles_assets.identity.keys import node_key
from profiles_assets.project.entities import Entity
from profiles_assets.project.project import Project, Section
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait
from resources import progress
from resources.lake import Con

TYPES = ("user_id", "email", "anonymous_id")
START = date(2024, 1, 1)
TABLE = "raw_events.web"
VISIT = 6  # events of a person in a row
EVENTS = (
    "page_viewed", "page_viewed", "page_viewed", "page_viewed", "product_viewed", "product_viewed", "product_viewed",
    "product_added", "app_opened", "newsletter_opened", "order_completed", "identify",
)  # fmt: skip


def make_project() -> Project:
    """Project with one source and the traits of the traits benchmark in two sections."""
    entity = Entity.model_validate({"ids": {name: {} for name in TYPES}})
    ids = {name: name for name in TYPES}
    files = "landing/{day}/*.jsonl"
    source = Source(files=files, time="t", event="e", event_id="i", ids=ids, identify_traits="traits")
    sections = {"commerce": {}, "engagement": {}}
    for name, spec in TRAITS.items():
        trait = Trait.model_validate(spec)
        sections["commerce" if trait.event == "order_completed" else "engagement"][name] = trait
    made = {name: Section(name, "user", traits) for name, traits in sections.items()}
    return Project(Path(), "bench", {"user": entity}, {"web": source}, made)


def generate(con: Con, days: int, per_day: int, people: int) -> None:
    """Fill the raw events of so many load days."""
    con.execute(f"CREATE TABLE {TABLE} AS {_events(0, 1, per_day, people)} LIMIT 0")
    con.execute(f"ALTER TABLE {TABLE} SET PARTITIONED BY (day)")
    con.execute(f"INSERT INTO {TABLE} {_events(0, days, per_day, people)}")
    note(con, range(days))


def add_events(con: Con, day: int, count: int, people: int, version: str = "1") -> None:
    """Some more events, numbered after all that are there, in a load day."""
    con.execute(f"INSERT INTO {TABLE} {_events(day, 1, count, people, 'more' + version)}")
    note(con, [day], version)


def note(con: Con, days: "range | list[int]", version: str = "1") -> None:
    """Note load days as loaded."""
    progress.record(con, "raw_events/web", {str(START + timedelta(days=day)): version for day in days})


def _events(first: int, days: int, per_day: int, people: int, salt: str = "") -> str:
    """Visits of six events; some people come every week, most rarely; half of what known ones do is done logged in."""
    keys = [node_key(name, f"id_{name}") for name in TYPES]
    ids = {
        "user_id": f"CASE WHEN p % 10 < 7 AND {_chance('i', 1)} < 0.5 THEN 'usr_' || left(md5('u' || p), 16) END",
        "email": f"CASE WHEN p % 10 < 7 AND {_chance('i', 2)} < 0.05 THEN 'customer.' || p || '@example.org' END",
        "anonymous_id": "md5('a' || p || '-' || hash(visit, 3) % 3)::UUID::VARCHAR",
    }
    named = ", ".join(f"{sql} AS id_{name}" for name, sql in ids.items())
    late = f"CASE WHEN {_chance('i', 4)} < 0.02 THEN (hash(i, 5) % 3)::INT ELSE 0 END"
    names = ", ".join(f"'{name}'" for name in EVENTS)
    return f"""SELECT *, {tuple_key_sql(keys)} AS tuple_user FROM (
        SELECT day, day - late AS event_day,
            (day - late) + to_seconds((hash(visit, 6) % 86000 + row % {VISIT} * 60)::BIGINT) AS time,
            day + to_seconds(86399) AS received, event, md5(i::VARCHAR) AS event_id, day::VARCHAR || '/a.jsonl' AS file,
            row AS position, NULL::VARCHAR AS payload, false AS duplicate, {named},
            CASE WHEN event = 'order_completed' THEN (hash(i, 7) % 20000) / 100 END AS p_price,
            (hash(i, 8) % 5)::DOUBLE AS p_quantity, 'c' || hash(i, 9) % 12 AS p_category,
            'p' || hash(i, 10) % 2000 AS p_product,
            CASE WHEN event = 'identify' THEN '{{"plan": "' || hash(i, 11) % 3 || '"}}' END AS identify_traits
        FROM (SELECT *, [{names}][1 + (hash(i, 12) % {len(EVENTS)})::INT] AS event, {late} AS late,
                floor({people} * pow({_chance("visit", 13)}, 1.5))::BIGINT AS p
            FROM (SELECT DATE '{START}' + d::INT AS day, row, concat_ws('/', d, row, '{salt}') AS i,
                    concat_ws('/', d, row // {VISIT}, '{salt}') AS visit
                FROM range({first}, {first + days}) days(d), range({per_day}) rows(row))))"""


def _chance(number: str, salt: int) -> str:
    return f"((hash({number}, {salt}) % 1000000) / 1e6)"
