"""Profile functions: count events by type, row and batch API, against a loop over the same dicts; who runs again."""

import resource
import shutil
import tempfile
from pathlib import Path

import duckdb
import orjson

from benchmarks.measure import Figure, timed
from profiles_assets.events.load import newest_day
from profiles_assets.functions.evaluate import Evaluation
from profiles_assets.functions.evaluate_batch import BatchEvaluation
from profiles_assets.functions.feed import People, chunks
from profiles_assets.functions.inputs import update_inputs
from profiles_assets.functions.jobs import job_of
from profiles_assets.functions.people import stage_people
from profiles_assets.functions.people_rows import as_message, from_message
from profiles_assets.functions.run import update_function
from profiles_assets.functions.versions import publish
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from resources import progress
from resources.lake import Lake

PEOPLE, PER_PERSON, DAYS = 20_000, 50, 100
ROW = """
def profile(events, user, context):
    counts = {}
    for event in events:
        counts[event["event"]] = counts.get(event["event"], 0) + 1
    return {"traits": counts}
"""
BATCH = """
import pyarrow.compute as pc

def profile_batch(table, context):
    counts = table.group_by(["profile_id", "event"]).aggregate([([], "count_all")])
    return counts.group_by("profile_id").aggregate([("event", "list"), ("count_all", "list")])
"""
PROJECT = "name: bench\nentities: {user: {ids: {user_id: {}}}}\n"
SOURCES = (
    "sources: {web: {files: 'landing/{day}/*.jsonl', time: timestamp, event: event, event_id: id, "
    "ids: {user_id: userId}}}\n"
)


def figures(quick: bool) -> list[Figure]:
    """CPU per event of both APIs over the floor and over their goals, memory, and people of a small change."""
    sizes = [100_000] if quick else [1_000_000, 5_000_000]
    found = []
    for size in sizes:
        root = Path(tempfile.mkdtemp(prefix="bench-functions-"))
        try:
            found += measured(root, size)
        finally:
            shutil.rmtree(root)
    return found


def measured(root: Path, events: int) -> list[Figure]:
    """Figures of one size; the goal of a rate is the CPU seconds that it allows."""
    project, lake = world(root, events)
    floor = timed(lambda: loop(lake))
    found, named = [], f"{events:,} events"
    for name, rate in (("row", 150_000), ("batch", 2_000_000)):
        publish(lake, project, f"{name}_counts")
        ours = busy(lake, project, f"{name}_counts")
        allowed = events / rate
        what = f"{allowed:.3g} CPU s ({rate:,} events/s)"
        found.append(Figure(f"{name} API, {named}", ours[0], allowed, what, 1, ours[1], allowed))
        found.append(Figure(f"{name} API, {named}", ours[0], floor[0], "loop over the dicts", None, ours[1], floor[1]))
        alone = inside(lake, project, f"{name}_counts")
        allowed, what = alone[2] / rate, f"{alone[2] / rate:.3g} CPU s ({rate:,} events/s)"
        found.append(Figure(f"{name} API in a worker, {named}", alone[0], allowed, what, 1, alone[1], allowed))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    found.append(Figure(f"memory, {named}", peak, 1024, "1,024 MB", None, peak, 1024))
    again = changed_people(lake, project)
    found.append(Figure(f"people run for 1,000 new events, {named}", again, 1000, "1,000 people", 1, again, 1000))
    return found


