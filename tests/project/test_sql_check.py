"""Expressions of sql traits: what passes and what is refused before it runs."""

import duckdb
import pytest

from profiles_assets.project.sql_check import sql_problems

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
        ("sum(total) over ()", "window functions"),
        ("lag(total)", "window functions"),
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
