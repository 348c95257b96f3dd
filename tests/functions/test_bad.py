"""Functions that misbehave: each costs its person only."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles_assets.functions.preview import PreviewError, events_in, preview_events
from tests.functions.world import World, event

BAD = """
config = {"seconds": 2, "memory_mb": 200, "max_events": 5, "env": {"KEY": "$WORLD_KEY"}}

def profile(events, user, context):
    who = user["user_id"]
    if who == "loops":
        while True:
            try:
                pass
            except Exception:
                pass
    if who == "stubborn":
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass
    if who == "eats":
        kept = []
        while True:
            kept.append(bytearray(10_000_000))
    if who == "dies":
        import os, signal
        os.kill(os.getpid(), signal.SIGKILL)
    if who == "sets":
        return {1, 2}
    if who == "lists":
        return {"traits": [1]}
    if who == "objects":
        return {"traits": {"x": object()}}
    if who == "typo":
        return {"trait": {}}
    if who == "tells":
        raise ValueError(f"{context.env['KEY']} of {user['user_id']} wrote {events[0]['text']}")
    if who == "fetches":
        context.fetch("https://example.org")
    if who == "stores":
        context.store.set("x", object())
    if who == "writes":
        context.warehouse.query("DELETE FROM ops.progress")
    if who == "deep":
        return {"traits": {"x": deep()}}
    if who == "reads":
        return {"traits": {"files": context.warehouse.query("SELECT count(*) AS n, $as_of AS day FROM ops.files")}}
    return {"traits": {"n": len(events) if who == "good" else str(len(events))}}

def deep():
    return deep()
"""
USERS = [
    "good", "loops", "stubborn", "eats", "dies", "sets", "lists", "objects", "typo", "tells", "fetches", "stores",
    "writes", "deep", "reads", "texts", "many",
]  # fmt: skip


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("bad"))
    world.function("bad", BAD)
    world.land(
        0, *(event(0, n, who, text="a private letter") for who in USERS for n in range(9 if who == "many" else 2))
    )
    world.stitch()
    world.publish("bad")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WORLD_KEY", "s3cret-value")
        world.run("bad", workers=2)
    yield world
    world.close()


def test_everybody_else_has_a_row(world: World) -> None:
    rows = world.rows("bad")
    assert rows == {
        "good": {"n": 2},
        "texts": {"n": "2"},
        "reads": {"files": [{"n": 1, "day": "2025-01-01"}]},
    }


@pytest.mark.parametrize(
    ("who", "kind", "words"),
    [
        ("loops", "time", "longer than 2 seconds"),
        ("stubborn", "killed", "longer than 2 seconds and had to be ended"),
        ("eats", "memory", "more than 200 MB"),
        ("dies", "killed", "the worker was ended"),
        ("sets", "result", "it returned a set; return a dict with traits, or None for no row"),
        ("lists", "result", "traits is a list; it should be a dict"),
        ("objects", "result", "traits cannot be written as JSON: Type is not JSON serializable: object"),
        ("typo", "result", "the result has an unknown key; it takes traits, profile_id, table, destination"),
        ("tells", "exception", "ValueError: *** of *** wrote ***"),
        ("fetches", "result", 'context.fetch is off; write "fetch": True in config to allow it'),
        ("stores", "result", "the value to store cannot be written as JSON"),
        ("writes", "exception", "ValueError: warehouse.query takes one SELECT"),
        ("deep", "exception", "RecursionError"),
        ("many", "events", "more than 5 events (max_events)"),
    ],
)
def test_each_failure_is_told(world: World, who: str, kind: str, words: str) -> None:
    found = world.errors("bad")[who]
    assert found[0] == kind
    assert words in found[1]
    assert not any(value in found[1] for value in ("s3cret", "private", "/tmp"))


def test_a_function_that_cannot_be_loaded_leaves_everything_as_it_was(world: World) -> None:
    """Published where the module was there, run where it is not."""
    world.function(
        "broken", "def profile(events, user, context):\n    return {'traits': {}}\n\nraise OSError('gone')\n"
    )
    world.publish("broken")
    report = world.run("broken")
    assert report.broken == "functions/broken.py:4 in <module>: raise OSError('gone')\nOSError: gone"
    assert (report.version, report.rows) == (None, 0)
    (world.root / "functions/broken.py").unlink()


def test_a_missing_secret_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_KEY", raising=False)
    world.land(1, event(1, 0, "fresh"))
    world.stitch()
    assert world.run("bad").broken == "the secret WORLD_KEY is not in the environment of the run"


def test_a_file_of_events_that_is_not_json_is_told_with_its_line(world: World, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text('{"event": "a"}\n{"event": \n')
    with pytest.raises(PreviewError, match=r"events\.jsonl:2: this is not JSON: Expecting value"):
        preview_events(world.lake, world.project, "bad", file)
    file.write_text("[1]")
    with pytest.raises(PreviewError, match="every event is an object"):
        events_in(file)
    with pytest.raises(PreviewError, match="cannot be read"):
        events_in(tmp_path / "missing")
