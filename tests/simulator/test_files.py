"""The files are the same every time, and the truth counts every line of them."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

import pytest

from profiles_assets.simulator import Settings, simulate, simulate_day
from tests.simulator.conftest import SMALL
from tests.simulator.reading import duplicates, moment, read_landing


def contents(out: Path) -> dict[str, bytes]:
    return {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}


def stamps(folder: Path) -> dict[Path, tuple[int, bytes]]:
    return {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in folder.rglob("*") if p.is_file()}


def test_the_same_seed_writes_the_same_bytes(small: Path, tmp_path: Path) -> None:
    simulate(SMALL, tmp_path)
    assert contents(tmp_path) == contents(small)


def test_another_seed_writes_other_lines(small: Path, tmp_path: Path) -> None:
    simulate(SMALL.model_copy(update={"seed": 8}), tmp_path)
    before, after = contents(small), contents(tmp_path)
    both = [name for name in before.keys() & after.keys() if name.endswith(".jsonl.gz")]
    assert len(both) > 40
    assert all(before[name] != after[name] for name in both)


def test_counts_agree_with_a_plain_reading(year: Path) -> None:
    truth = json.loads((year / "truth" / "counts.json").read_text())["sources"]
    for source, group in groupby(read_landing(year), key=lambda day: day.source):
        days = list(group)
        repeated = duplicates(days)
        for day in days:
            said = truth[source][day.day.isoformat()]
            assert said["lines"] == day.lines
            assert said["malformed"] == dict(day.malformed)
            assert said["well_formed"] == len(day.events)
            assert said["duplicates"] == repeated[day.day]
            assert said["dated_2090"] == sum(e["time"].year == 2090 for e in day.events)
            assert said["dated_1970"] == sum(e["time"].year == 1970 for e in day.events)
            texts = ("null", "undefined") if source == "orders" else ("null", "undefined", "")
            assert said["blocked_user_id"] == sum(e["user_id"] in texts for e in day.events)
        written = {day.day.isoformat() for day in days}
        assert all(not said["lines"] for day, said in truth[source].items() if day not in written)


def test_lines_lie_in_the_day_of_their_arrival(year: Path) -> None:
    for day in read_landing(year):
        keys = set()
        for event in day.events:
            arrived = moment(event["received_at"]).date()
            assert 0 <= (day.day - arrived).days <= 5
            if event["time"].year == 2025:
                assert 0 <= (arrived - event["time"].date()).days <= 5
            keys.add(event["key"])
        assert len(keys) > 0 or day.lines == day.malformed.total()


def test_a_resent_line_is_the_line_again(year: Path) -> None:
    first: dict[str, dict[str, object]] = {}
    again = 0
    for day in read_landing(year):
        for event in day.events:
            again += event["key"] in first
            assert first.setdefault(event["key"], event) == event
    assert again > 300


def test_one_more_day_leaves_older_files_alone(tmp_path: Path) -> None:
    settings = Settings(people=400, days=40)
    simulate(settings, tmp_path)
    before = stamps(tmp_path / "landing")
    summary = simulate_day(settings, tmp_path, 40)
    after = stamps(tmp_path / "landing")
    assert before.items() <= after.items()
    assert {path.parent.name for path in after.keys() - before.keys()} == {"2025-02-10"}
    assert summary.first_day == summary.last_day
    assert summary.last_day.isoformat() == "2025-02-10"


def test_one_more_day_brings_late_events_and_new_people(tmp_path: Path) -> None:
    settings = Settings(people=2_000, days=40)
    simulate(settings, tmp_path)
    people = len((tmp_path / "truth" / "people.csv").read_text().splitlines())
    simulate_day(settings, tmp_path, 40)
    days = [day for day in read_landing(tmp_path) if day.day.isoformat() == "2025-02-10"]
    added = [event for day in days for event in day.events]
    assert min(event["time"] for event in added).date().isoformat() < "2025-02-09"
    assert len((tmp_path / "truth" / "people.csv").read_text().splitlines()) > people
    counts = json.loads((tmp_path / "truth" / "counts.json").read_text())
    assert counts["last_day"] == "2025-02-10"
    well_formed = sum(counts["sources"][source]["2025-02-10"]["well_formed"] for source in counts["sources"])
    assert well_formed == len(added)


def test_days_are_added_in_turn_and_only_while_there_are_any(tmp_path: Path) -> None:
    settings = Settings(people=50, days=3, spare_days=1)
    simulate(settings, tmp_path)
    with pytest.raises(ValueError, match="the last day written is 2025-01-03"):
        simulate_day(settings, tmp_path, 5)
    simulate_day(settings, tmp_path, 3)
    once = contents(tmp_path)
    simulate_day(settings, tmp_path, 3)
    assert contents(tmp_path) == once
    with pytest.raises(ValueError, match="2025-01-04 is the last there is"):
        simulate_day(settings, tmp_path, 4)


def test_simulating_again_replaces_what_was_there(small: Path, tmp_path: Path) -> None:
    simulate(Settings(people=100, days=40, seed=3), tmp_path)
    simulate(SMALL, tmp_path)
    assert contents(tmp_path) == contents(small)


def test_progress_reaches_the_end_of_every_source(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    simulate(Settings(people=20, days=35), tmp_path, lambda *step: seen.append(step))
    assert seen == [(source, done, 35) for source in ("tracks", "identifies", "orders") for done in (30, 35)]
