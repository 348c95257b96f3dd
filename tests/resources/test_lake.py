import multiprocessing as mp
import os
import re
import signal
import time
from pathlib import Path

import duckdb
import pytest

from resources import progress
from resources.extensions import wheel_file
from resources.lake import Con, Lake, snapshot_number


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(root=str(tmp_path / "lake"), threads=1)


def bump(lake: Lake, name: str = "a", pause: float = 0.0) -> None:
    """A step that reads its last number and writes the next one: two at once must not write the same."""

    def compute(con: Con) -> int:
        time.sleep(pause)
        return int(progress.applied(con, "count").get(name, "0")) + 1

    def write(con: Con, value: int) -> None:
        con.execute("CREATE TABLE IF NOT EXISTS ops.numbers (name VARCHAR, value BIGINT)")
        con.execute("INSERT INTO ops.numbers VALUES (?, ?)", [name, value])
        progress.record(con, "count", {name: str(value)})

    lake.step(compute, write, ["count"])


def test_notes_read_once_are_those_that_are_read_each_time(lake: Lake) -> None:
    lake.write(lambda con: progress.record(con, "b", {"2": "y", "1|x": "é"}))
    lake.write(lambda con: progress.record(con, "a", {"3": "z"}))

    def read(con: Con) -> list[object]:
        return [(progress.applied(con, s), progress.fingerprint(con, [s, "a"])) for s in ("a", "b", "none")]

    with lake.get_connection() as con:
        plain = read(con)
        with progress.read_once(con):
            assert read(con) == plain
            con.execute("DELETE FROM ops.progress")
            assert read(con) == plain
        assert read(con) != plain


def bump_often(root: str, times: int) -> None:
    for _ in range(times):
        bump(Lake(root=root, threads=1), pause=0.01)


def numbers(lake: Lake) -> list[int]:
    with lake.get_connection() as con:
        return [row[0] for row in con.execute("SELECT value FROM ops.numbers ORDER BY value").fetchall()]


def test_rows_and_progress_commit_together(lake: Lake) -> None:
    def write(con: Con, _: None) -> None:
        con.execute("CREATE TABLE ops.half AS SELECT 1 AS a")
        progress.record(con, "half", {"x": "1"})
        raise RuntimeError("stop here")

    with pytest.raises(RuntimeError):
        lake.step(lambda _: None, write, [])
    with lake.get_connection() as con:
        assert progress.applied(con, "half") == {}
        with pytest.raises(duckdb.CatalogException):
            con.execute("FROM ops.half")


def test_compute_runs_again_when_what_it_read_has_moved(lake: Lake) -> None:
    bump(lake)
    seen: list[int] = []

    def compute(con: Con) -> int:
        value = int(progress.applied(con, "count")["a"])
        seen.append(value)
        if len(seen) == 1:
            bump(lake)
        return value

    assert lake.step(compute, lambda con, value: None, ["count"]) == 2
    assert seen == [1, 2]


def test_writers_in_several_processes_lose_nothing(lake: Lake) -> None:
    bump(lake)
    context = mp.get_context("spawn")
    writers = [context.Process(target=bump_often, args=(lake.root, 4)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(120)
        assert writer.exitcode == 0
    assert numbers(lake) == list(range(1, 14))


def test_a_killed_writer_leaves_a_whole_lake_and_no_lock(lake: Lake) -> None:
    bump(lake)
    context = mp.get_context("spawn")
    writer = context.Process(target=bump_often, args=(lake.root, 1_000))
    writer.start()
    while len(numbers(lake)) < 3:
        time.sleep(0.05)
    assert writer.pid
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    bump(lake)
    found = numbers(lake)
    assert found == list(range(1, len(found) + 1))


def test_a_reader_stays_on_the_published_snapshot(lake: Lake) -> None:
    with pytest.raises(LookupError, match="published"):
        lake.published()
    lake.write(lambda con: con.execute("INSERT INTO ops.as_of VALUES ('user', DATE '2025-01-01')") and None)
    bump(lake)
    snapshot = lake.publish("user", "v1")
    bump(lake)
    with lake.read() as con:
        assert con.execute("SELECT count(*) FROM ops.numbers").fetchone() == (1,)
        with pytest.raises(duckdb.Error):
            con.execute("DELETE FROM ops.numbers")
    assert lake.published() == snapshot
    with lake.get_connection() as con:
        assert snapshot_number(con) > snapshot


def test_a_moved_lake_still_opens(lake: Lake, tmp_path: Path) -> None:
    lake.write(lambda con: con.execute("CREATE TABLE ops.numbers AS SELECT i AS value FROM range(5000) g(i)") and None)
    Path(lake.root).rename(tmp_path / "moved")
    assert len(numbers(Lake(root=str(tmp_path / "moved")))) == 5000


def test_extensions_come_from_their_wheels() -> None:
    assert wheel_file("ducklake")
    assert wheel_file("sqlite_scanner")
    assert wheel_file("no_such_extension") is None


def test_pending_partitions_are_the_new_the_changed_and_the_gone() -> None:
    upstream = {"a": "1", "b": "2", "c": "3"}
    assert progress.pending(upstream, {"a": "1", "b": "0", "z": "9"}) == ({"b": "2", "c": "3"}, ["z"])


@pytest.mark.parametrize(
    ("expression", "error"),
    [
        ("cast('ann@shop.example' AS INTEGER)", "Could not convert string *** to INT32"),
        ("strptime('ann o''hara', '%Y')", "Could not parse string *** according to format specifier ***"),
        ("cast(4711000000 AS INTEGER)", "Type INT64 with value *** can't be cast"),
    ],
)
def test_errors_of_a_step_tell_no_values(lake: Lake, expression: str, error: str) -> None:
    with pytest.raises(duckdb.Error) as raised:
        lake.step(lambda con: con.execute(f"SELECT {expression}").fetchall(), lambda _, __: None, [])
    assert error in str(raised.value)
    assert not re.search("ann|4711", str(raised.value))
