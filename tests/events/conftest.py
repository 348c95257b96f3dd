from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from resources.lake import Lake
from tests.events.shop import OpenLake, Shop

NOTES = ("files", "rejects", "columns", "uncast", "normalised", "progress")


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """One lake for all tests, since making one takes longer than most of them."""
    lake = OpenLake(root=str(tmp_path_factory.mktemp("events") / "lake"), threads=1)
    yield lake
    lake.close()


@pytest.fixture
def shop(tmp_path: Path, lake: Lake) -> Iterator[Shop]:
    yield Shop(tmp_path, lake)
    lake.write(empty)


def empty(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DROP TABLE IF EXISTS raw_events.tracks")
    made = {
        row[0] for row in con.execute("SELECT table_name FROM duckdb_tables() WHERE schema_name = 'ops'").fetchall()
    }
    for name in made.intersection(NOTES):
        con.execute(f"DELETE FROM ops.{name}")
