"""Drafts, versions and rebuilds: what people see while a version is built, goes wrong, is cut short or taken back."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles_assets.functions.preview import preview_people
from profiles_assets.functions.versions import PublishError, state_of, versions
from tests.functions.world import COUNTS, World, event

SECOND = """
def profile(events, user, context):
    context.store.set("made_by", context.function["version"])
    if user["user_id"] == "u1":
        raise ValueError("no")
    if user["user_id"] == "u2":
        return None
    return {"traits": {"n": len(events), "version": context.function["version"]}}
"""
SLOW = """
import time

def profile(events, user, context):
    time.sleep(0.02)
    context.store.set("n", context.store.get("n", 0) + len(events))
    return {"traits": {"n": len(events), "kept": context.store.get("n")}}
"""
RUN = """
import sys
from pathlib import Path
from tests.functions.world import World
World.write = lambda *_: None
World(Path(sys.argv[1]), open=False).run("slow", commit_every=5)
"""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path)
    world.function("f", COUNTS)
    world.land(0, *(event(0, n, f"u{n % 5}") for n in range(15)))
    world.stitch()
    yield world
    world.close()


def test_a_version_is_seen_when_it_is_complete_and_can_be_taken_back(world: World) -> None:
    assert world.run("f").version is None
    assert world.publish("f") == 1
    assert world.run("f").rows == 5
    first = world.rows("f")
    with pytest.raises(PublishError, match="version 1 of f is published already"):
        world.publish("f")
    world.function("f", SECOND)
    assert world.run("f").computed == 0, "runs use published code only"
    assert world.publish("f") == 2
    report = world.run("f", budget=-1.0)
    assert (report.version, report.building, report.rebuilt) == (2, None, 5), "a slice is always done"
    rows = world.rows("f")
    assert rows == {n: {"n": 3, "version": 2} for n in ("u0", "u3", "u4")} | {"u1": {"viewed": 3}}
    made_by = dict(world.query("SELECT _person, version FROM functions.f"))
    assert sorted(made_by.values()) == [1, 2, 2, 2], "who fails keeps the last good row, with the version that made it"
    assert world.run("f").computed == 1, "an error is tried again"
    assert world.publish("f", 1) == 1
    report = world.run("f")
    assert (report.version, report.rebuilt) == (1, 0), "its rows were kept and are still right"
    assert world.rows("f") == first
    with world.lake.get_connection() as con:
        assert [(v.version, v.state) for v in versions(con, "f")] == [(1, "visible"), (2, "")]
        assert len({v.hash for v in versions(con, "f")}) == 2
    with pytest.raises(PublishError, match="f has no version 7; it has 1 to 2"):
        world.publish("f", 7)


def test_new_events_go_first_and_the_old_version_is_seen_meanwhile(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("profiles_assets.functions.run.EVENTS_OF_SLICE", 4)
    world.publish("f")
    world.run("f")
    world.function("f", SECOND)
    world.publish("f")
    world.land(1, event(1, 0, "u0"))
    world.stitch()
    report = world.run("f", budget=-1.0)
    assert (report.version, report.building, report.computed, report.rebuilt) == (1, 2, 1, 2)
    assert world.rows("f")["u0"] == {"viewed": 4}
    with world.lake.get_connection() as con:
        state = state_of(con, "f")
    assert state is not None
    assert (state.done, state.total, report.waiting) == (2, 5, 3)
    assert state.seconds > 0
    stored = "SELECT count(*) FROM ops.function_store WHERE version = 0"
    assert world.query(stored) == [(0,)], "what a version keeps while it is built is its own"
    report = world.run("f")
    assert (report.version, report.building, report.rebuilt) == (2, None, 3)
    assert world.rows("f")["u0"] == {"n": 4, "version": 2}
    assert world.query(stored) == [(4,)], "nothing of who failed"


def test_who_gives_no_row_any_more_loses_it(world: World) -> None:
    world.function("f", "def profile(events, user, context):\n    return {} if len(list(events)) < 4 else None\n")
    world.publish("f")
    world.run("f")
    world.land(1, event(1, 0, "u0"))
    world.stitch()
    assert world.run("f").computed == 1
    assert set(world.rows("f")) == {"u1", "u2", "u3", "u4"}


def test_a_rebuild_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    """The store shows it: who was done is not done again."""
    worlds = [World(tmp_path / name, open=False) for name in ("killed", "undisturbed")]
    for world in worlds:
        world.function("slow", SLOW)
        world.land(0, *(event(0, n, f"u{n}") for n in range(60)))
        world.stitch()
        world.publish("slow")
    killed, undisturbed = worlds
    undisturbed.run("slow")
    process = subprocess.Popen([sys.executable, "-c", RUN, str(killed.root)], env=os.environ, start_new_session=True)
    deadline = time.monotonic() + 60
    done = 0
    while not done and time.monotonic() < deadline and process.poll() is None:
        done = killed.query("SELECT count(*) FROM ops.function_results")[0][0]
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    before = killed.query("SELECT count(*) FROM ops.function_results")[0][0]
    assert before
    report = killed.run("slow")
    assert report.rebuilt == 60 - before
    assert killed.rows("slow") == undisturbed.rows("slow") == {f"u{n}": {"n": 1, "kept": 1} for n in range(60)}


def test_preview_gives_what_production_gives(tmp_path: Path) -> None:
    """On 200 people; the draft is previewed first, then published and run."""
    world = World(tmp_path)
    world.function("f", COUNTS.replace('{"traits": counts}', '{"traits": counts | {"first": events[0]["id"]}}'))
    world.land(0, *(event(0, n % 90, f"p{n * n % 211}", f"e{n % 3}", traits={"n": n}) for n in range(1500)))
    world.stitch()
    previewed = preview_people(world.lake, world.project, "f", sample=200)
    world.publish("f")
    world.run("f")
    rows = dict(world.query("SELECT _person, traits FROM functions.f"))
    assert len(previewed) == min(200, len(rows))
    assert {one.person: one.row and one.row["traits"] for one in previewed} == {
        person: json.loads(rows[person]) for person in (one.person for one in previewed)
    }
    again = preview_people(world.lake, world.project, "f", [previewed[0].person])
    assert (again[0].row, again[0].difference) == (again[0].published, {})
    world.close()