def busy(lake: Lake, project: Project, name: str) -> tuple[float, float]:
    """CPU and wall seconds of a run, workers included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu, wall = timed(lambda: update_function(lake, project, name, workers=1))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return cpu + after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def inside(lake: Lake, project: Project, name: str) -> tuple[float, float, int]:
    """CPU and wall seconds of what a worker does with some people, without the reading of events, and these events."""
    function, spent = project.functions[name], [0.0, 0.0]
    with lake.get_connection() as con:
        as_of = newest_day(con, project)
        assert as_of is not None
        stage_people(con, project, function, as_of)
        some = f"FROM function_people ORDER BY person_key LIMIT {PEOPLE // 2}"
        con.execute(f"CREATE OR REPLACE TEMP TABLE function_slice AS {some}")
        events = con.execute("SELECT sum(events)::BIGINT FROM function_slice").fetchall()[0][0]
        job = job_of(function, 1, as_of, lake, con)
        evaluation = (BatchEvaluation if function.batch else Evaluation)(job, lambda _: None)
        for table in chunks(con, project, function, as_of, People("function_slice", 0)):
            message = bytes(as_message(table))
            cpu, wall = timed(lambda: evaluation.chunk(from_message(message)))  # noqa: B023 - called at once
            spent = [spent[0] + cpu, spent[1] + wall]
    return spent[0], spent[1], events


def loop(lake: Lake) -> None:
    """The floor: one loop in one process over the events as dicts, person by person, already read."""
    with lake.get_connection() as con:
        reader = con.execute("SELECT payload FROM raw_events.web").to_arrow_reader(100_000)
        counts: dict[str, dict[str, int]] = {}
        for batch in reader:
            for text in batch["payload"].to_pylist():
                event = orjson.loads(text)
                mine = counts.setdefault(event["userId"], {})
                mine[event["event"]] = mine.get(event["event"], 0) + 1


def changed_people(lake: Lake, project: Project) -> int:
    """How many people run after 1,000 events of a new day, one person each."""
    insert(lake, 1_000, DAYS)
    return update_function(lake, project, "row_counts", workers=1).computed


def world(root: Path, events: int) -> tuple[Project, Lake]:
    """A lake with events of about 400 bytes, written as a load and a stitch would."""
    for name, text in {"project.yml": PROJECT, "sources.yml": SOURCES}.items():
        (root / name).write_text(text)
    (root / "functions").mkdir()
    for name, text in {"row": ROW, "batch": BATCH}.items():
        (root / "functions" / f"{name}_counts.py").write_text(text)
    project, lake = load_project(root), Lake(root=str(root / ".lake"), threads=1, memory_limit="1GB")
    insert(lake, events, 0)
    update_inputs(lake, project)
    return project, lake


def insert(lake: Lake, events: int, day: int) -> None:
    """Events of people in turn, from a day on, with the evidence and the people in them."""
    people = max(PEOPLE, events // PER_PERSON)
    rows = f"""SELECT (DATE '2025-01-01' + {day} + ((i // {people}) % {DAYS})::INT)::DATE AS day, day AS event_day,
        day::TIMESTAMP + to_seconds(i % 86400) AS time, 'name' || (i * 7 % 12) AS event, 'e' || {day} || '-' || i AS id,
        i % {people} AS person FROM range({events}) t(i)"""
    told = """to_json({'id': id, 'timestamp': strftime(time, '%Y-%m-%dT%H:%M:%S.%gZ'), 'event': event,
        'userId': 'u' || person, 'context': {'page': {'url': 'https://shop.example/p/' || person, 'title': 'A page'},
        'agent': repeat('x', 120)}, 'properties': {'price': person / 7, 'name': 'a product', 'n': person}})::VARCHAR"""

    def write(con: duckdb.DuckDBPyConnection) -> None:
        con.execute(
            f"""CREATE TABLE IF NOT EXISTS raw_events.web AS SELECT day, event_day, time, event, id AS event_id,
            'f' || day AS file, 1::BIGINT AS position, false AS duplicate, {told} AS payload,
            NULL::VARCHAR AS identify_traits, (person + 1)::BIGINT AS tuple_user FROM ({rows}) LIMIT 0"""
        )
        con.execute(
            f"""INSERT INTO raw_events.web SELECT day, event_day, time, event, id, 'f' || day,
            row_number() OVER (), false, {told}, NULL, person + 1 FROM ({rows})"""
        )
        if not day:
            _write_people(con, people)
        days = con.execute("SELECT DISTINCT day::VARCHAR FROM raw_events.web").fetchall()
        progress.record(con, "raw_events/web", {one: f"v{events}" for (one,) in days if day == 0 or one >= _iso(day)})

    lake.write(write)


def _write_people(con: duckdb.DuckDBPyConnection, people: int) -> None:
    from profiles_assets.identity.schema import create_tables

    create_tables(con)
    con.execute(
        f"""INSERT INTO identity.id_edges BY NAME SELECT 'user' AS entity, 'web' AS source, DATE '2025-01-01' AS day,
        DATE '2025-01-01' AS visible, i + 1 AS tuple_key, [i + 1] AS nodes, 1 AS count,
        TIMESTAMP '2025-01-01' AS first_seen, TIMESTAMP '2025-01-01' AS last_seen FROM range({people}) t(i)"""
    )
    con.execute(
        f"""INSERT INTO identity.stitched_ids BY NAME SELECT 'user' AS entity, i + 1 AS key, 'user_id' AS id_type,
        'u' || i AS value, md5(i::VARCHAR)[:15] AS profile_id, i + 1 AS profile_key, 'ok' AS status,
        TIMESTAMP '2025-01-01' AS last_seen FROM range({people}) t(i)"""
    )


def _iso(day: int) -> str:
    from datetime import date, timedelta

    return (date(2025, 1, 1) + timedelta(days=day)).isoformat()
