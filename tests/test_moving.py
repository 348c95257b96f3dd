"""What changes is all that is computed, and afterwards everything is as if it had been made at once."""

from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles_assets.traits import advance, evaluate
from profiles_assets.traits.running import Read
from resources.lake import Con
from resources.upkeep import cleanup
from tests.moving import Moving, event

usual = settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(usual, max_examples=300)
File = tuple[int, str, list[dict[str, Any]] | None]
IDS = {"user": ["u1", "u2", "u3", None], "mail": ["a@x.org", "b@x.org", None, None], "device": ["d1", "d2", "d3", None]}


@st.composite
def files(draw: st.DrawFn) -> File:
    """A landing file with a few events, or one that is taken away."""
    day, name = draw(st.integers(0, 6)), draw(st.sampled_from("ab"))
    if draw(st.integers(0, 5)) == 0:
        return day, name, None
    return day, name, draw(st.lists(events(day), max_size=5))


@st.composite
def events(draw: st.DrawFn, day: int) -> dict[str, Any]:
    ids = {name: draw(st.sampled_from(values)) for name, values in IDS.items()}
    more = {
        "total": draw(st.sampled_from([1.5, 5, 10, 10, None])),
        "city": draw(st.sampled_from(["Ulm", "Bonn", None])),
    }
    traits = {"traits": {"plan": draw(st.sampled_from(["free", "paid"]))}} if draw(st.booleans()) else {}
    kind, late = draw(st.sampled_from(["bought", "bought", "viewed"])), draw(st.sampled_from([0, 0, 0, 1, 3]))
    return event(draw(st.integers(0, 99)), day, kind, late, **ids, **more, **traits)


histories = st.lists(st.lists(files(), min_size=1, max_size=3), min_size=2, max_size=5)


def follow(history: list[list[File]]) -> None:
    with TemporaryDirectory() as folder:
        moving = Moving(Path(folder))
        for batch in history:
            for file in batch:
                moving.put(*file)
            if not any((Path(folder) / "landing").rglob("*.jsonl")):
                continue
            moving.refresh()
        if (Path(folder) / ".lake" / "founded").exists():
            check(moving)
        moving.lake.close()


def check(moving: Moving) -> None:
    before = moving.tables()
    changes = moving.rebuild()
    assert not any(change.total for change in changes.values()), changes
    assert moving.tables() == before


@usual
@given(histories)
def test_incremental_is_full(history: list[list[File]]) -> None:
    follow(history)


@pytest.mark.long
@many
@given(histories)
def test_incremental_is_full_long(history: list[list[File]]) -> None:
    follow(history)


EDITED = """\
traits:
  orders: {count: bought}
  orders_2d: {count: bought, within: 3 days}
  spend: {sum: bought.total, unless_none: 0}
  city: {latest: bought.city}
  cities: {unique: bought.city}
  weekend: {sql: "count(*) filter (where total > 5)", from: bought, type: integer}
  per_order: {ratio: [orders, spend]}
"""


def test_an_edited_trait_is_made_anew_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moving = Moving(tmp_path)
    for day in range(4):
        moving.put(day, "a", [event(10 * day + i, day, "bought", user=f"u{i}", total=i, city="Ulm") for i in range(4)])
    moving.refresh()
    read: list[set[str]] = []
    whole = advance.stage_whole

    def spied(con: Con, what: Read, *more: str) -> None:
        read.append(set(what.traits))
        whole(con, what, *more)

    monkeypatch.setattr(advance, "stage_whole", spied)
    moving.write(EDITED)
    moving.put(4, "a", [event(50, 4, "bought", user="u1", total=7, city="Bonn")])
    moving.refresh()
    assert read == [{"orders_2d", "spend", "cities"}]
    check(moving)


def test_a_clean_up_leaves_what_traits_move_on_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moving = Moving(tmp_path)
    for day in range(4):
        moving.put(day, "a", [event(10 * day + i, day, "bought", user=f"u{i}", total=i, city="Ulm") for i in range(4)])
        moving.refresh()
        cleanup(moving.lake, retain=1, grace=timedelta(0))
    monkeypatch.setattr(evaluate, "stage_all", lambda *_: pytest.fail("all was made anew"))
    moving.put(4, "a", [event(50, 4, "bought", user="u1", total=7, city="Bonn")])
    changes = moving.refresh()
    assert (changes["traits"].total, changes["profiles"].total) == (4, 4)
    monkeypatch.undo()
    check(moving)
