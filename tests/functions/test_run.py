"""Functions over people: who is run, what becomes of results and errors, and what is kept in the store."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from profiles_assets.functions.evaluate import Evaluation
from profiles_assets.functions.frames import Job
from profiles_assets.functions.preview import example_chunk
from profiles_assets.project.functions import function_of_code
from tests.functions.world import COUNTS, World, event

MANY = '''
import asyncio

config = {"window": "30 days", "env": {"PLAN": "free", "KEY": "$WORLD_KEY"}, "table": "people_table",
          "destination": "crm"}

async def profile(events, user, context):
    """Does something else for each user."""
    who = user["user_id"]
    await asyncio.sleep(0)
    context.log.info("seen", who, len(events), user["traits"].get("mail"), context.env["KEY"])
    print("printed", context.env["KEY"])
    if who == "wrong":
        context.store.set("lost", 1)
        return {"traits": {"n": events[-1]["missing"]}}
    if who == "rowless":
        return None
    if who == "keyed":
        return {"traits": {"plan": context.env["PLAN"]}, "profileId": "own-key", "table": "others"}
    if who == "mutant":
        events[0].clear()
        user["traits"]["plan"] = "changed"
    seen = context.store.get("runs", 0) + 1
    context.store.set("runs", seen)
    return {"traits": {"runs": seen, "first": events[0].get("event"), "nan": float("nan")}, "destination": None}
'''


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Three days of six people, and two functions that were published and run."""
    world = World(tmp_path_factory.mktemp("world"))
    world.function("counts", COUNTS.replace("def profile", 'config = {"window": 7}\n\ndef profile'))
    world.function("many", MANY)
    for day in range(3):
        users = ["ann", "bob", "wrong", "rowless", "keyed", "mutant"]
        told = [event(day, n, user, profile_id="from-outside") for n, user in enumerate(users)]
        told.append(event(day, 50, None, anonymousId=f"a{day}"))
        told.append(event(day, 51, "ann", "identify", traits={"plan": "gold", "mail": "ann@example.org", "old": None}))
        world.land(day, *told)
    world.land_orders(1, ("o1", "2025-01-02T10:00:00Z", "bob", 12))
    world.stitch()
    yield world
    world.close()


@pytest.fixture(scope="module")
def ran(world: World) -> World:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORLD_KEY", "s3cret-value")
        for name in ("counts", "many"):
            world.publish(name)
        world.reports = {name: [world.run(name)] for name in ("counts", "many")}  # type: ignore[attr-defined]
    return world


def test_every_known_person_has_a_row_of_the_events_in_the_window(ran: World) -> None:
    rows = ran.rows("counts")
    assert rows["bob"] == {"viewed": 3, "order_completed": 1}
    assert rows["ann"] == {"viewed": 3, "identify": 3, "plan": "gold", "mail": "ann@example.org"}
    assert set(rows) == {"ann", "bob", "wrong", "rowless", "keyed", "mutant"}


def test_results_may_name_key_table_and_destination(ran: World) -> None:
    assert ran.query("SELECT profile_id, destination, version FROM functions.others") == [("own-key", "crm", 1)]
    rows = ran.rows("people_table")
    assert rows["ann"] == {"runs": 1, "first": "viewed", "nan": None, "plan": "gold", "mail": "ann@example.org"}
    assert set(rows) == {"ann", "bob", "mutant"}


def test_what_a_function_does_to_its_input_stays_with_the_person(ran: World) -> None:
    assert ran.rows("people_table")["mutant"] == {"runs": 1, "first": None, "nan": None}
    assert ran.rows("counts")["mutant"] == {"viewed": 3}


def test_a_failure_is_listed_with_the_last_lines_and_nothing_personal(ran: World) -> None:
    kind, text = ran.errors("many")["wrong"]
    assert kind == "exception"
    assert text.endswith("KeyError: 'missing'")
    assert 'functions/many.py:15 in profile: return {"traits": {"n": events[-1]["missing"]}}' in text


def test_logs_are_masked(ran: World) -> None:
    lines = ran.reports["many"][0].lines  # type: ignore[attr-defined]
    text = "\n".join(line for _, line in lines)
    assert ("info", "printed ***") in lines
    assert "seen *** 3 None ***" in text
    assert not any(word in text for word in ("s3cret-value", "ann", "bob", "example.org"))


def test_the_store_keeps_what_succeeded(ran: World) -> None:
    kept = ran.query("SELECT key, value, count(*) FROM ops.function_store GROUP BY ALL")
    assert kept == [("runs", "1", 3)]


def test_only_who_changed_or_failed_runs_again(ran: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_KEY", "s3cret-value")
    assert ran.run("counts").computed == 0
    assert ran.run("many").computed == 1  # the one that failed
    ran.land(3, event(3, 1, "bob"), event(3, 2, "new"))
    ran.stitch()
    report = ran.run("counts")
    assert (report.computed, report.rows, report.errors) == (2, 7, 0)
    assert ran.rows("counts")["bob"] == {"viewed": 4, "order_completed": 1}
    assert ran.run("many").computed == 3
    assert ran.rows("people_table")["bob"]["runs"] == 2
    ran.land(9, event(9, 1, "late"))  # the first three days leave the window of 7 days
    ran.stitch()
    report = ran.run("counts")
    assert set(ran.rows("counts")) == {"bob", "new", "late"}
    assert ran.rows("counts")["bob"] == {"viewed": 1}
    assert (report.computed, report.removed) == (2, 5)
    assert ran.run("counts").computed == 0


def test_incremental_equals_full(ran: World, tmp_path: Path) -> None:
    before = ran.rows("counts")
    with ran.lake.get_connection() as con:
        con.execute("DELETE FROM ops.function_results WHERE function = 'counts'")
        con.execute("DELETE FROM ops.progress WHERE step = 'function_runs/counts'")
    assert ran.run("counts").computed == len(before)
    assert ran.rows("counts") == before


@pytest.mark.parametrize(("seconds", "answered"), [(60.0, 3), (-1.0, 1)])
def test_a_chunk_that_takes_long_is_answered_in_parts(
    monkeypatch: pytest.MonkeyPatch, seconds: float, answered: int
) -> None:
    monkeypatch.setattr("profiles_assets.functions.evaluate.SECONDS_OF_CHUNK", seconds)
    one = example_chunk(function_of_code("functions/f.py", COUNTS, "user", {}), [{"event": "seen"}])
    evaluation = Evaluation(Job("f", 1, "functions/f.py", COUNTS, False, "2025-01-01"), lambda _: None)
    answers = evaluation.chunk(pa.concat_tables([one] * 3))
    evaluation.loop.close()
    assert [answer.traits for answer in answers] == ['{"seen":1}'] * answered


def test_what_is_done_is_committed_after_a_while(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiles_assets.functions.run.SECONDS_OF_COMMIT", -1.0)
    monkeypatch.setattr("profiles_assets.functions.feed.ROWS_OF_CHUNK", 10)
    world = World(tmp_path, open=False)
    world.function("f", COUNTS)
    world.land(0, *(event(0, n, f"u{n % 30}") for n in range(60)))
    world.stitch()
    world.publish("f")
    told: list[tuple[int, int]] = []
    world.run("f", on_progress=lambda _, done, total: told.append((done, total)))
    assert len(told) > 1
    assert told == sorted(told)
    assert told[-1] == (30, 30)
