"""A generated identity graph as raw events: people, their visits and devices, households, kiosks; string ids.

Everything about a person comes from hashes of the person's number, so a graph of more edges contains every
smaller one, and one more day fits graphs of all sizes.
"""

from datetime import date, timedelta
from pathlib import Path

from profiles_assets.events.ids import tuple_key_sql
from profiles_assets.identity.keys import node_key
from profiles_assets.project.entities import Entity
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from resources import progress
from resources.lake import Con

TYPES = ("user_id", "email", "device_id", "anonymous_id")
START, DAYS = date(2025, 1, 1), 100
ONE_MORE = START + timedelta(days=DAYS)
EDGES_PER_PERSON, EDGES_PER_VISIT = 8.7, 1.85
PEOPLE_PER_KIOSK = 20_000
NEWCOMERS = 1_000_000_000
VISITS_PER_PERSON = 64
TABLE = "raw_events.web"


def make_project(guards: str) -> Project:
    """Project with one source of these ids, and the guards `default` or `none`."""
    entity = Entity.model_validate({"ids": {name: {} for name in TYPES}, "guards": guards})
    source = Source(files="landing/{day}/*.jsonl", time="t", event="e", ids={name: name for name in TYPES})
    return Project(root=Path(), name="bench", entities={"user": entity}, sources={"web": source})


def generate(con: Con, edges: int) -> None:
    """Fill the raw events with a graph of about this many edges over 100 load days."""
    con.execute(f"CREATE OR REPLACE TEMP VIEW people AS SELECT range AS p FROM range({people(edges)})")
    con.execute(f"CREATE OR REPLACE TEMP VIEW visits AS {_visits()}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE linked AS {_of_visits('visits')} UNION ALL {_of_people()}")
    con.execute(f"CREATE TABLE {TABLE} AS {_events('linked', 'day')} LIMIT 0")
    con.execute(f"ALTER TABLE {TABLE} SET PARTITIONED BY (day)")
    con.execute(f"INSERT INTO {TABLE} {_events('linked', 'day')} ORDER BY day")
    con.execute("DROP TABLE linked")
    progress.record(con, "raw_events/web", {str(START + timedelta(days=i)): "1" for i in range(DAYS)})


def add_day(con: Con, edges: int, known_edges: int) -> None:
    """One more load day of about this many edges; half concern people of the graph of `known_edges`."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE linked AS {
            _of_visits(f'''(SELECT {DAYS} AS day,
        CASE WHEN hash(i, 20) % 2 = 0 THEN hash(i, 21) % {people(known_edges)} ELSE {NEWCOMERS} + i // 2 END AS p,
        {NEWCOMERS * VISITS_PER_PERSON} + i AS w, i AS v FROM range({int(edges / EDGES_PER_VISIT)}) g(i))''')
        }"""
    )
    con.execute(f"INSERT INTO {TABLE} {_events('linked', 'day')}")
    progress.record(con, "raw_events/web", {str(ONE_MORE): "1"})


def remove_day(con: Con) -> None:
    """Take the added load day away."""
    con.execute(f"DELETE FROM {TABLE} WHERE day = DATE '{ONE_MORE}'")
    progress.record(con, "raw_events/web", {}, [str(ONE_MORE)])


def people(edges: int) -> int:
    """Number of people in a graph of about this many edges."""
    return int(edges / EDGES_PER_PERSON)


def _visits() -> str:
    """Four visits a person on average, most have one or two, some have sixty."""
    count = f"least({VISITS_PER_PERSON - 4}, floor(2.1 / sqrt({_chance('p', 1)} + 0.0001)))::BIGINT"
    return f"""SELECT (hash(p, v, 2) % {DAYS})::BIGINT AS day, p, p * {VISITS_PER_PERSON} + v AS w, v
        FROM (SELECT p, unnest(range({count})) AS v FROM people)"""


def _of_visits(visits: str) -> str:
    """An anonymous id on a device of one's own, of the household or a kiosk; most log in, some give an email."""
    return f"""SELECT day, w AS number, unnest([
            {_pair(device_id="device", anonymous_id="anonymous")},
            {_pair(user_id=_user("p"), anonymous_id="anonymous", when=f"{_chance('w', 3)} < 0.6")},
            {_pair(email=_email("p"), anonymous_id="anonymous", when=f"{_chance('w', 4)} < 0.25")}], recursive := true)
        FROM (SELECT *, {_uuid("'a' || w")} AS anonymous, CASE
            WHEN {_chance("w", 5)} < 0.05 * pow({_chance(f"(p // {PEOPLE_PER_KIOSK})", 6)}, 3) THEN
                {_uuid(f"'k' || p // {PEOPLE_PER_KIOSK}")}
            WHEN {_chance("w", 7)} < 0.02 THEN {_device("p + 1", "0")} ELSE {_device("p", "(v % 4 = 3)::INT")}
            END AS device FROM {visits})"""


def _of_people() -> str:
    """Most people give an email, a few a second one, and log in on their first device."""
    day = f"(hash(p, 8) % {DAYS})::BIGINT"
    return f"""SELECT {day} AS day, p AS number, unnest([
            {_pair(user_id=_user("p"), email=_email("p"), when=f"{_chance('p', 9)} < 0.8")},
            {_pair(user_id=_user("p"), email=_email("p + 500000000"), when=f"{_chance('p', 10)} < 0.1")},
            {_pair(user_id=_user("p"), device_id=_device("p", "0"))}], recursive := true) FROM people"""


def _pair(when: str = "true", **ids: str) -> str:
    columns = ", ".join(f"{name}: {ids.get(name, 'NULL::VARCHAR')}" for name in TYPES)
    return f"{{{columns}, found: {when}}}"


def _events(linked: str, day: str) -> str:
    keys = [node_key(name, name) for name in TYPES]
    ids = ", ".join(f"{name} AS id_{name}" for name in TYPES)
    return f"""SELECT DATE '{START}' + {day}::INT AS day, DATE '{START}' + {day}::INT AS event_day,
        time, time AS received, 'page_viewed' AS event, false AS duplicate, {tuple_key_sql(keys)} AS tuple_user, {ids}
        FROM (SELECT *, DATE '{START}' + {day}::INT + to_seconds((hash(number, 11) % 86400)::BIGINT) AS time
            FROM {linked} WHERE found)"""


def _user(p: str) -> str:
    return f"'usr_' || left(md5('u' || {p}), 16)"


def _email(p: str) -> str:
    return f"'customer.' || {p} || '@' || ['gmail.com', 'outlook.com', 'example.org'][(1 + hash({p}, 12) % 3)::INT]"


def _device(p: str, number: str) -> str:
    return _uuid(f"'d' || ({p}) * 2 + {number}")


def _uuid(text: str) -> str:
    return f"md5({text})::UUID::VARCHAR"


def _chance(number: str, salt: int) -> str:
    return f"((hash({number}, {salt}) % 1000000) / 1e6)"
