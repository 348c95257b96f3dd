from collections.abc import Iterator

import duckdb
import pytest

from resources.tables import Change, columns, quote, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection


@pytest.fixture
def con() -> Iterator[Con]:
    with duckdb.connect() as con:
        con.execute("CREATE TABLE t AS SELECT i AS k, 'v' || i AS v, [i] AS l, 'a' AS part FROM range(5) g(i)")
        yield con


def stage(con: Con, select: str) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE s AS {select}")


def test_a_merge_touches_only_what_differs(con: Con) -> None:
    stage(con, "SELECT i AS k, if(i = 2, NULL, 'v' || i) AS v, [i] AS l, 'a' AS part FROM range(1, 7) g(i)")
    merge = stage_merge(con, "t", "s", ["k"])
    assert merge.change == Change(inserted=2, updated=1, deleted=1)
    write_merge(con, merge)
    assert con.execute("FROM t EXCEPT FROM s").fetchall() == con.execute("FROM s EXCEPT FROM t").fetchall() == []
    assert stage_merge(con, "t", "s", ["k"]).change.total == 0


def test_a_merge_keeps_to_its_scope(con: Con) -> None:
    con.execute("INSERT INTO t VALUES (1, 'other', [], 'b')")
    stage(con, "SELECT 9 AS k, 'new' AS v, [9] AS l, 'b' AS part")
    write_merge(con, stage_merge(con, "t", "s", ["k"], "part = 'b'"))
    assert con.execute("SELECT count(*) FROM t WHERE part = 'a'").fetchone() == (5,)
    assert con.execute("SELECT k FROM t WHERE part = 'b'").fetchall() == [(9,)]


def test_columns_in_another_order_are_the_same_columns(con: Con) -> None:
    stage(con, "SELECT l, part, v, k FROM t")
    assert stage_merge(con, "t", "s", ["k"]).change.total == 0


def test_new_columns_are_added_and_old_ones_dropped(con: Con) -> None:
    stage(con, "SELECT k, 1.5::DOUBLE AS fresh, v::VARCHAR AS v, part FROM t WHERE k < 3")
    merge = stage_merge(con, "t", "s", ["k"])
    assert merge.whole
    write_merge(con, merge)
    assert columns(con, "t") == {"k": "BIGINT", "v": "VARCHAR", "part": "VARCHAR", "fresh": "DOUBLE"}
    assert con.execute("SELECT k, fresh FROM t ORDER BY k").fetchall() == [(0, 1.5), (1, 1.5), (2, 1.5)]


def test_a_missing_table_is_created(con: Con) -> None:
    stage(con, "SELECT 1 AS k, MAP {'a': ['b']} AS m")
    write_merge(con, stage_merge(con, "fresh", "s", ["k"]))
    assert con.execute("FROM fresh").fetchall() == [(1, {"a": ["b"]})]


def test_quotes_inside_names_are_doubled() -> None:
    assert quote('a"b') == '"a""b"'
