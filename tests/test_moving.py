"""What changes is all that is computed, and afterwards everything is as if it had been made at once."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
