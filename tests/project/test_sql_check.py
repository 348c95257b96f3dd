"""Expressions that users write: what passes and what is refused before it runs."""

import duckdb
import pytest

from profiles_assets.project.sql_check import column_sql_problems, sql_problems
from profiles_assets.project.sql_words import AGGREGATES, CHANCE, CLOCK, FUNCTIONS, OUTSIDE, WINDOW

FINE = [
    "avg((dayofweek(time) in (0, 6))::int)",
    "sum(total) filter (where items > 1)",
    "count(*)",
    "count(distinct category)",
    "mad(total)",
    "quantile_cont(total, 0.9)",
    "percentile_cont(0.5) within group (order by total)",
    "first(total order by time)",
    "arg_max(category, time)",
    "max(time)::date - as_of",
    "case when count(*) > 3 then 'often' else 'rarely' end",
    "len(list_filter(list(total), lambda v: v > 10))",
    "max(total) / nullif(min(total), 0)",
    "count(*) filter (where time > as_of - interval 7 day)",
    "string_agg(category, ',' order by time)",
]


@pytest.mark.parametrize("sql", FINE)
def test_aggregates_pass_and_run(sql: str) -> None:
    assert sql_problems(sql) == []
    events = "SELECT 5.0 AS total, 2 AS items, 'a' AS category, now()::timestamp AS time, DATE '2025-01-31' AS as_of"
    with duckdb.connect() as con:
        con.execute(f"SELECT {sql.replace('as_of', 'max(as_of)', 1) if 'date - as_of' in sql else sql} FROM ({events})")


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("max(now() - time)", "now() depends on when it runs"),
        ("max(current_date - time)", "current_date depends on when it runs"),
        ("max(today())", "depends on when it runs"),
        ("get_current_timestamp() - max(time)", "depends on when it runs"),
        ("max(random())", "random() differs with every run"),
        ("any_value(uuid())", "differs with every run"),
        ("first(total)", "first(total) depends on the order of rows"),
        ("any_value(total)", "depends on the order of rows"),
        ("total", "there is no aggregate"),
        ("total + avg(total)", '"total" stands outside of an aggregate'),
        ("sum(avg(total))", "an aggregate stands inside another one"),
        ("max(sum(total) over ())", "window functions (over) need an order"),
        ("max(lag(total))", "window functions (over) need an order"),
        ("max(age(time))", "depends on when it runs"),
        ("total.abs()", "comes after a dot"),
        ("main.getenv('HOME')", "comes after a dot"),
        ("max(\"getenv\"('HOME'))", "reads what is not an event"),
        ("max(current_user)", "reads what is not an event"),
        ("max(current_setting('threads'))", "reads what is not an event"),
        ("max(sleep_ms(1))", 'there is no function "sleep_ms"'),
        ("max(hash(total))", 'there is no function "hash"'),
        ("max(lowre(total))", 'there is no function "lowre"'),
        ("any_value(total ignore nulls)", "RESPECT NULLS are not possible"),
        ("avg(total) as x", "has a name of its own"),
        ("select avg(total)", "subqueries and SELECT"),
        ("(select max(x) from t)", "subqueries and SELECT"),
        ("max(total) in (select 1)", "subqueries and SELECT"),
        ("max(total) + (from t)", "subqueries and SELECT"),
        ("len(read_csv('x'))", "reads what is not an event"),
        ("max(getenv('HOME'))", "reads what is not an event"),
        ("max($1)", "parameters are not possible"),
        ("unnest(list(total))", "one value is wanted"),
        ("max(columns(*))", "one value is wanted"),
        ("list(*)", "* stands for all properties"),
        ("avg(total); drop table x", "a comment or a semicolon"),
        ("avg(total) -- mean", "a comment or a semicolon"),
        ("avg(total) /* mean */", "a comment or a semicolon"),
        ("avg(total), sum(total)", "this is not one SQL expression"),
        ("avg(total", "this is not one SQL expression"),
        ("drop table x", "this is not one SQL expression"),
        ("attach 'x'", "this is not one SQL expression"),
        ("", "this is not one SQL expression"),
        ("'", "this is not one SQL expression"),
        ("(" * 500, "this is not one SQL expression"),
    ],
)
def test_anything_else_is_refused(sql: str, message: str) -> None:
    assert message in " ".join(fault for fault, _ in sql_problems(sql))


