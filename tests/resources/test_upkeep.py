"""Clean-up: what is published stays readable as it was, what nobody can read goes, and a lake in use stays small."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from resources.kept import KeptLake
from resources.lake import Lake
from resources.purge import data_bytes
from resources.upkeep import cleanup

Con = duckdb.DuckDBPyConnection
NOW = timedelta(0)
FIRST = date(2025, 1, 1)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[KeptLake]:
    with KeptLake(root=str(tmp_path / "lake"), threads=1) as lake:
        lake.write(
            lambda con: con.execute("CREATE TABLE profiles.user_rows (person BIGINT, n DOUBLE, words VARCHAR[])")
        )
        yield lake


def publish(lake: Lake, day: date, people: int = 100) -> int:
    """Replace some rows and publish them as of a day; returns the snapshot."""

    def change(con: Con) -> None:
        con.execute("DELETE FROM profiles.user_rows WHERE person % 3 = ?", [day.day % 3])
        con.execute(
            "INSERT INTO profiles.user_rows SELECT i, i + ?, ['w' || i] FROM range(?) r(i) WHERE i % 3 = ?",
            [day.day, people, day.day % 3],
        )
        con.execute("DELETE FROM ops.as_of")
        con.execute("INSERT INTO ops.as_of VALUES ('user', ?)", [day])

    lake.write(change)
    return lake.publish("user", str(day))


def rows(lake: Lake, snapshot: int | None = None) -> list[tuple[Any, ...]]:
    with lake.read(snapshot) as con:
        return con.execute("FROM profiles.user_rows ORDER BY ALL").fetchall()


def snapshots(lake: Lake) -> list[int]:
    with lake.get_connection() as con:
        return [row[0] for row in con.execute("SELECT snapshot FROM ops.publications ORDER BY ALL").fetchall()]


def test_what_is_retained_reads_as_before_and_the_rest_is_gone(lake: KeptLake) -> None:
    made = [publish(lake, FIRST + timedelta(days=n)) for n in (0, 1, 1, 2, 5, 6)]
    before = {snapshot: rows(lake, snapshot) for snapshot in made}
    size = data_bytes(lake)
    report = cleanup(lake, retain=6, grace=NOW)
    kept = [made[2], made[3], made[4], made[5]]  # one of each day
    assert snapshots(lake) == kept
    assert {snapshot: rows(lake, snapshot) for snapshot in kept} == {snapshot: before[snapshot] for snapshot in kept}
    assert rows(lake) == before[made[-1]]
    for snapshot in made[:2]:
        with pytest.raises(duckdb.Error, match="snapshot"):
            rows(lake, snapshot)
    assert report.snapshots_expired > 2
    assert report.files_merged > 0
    assert report.bytes_after < size


def test_nothing_that_was_in_use_lately_goes(lake: KeptLake) -> None:
    made = [publish(lake, FIRST + timedelta(days=n)) for n in range(4)]
    files = sorted(Path(lake.root).glob("data/**/*.parquet"))
    cleanup(lake, retain=1)
    assert snapshots(lake) == made
    assert {*files} <= {*Path(lake.root).glob("data/**/*.parquet")}
    cleanup(lake, retain=1, grace=NOW)
    assert snapshots(lake) == made[-1:]


def test_a_reader_in_the_middle_goes_on(lake: KeptLake) -> None:
    publish(lake, FIRST)
    publish(lake, FIRST + timedelta(days=1))
    with lake.read() as con:
        before = con.execute("FROM profiles.user_rows ORDER BY ALL").fetchall()
        cleanup(lake, retain=1, grace=NOW)
        assert con.execute("FROM profiles.user_rows ORDER BY ALL").fetchall() == before


def test_a_step_that_computes_meanwhile_sees_what_it_saw(lake: KeptLake) -> None:
    lake.write(lambda con: con.execute("CREATE TABLE models.m AS SELECT range AS n FROM range(50)"))
    seen = []

    def compute(con: Con) -> None:
        con.execute("FROM models.m").fetchall()
        lake.write(lambda other: other.execute("DELETE FROM profiles.user_rows"))
        cleanup(lake, retain=1)
        seen.append(con.execute("SELECT count(*) FROM profiles.user_rows").fetchone())

    publish(lake, FIRST, people=99)
    lake.step(compute, lambda con, _: None, [])
    assert seen == [(33,)]


def test_orphans_and_spilled_data_are_removed(lake: KeptLake) -> None:
    publish(lake, FIRST)
    root = Path(lake.root)
    lost = [root / "data" / "profiles" / "user_rows" / "lost.parquet", root / "spill" / "replay-x" / "rows.csv"]
    for path in lost:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    cleanup(lake)
    assert all(path.exists() for path in lost)
    assert cleanup(lake, grace=NOW).files_removed >= 2
    assert not any(path.exists() for path in lost)
    assert len(rows(lake)) == 33
