"""Traits made from other traits: types, nothing, and what never comes out."""

from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from profiles_assets.project.traits import Trait
from profiles_assets.traits.derived import Reading, derived_sql, formula_sql, read_sql
from tests.traits.test_compile import event, rows_of

VALUES = "1.0::DOUBLE AS one, 0 AS zero, NULL::DOUBLE AS gone, 1e308::DOUBLE AS huge, 'x' AS text, '2.5' AS number"


def value(expression: str) -> tuple[Any, str]:
    row = duckdb.execute(f"SELECT v, typeof(v) FROM (SELECT {expression} AS v FROM (SELECT {VALUES}))").fetchone()
    assert row is not None
    return row[0], row[1]


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("one / zero", None),
        ("one / (one / zero)", None),
        ("one / zero / one", None),
        ("coalesce(one / zero, 7)", 7.0),
        ("one + gone", None),
        ("least(one, gone, 5)", 1.0),
        ("greatest(one, gone, 5)", 5.0),
        ("huge * 10", None),
        ("huge * 10 - huge * 10", None),
        ("abs(-one) * 2", 2.0),
        ("round(10 / (one + 2), 2)", 3.33),
        ("round(one, zero)", 1.0),
        ("text + 1", None),
        ("number * 2", 5.0),
        ("-one", -1.0),
        ("(one + 1) * 3 - 4 / 2", 4.0),
    ],
)
def test_calculate(formula: str, expected: float | None) -> None:
    trait = Trait.model_validate({"calculate": formula})
    assert value(derived_sql(trait)) == (expected, "DOUBLE")
    assert formula_sql(formula).endswith("::DOUBLE")


def test_ratio_of_anything() -> None:
    for names, expected in ((["one", "zero"], None), (["huge", "number"], 4e307), (["text", "one"], None)):
        assert value(derived_sql(Trait.model_validate({"ratio": names})))[0] == expected
    assert value(derived_sql(Trait.model_validate({"ratio": ["huge", "tiny"]})).replace('"tiny"', "1e-300"))[0] is None


@pytest.mark.parametrize(
    ("first", "second", "days"),
    [
        ("DATE '2025-03-29'", "DATE '2025-03-31'", 2),
        ("TIMESTAMP '2025-03-29 22:59'", "TIMESTAMP '2025-03-29 23:00'", 1),
        ("TIMESTAMP '2025-03-30 21:59'", "TIMESTAMP '2025-03-30 22:00'", 1),
        ("TIMESTAMP '2025-03-30 23:00'", "DATE '2025-03-31'", 0),
        ("'2025-03-30'", "DATE '2025-03-31'", 1),
        ("'soon'", "DATE '2025-03-31'", None),
        ("NULL::TIMESTAMP", "DATE '2025-03-31'", None),
    ],
)
def test_days_between_are_days_of_the_project(first: str, second: str, days: int | None) -> None:
    sql = derived_sql(Trait.model_validate({"days_between": ["a", "b"]}), "Europe/Berlin")
    assert duckdb.execute(f"SELECT {sql} FROM (SELECT {first} AS a, {second} AS b)").fetchone() == (days,)


def test_days_since_takes_a_type_and_a_value_for_none() -> None:
    trait = Trait.model_validate({"days_since": "buy", "type": "float", "unless_none": 99})
    sql = read_sql("d", trait, Reading("DATE '2025-01-31'"))
    for anchor, expected in (("DATE '2025-01-30'", 1.0), ("NULL::DATE", 99.0)):
        found = duckdb.execute(f"SELECT v, typeof(v) FROM (SELECT {sql} AS v FROM (SELECT {anchor} AS d__since))")
        assert found.fetchone() == (expected, "DOUBLE")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"latest": "buy.word", "type": "number"}, None),
        ({"latest": "buy.word", "type": "date"}, None),
        ({"latest": "buy.word", "type": "number", "unless_none": 4}, 4.0),
        ({"first": "buy.word", "type": "time", "unless_none": "2020-01-01"}, datetime(2020, 1, 1)),
        ({"first": "buy.word", "type": "integer"}, None),
        ({"first": "buy.amount", "unless_none": "none"}, "5.0"),
        ({"first": "buy.gone", "unless_none": 0}, "0"),
        ({"first": "buy.time", "type": "date"}, date(2025, 1, 1)),
        ({"latest": "buy.time", "type": "text"}, "2025-01-02 12:00:00"),
        ({"count": "buy", "type": "text"}, "2"),
        ({"exists": "buy", "type": "integer"}, 1),
        ({"unique": "buy.amount", "type": "list"}, [5.0]),
        ({"sum": "buy.amount", "type": "integer"}, 5),
        ({"sql": "sum(1 / (amount - 5))", "from": "buy", "type": "float"}, None),
        ({"sql": "max(word)", "from": "buy", "type": "float", "unless_none": 1}, 1.0),
        ({"sql": "'infinity'::double + count(*)", "from": "buy", "type": "number"}, None),
    ],
)
def test_types_and_what_stands_for_none(spec: dict[str, Any], expected: Any) -> None:
    history = [event(0, amount=5.0, word="infinity"), event(1, amount=None, word="nan")]
    assert rows_of({"t": spec}, history, date(2025, 2, 1))["p0"]["t"] == expected
