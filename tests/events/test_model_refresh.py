"""Files of sources made from models: bit by bit, at once and by hand they are the same, and older days stay."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles_assets.events.model_source import refresh_model_source
from resources import progress
from tests.events.model_world import FIRST, JOINED, LINES, UNION, World

SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))
ANY_SQL = st.sampled_from([LINES, JOINED, UNION])


@dataclass
class Plain:
    """Sources that are plain tables, so that many histories of refreshing are quick."""

    con: duckdb.DuckDBPyConnection
    root: str

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:
        yield self.con


def plain(root: Path, sql: str) -> World:
    con = duckdb.connect(config={"threads": 1})
    con.execute("CREATE SCHEMA ops; CREATE SCHEMA raw_events")
    progress.create(con)
    for name in ("orders_p", "people_p"):
        con.execute(
            f"""CREATE TABLE raw_events.{name} (day DATE, event_day DATE, time TIMESTAMP, duplicate BOOLEAN,
            id_user_id VARCHAR, id_email VARCHAR, p_total DOUBLE, p_items VARCHAR, "p_cart.id" VARCHAR,
            p_name VARCHAR)"""
        )
    return World(root, Plain(con, str(root)), sql, "p")  # type: ignore[arg-type]


Row = tuple[Any, ...]
ROWS = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from(["u1", "u2", None]),
        st.sampled_from(["a@b", None]),
        st.sampled_from([0.5, 2.0, 3.5, None]),
        st.sampled_from(['["hat","shoe"]', '["hat","hat"]', "[]", "damaged", None]),
        st.sampled_from(["c1", "x", None]),
        st.sampled_from(["ada", None]),
    ),
    max_size=4,
)
CHANGES = st.lists(st.tuples(st.sampled_from(["orders_p", "people_p"]), st.integers(0, 3), ROWS), max_size=8)


def fill(world: World, table: str, number: int, rows: list[Row]) -> None:
    """Replace the rows of a load day, and its version."""
    day, step = FIRST + timedelta(days=number), f"raw_events/{table}"
    with world.lake.get_connection() as con:
        con.execute(f"DELETE FROM raw_events.{table} WHERE day = ?", [day])
        for row in rows:
            con.execute(f"INSERT INTO raw_events.{table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [day, day, day, *row])
        versions = {str(day): repr(rows)} if rows else {}
        progress.record(con, step, versions, [] if rows else [str(day)])


def written(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """Rows of each file, in the order of the file."""
    found = sorted((Path(world.lake.root) / "models" / world.lines).glob("*/rows.parquet"))
    with world.lake.get_connection() as con:
        return {path.parent.name: con.execute(f"FROM '{path}'").fetchall() for path in found}


def check_refreshes(sql: str, changes: list[tuple[str, int, list[Row]]], pause: int) -> None:
    with TemporaryDirectory() as one, TemporaryDirectory() as other:
        world, whole = plain(Path(one), sql), plain(Path(other), sql)
        for number, change in enumerate(changes):
            fill(world, *change)
            if number % pause == 0:
                refresh_model_source(world.lake, world.project, world.lines)
        refresh_model_source(world.lake, world.project, world.lines)
        left = {(table, day): rows for table, day, rows in changes}
        for last in range(4):
            for (table, day), rows in left.items():
                if day == last:
                    fill(whole, table, day, rows)
            refresh_model_source(whole.lake, whole.project, whole.lines)
            until = str(FIRST + timedelta(days=last))
            assert written(whole) == {day: rows for day, rows in written(world).items() if day <= until}
        assert written(world) == by_hand(sql, left)
        world.lake.con.close(), whole.lake.con.close()  # type: ignore[attr-defined]


def by_hand(sql: str, left: dict[tuple[str, int], list[Row]]) -> dict[str, list[tuple[Any, ...]]]:
    """The rows that the three models mean, without SQL."""
    events = {
        table: [(n, row) for (t, n), rows in sorted(left.items()) if t == table for row in rows if not row[0]]
        for table in ("orders_p", "people_p")
    }
    found: dict[str, list[tuple[Any, ...]]] = {}
    for number, row in ROWS_OF[sql](events["orders_p"], events["people_p"]):
        found.setdefault(str(FIRST + timedelta(days=number)), []).append(row)
    return {day: sorted(rows, key=lambda row: [(v is None, v) for v in row]) for day, rows in sorted(found.items())}


Events = list[tuple[int, Row]]


def time_of(number: int) -> datetime:
    return datetime.combine(FIRST + timedelta(days=number), time())


def lines_by_hand(orders: Events, _: Events) -> Iterator[tuple[int, tuple[Any, ...]]]:
    for n, (_, user, _, total, items, cart, _) in orders:
        if total and total > 1 and cart and cart.startswith("c") and items and items != "damaged":
            yield from ((n, (time_of(n), user, cart, sku, total * 2)) for sku in json.loads(items))


def joined_by_hand(orders: Events, people: Events) -> Iterator[tuple[int, tuple[Any, ...]]]:
    for n, (_, user, _, total, _, cart, _) in orders:
        for m, (_, who, _, _, _, _, name) in people:
            if user is not None and user == who:
                yield max(n, m), (time_of(n), user, name, total, cart, "")


def union_by_hand(orders: Events, people: Events) -> Iterator[tuple[int, tuple[Any, ...]]]:
    yield from ((n, (time_of(n), user, total, "o", cart)) for n, (_, user, _, total, _, cart, _) in orders)
    yield from ((n, (time_of(n), user, None, name, email)) for n, (_, user, email, _, _, _, name) in people)


ROWS_OF = {LINES: lines_by_hand, JOINED: joined_by_hand, UNION: union_by_hand}


@settings(SETTINGS, max_examples=12)
@given(sql=ANY_SQL, changes=CHANGES, pause=st.integers(1, 3))
def test_refreshes(sql: str, changes: list[tuple[str, int, list[Row]]], pause: int) -> None:
    check_refreshes(sql, changes, pause)


@pytest.mark.long
@settings(SETTINGS, max_examples=2_000)
@given(sql=ANY_SQL, changes=CHANGES, pause=st.integers(1, 3))
def test_many_refreshes(sql: str, changes: list[tuple[str, int, list[Row]]], pause: int) -> None:
    check_refreshes(sql, changes, pause)