ORDERED = [
    "avg(date_diff('day', lag(time) over (), time))",
    "avg(date_diff('day', lag(time), time))",
    "max(sum(total) over (rows between 2 preceding and current row))",
    "count(*) filter (where lag(category) is distinct from category)",
    "sum(total) / max(row_number() over ())",
]


@pytest.mark.parametrize("sql", ORDERED)
def test_windows_pass_where_events_have_an_order(sql: str) -> None:
    assert sql_problems(sql, ordered=True) == []
    assert "add order_by" in " ".join(hint for _, hint in sql_problems(sql))


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("max(lag(total) over (order by time))", "has a PARTITION BY or ORDER BY of its own"),
        ("max(sum(total) over (partition by category))", "has a PARTITION BY or ORDER BY of its own"),
        ("max(sum(total) over w)", "has a PARTITION BY or ORDER BY of its own"),
        ("lag(total) over ()", "stands outside of an aggregate"),
        ("max(total) + row_number() over ()", "stands outside of an aggregate"),
        ("max(lag(lead(total)) over ())", "stands inside another one"),
        ("max(sum(count(*)) over ())", "an aggregate stands inside another one"),
    ],
)
def test_windows_that_are_refused(sql: str, message: str) -> None:
    assert message in " ".join(fault for fault, _ in sql_problems(sql, ordered=True))


def test_a_function_that_is_almost_known_has_a_hint() -> None:
    assert sql_problems("max(lowre(total))") == [('there is no function "lowre" here', 'did you mean "lower"?')]


def test_the_functions_that_pass_are_there_and_read_only_what_they_are_given() -> None:
    with duckdb.connect() as con:
        kinds = "SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type IN ({})"
        values = {row[0] for row in con.execute(kinds.format("'scalar', 'macro'")).fetchall()}
        aggregates = {row[0] for row in con.execute(kinds.format("'aggregate'")).fetchall()}
        tables = {row[0] for row in con.execute(kinds.format("'pragma', 'table_macro'")).fetchall()}
        told = "SELECT function_name FROM duckdb_functions() WHERE has_side_effects OR stability = 'VOLATILE'"
        volatile = {row[0] for row in con.execute(told).fetchall()}
    assert values >= FUNCTIONS
    written_apart = {"percentile_cont", "percentile_disc"}
    assert aggregates >= (AGGREGATES | WINDOW) - written_apart
    assert FUNCTIONS.isdisjoint(CLOCK | CHANCE | tables | volatile)
    assert not [name for name in FUNCTIONS if name.startswith(OUTSIDE)]


@pytest.mark.parametrize(
    "sql", ["price * quantity", "lower(trim(name))", "case when total > 5 then 'a' else 'b' end", "cart.total::double"]
)
def test_values_of_one_event_pass(sql: str) -> None:
    assert column_sql_problems(sql) == []


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("sum(price)", "SUM(price) gathers several events"),
        ("lag(price)", "gathers several events"),
        ("price / sum(price) over ()", "gathers several events"),
        ("day - as_of", "as_of changes from day to day"),
        ("1 + 1", "there is no property in it"),
        ("now()", "depends on when it runs"),
        ("random() * price", "differs with every run"),
        ("(select 1)", "subqueries and SELECT"),
        ("price; drop table x", "a comment or a semicolon"),
        ("price as p", "has a name of its own"),
        ("getenv(name)", "reads what is not an event"),
    ],
)
def test_what_is_no_value_of_one_event_is_refused(sql: str, message: str) -> None:
    assert message in " ".join(fault for fault, _ in column_sql_problems(sql))
