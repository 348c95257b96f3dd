"""The layout of SQL: nothing but white space and comments changes, and lines stay short where they can."""

from pathlib import Path

import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.cli.compile import compiled
from profiles_assets.project.loader import load_project
from profiles_assets.traits.layout import laid_out
from profiles_assets.traits.lineage import declared_columns

SHOP = Path(__file__).parents[2] / "examples" / "shop"
NAMES = ["a", '"b  c"', "'x,  (y'", "'it''s'", "$$z  )$$", "1.5e-3", "e'\\'  '", "t.total", '"from"', "x::INT"]
CALLS = ["f({})", "coalesce({}, {})", "CASE WHEN {} THEN {} ELSE {} END", "{} AND {}", "[{}, {}]", "{{'k': {}}}"]
CALLS += ["sum({}) FILTER (WHERE {} OR {})", "(SELECT max({}) FROM t WHERE {})", "{} -- why, (then)\n", "{} /* , ( */"]
QUERIES = [
    "SELECT {}, {} FROM t",
    "with w AS MATERIALIZED (SELECT {} FROM t  left  join u USING (k)) SELECT {} FROM w GROUP BY ALL",
    "SELECT * EXCLUDE (k) FROM (SELECT {} FROM t)\nUNION ALL BY NAME FROM (SELECT {} AS v FROM t CROSS JOIN u)",
]


def tokens(sql: str) -> list[tuple[object, str]]:
    return [(token.token_type, token.text) for token in sqlglot.tokenize(sql, read="duckdb")]


def filled(form: str, parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(parts, min_size=3, max_size=3).map(lambda found: form.format(*found))


EXPRESSIONS = st.recursive(
    st.sampled_from(NAMES), lambda parts: st.sampled_from(CALLS).flatmap(lambda c: filled(c, parts))
)
SQL = st.sampled_from(QUERIES).flatmap(lambda query: filled(query, EXPRESSIONS))


@given(sql=SQL)
@settings(max_examples=100, deadline=None)
def test_every_word_stays_as_it_was(sql: str) -> None:
    assert tokens(laid_out(sql)) == tokens(sql)


@pytest.mark.long
@given(sql=SQL)
@settings(max_examples=2_000, deadline=None)
def test_every_word_stays_as_it_was_long(sql: str) -> None:
    assert tokens(laid_out(sql)) == tokens(sql)


def test_the_statements_of_the_shop_stay_what_they_are() -> None:
    project = load_project(SHOP)
    statements = [statement() for statement in compiled(project, declared_columns(project)).values()]
    assert len(statements) > 5
    for sql in statements:
        assert tokens(laid_out(sql)) == tokens(sql)
        assert laid_out(laid_out(sql)) == laid_out(sql)


def test_a_short_statement_stays_in_one_line_a_clause() -> None:
    assert laid_out("SELECT a,b\n FROM ( SELECT * FROM t )  WHERE a = 'x  y'") == (
        "SELECT a, b\nFROM (SELECT * FROM t)\nWHERE a = 'x  y'"
    )


def test_what_is_too_long_gets_a_line_each() -> None:
    long = "a_column_with_a_long_name_of_its_own"
    assert (
        laid_out(
            f"SELECT {long} AS a, f({long}, {long}) FROM t LEFT JOIN (SELECT {long}, {long}, {long} FROM u) USING (k)"
        )
        == f"""\
SELECT
  {long} AS a,
  f({long}, {long})
FROM t
LEFT JOIN (
  SELECT
    {long},
    {long},
    {long}
  FROM u
) USING (k)"""
    )


def test_brackets_that_never_close_are_kept() -> None:
    assert laid_out("SELECT (a, b FROM t)) x ]") == "SELECT (a, b FROM t)) x ]"
