"""The order of rows never reaches the aggregates of a model."""

import random
from typing import Any

import duckdb
import pytest

from profiles_assets.events.readable import readable_sql
from profiles_assets.events.relations import edited
from profiles_assets.traits.model_order import create_macro, order_edits

AGGREGATES = """
sum(x)
avg(x)
sum(x * 1.1)
sum(DISTINCT x)
sum(x) FILTER (WHERE x > 0)
stddev(x)
corr(x, n)
mode(n)
arg_max(s, n)
min_by(s, n) FILTER (WHERE x < 5)
arg_max(s, n, 3)
string_agg(s, ',' ORDER BY n)
first(s ORDER BY n DESC)
list(DISTINCT s ORDER BY s)
sum(n)
sum(x) / count(*)
round(sum(x), 2) * 1.19
product(1 + x / 10)
sum(CASE WHEN n IN (1, 2) THEN x END)
count(DISTINCT s)
sum(x) * sum(x) * 1.5
""".strip().splitlines()
OVER = ["sum(x)", "avg(x)", "stddev(x)", "sum(n)", "mode(n)"]


def shuffled(con: duckdb.DuckDBPyConnection, rows: list[tuple[Any, ...]], sql: str) -> list[tuple[Any, ...]]:
    con.execute("CREATE OR REPLACE TEMP TABLE t (g BIGINT, n BIGINT, x DOUBLE, s VARCHAR)")
    con.executemany("INSERT INTO t VALUES (?, ?, ?, ?)", rows)
    return con.execute(readable_sql(con, edited(sql, order_edits(sql, [])))).fetchall()


@pytest.mark.parametrize("aggregate", AGGREGATES)
def test_the_order_of_rows_never_matters(aggregate: str) -> None:
    picks = random.Random(1)
    rows = [(i % 3, picks.randint(0, 4), picks.uniform(-1e3, 1e3), picks.choice("abc")) for i in range(60)]
    windowed = "list" in aggregate or "arg_m" in aggregate or "string" in aggregate
    queries = [f"SELECT g, {aggregate} AS v FROM t GROUP BY g ORDER BY g"]
    queries += (
        [] if windowed or "(" in aggregate[4:] else [f"SELECT {aggregate} OVER (PARTITION BY g) AS v FROM t ORDER BY v"]
    )
    with duckdb.connect(config={"threads": 1}) as con:
        create_macro(con)
        for sql in queries:
            first = shuffled(con, rows, sql)
            for _ in range(3):
                picks.shuffle(rows)
                assert shuffled(con, rows, sql) == first


def test_edited_aggregates_mean_the_same() -> None:
    rows = [(i % 2, i, i / 4, f"s{i}") for i in range(20)]
    with duckdb.connect() as con:
        create_macro(con)
        for aggregate in AGGREGATES:
            sql = f"SELECT g, {aggregate} AS v FROM t GROUP BY g ORDER BY g"
            found = shuffled(con, rows, sql)
            for (group, value), (same, plain) in zip(found, con.execute(sql).fetchall(), strict=True):
                assert group == same
                assert value == (pytest.approx(float(plain)) if isinstance(value, float) else plain)
