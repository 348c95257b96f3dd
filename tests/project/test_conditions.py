"""Conditions of where and among."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles_assets.project.conditions import (
    All_,
    Any_,
    Comparison,
    ConditionError,
    Op,
    fields,
    parse_conditions,
)


@pytest.mark.parametrize(
    ("value", "op", "parsed"),
    [
        (">= 150", ">=", 150),
        ("<1.5", "<", 1.5),
        ("> 2025-01-31", ">", "2025-01-31"),
        ("<= 2025-01-31T12:00:00", "<=", "2025-01-31T12:00:00"),
        ("= 007", "=", "007"),
        ("= '5'", "=", "5"),
        ("= is empty", "=", "is empty"),
        ("!= shoes", "!=", "shoes"),
        ("!= true", "!=", True),
        ("shoes", "=", "shoes"),
        ("in stock", "=", "in stock"),
        ("5", "=", "5"),
        (5, "=", 5),
        (True, "=", True),
        (None, "is empty", None),
        ("is empty", "is empty", None),
        ("Is not empty", "is not empty", None),
        (["a", "b"], "in", ("a", "b")),
        ([1, 2.5], "in", (1, 2.5)),
        ("in a, b", "in", ("a", "b")),
        ("not in [1, 2]", "not in", (1, 2)),
        ("contains /sale", "contains", "/sale"),
        ("contains 'a b'", "contains", "a b"),
        ("matches ^A.*", "matches", "^A.*"),
    ],
)
def test_comparisons(value: Any, op: Op, parsed: Any) -> None:
    found = parse_conditions({"field": value})
    assert found == Comparison("field", op, parsed)
    assert type(found.value) is type(parsed)


def test_all_parts_must_hold() -> None:
    found = parse_conditions({"a.b": 1, "any": [{"c": 2}, {"d": 3, "a.b": "> 4"}], "all": [{"e": 5}]})
    inner = All_((Comparison("d", "=", 3), Comparison("a.b", ">", 4)))
    any_, all_ = Any_((Comparison("c", "=", 2), inner)), All_((Comparison("e", "=", 5),))
    assert found == All_((Comparison("a.b", "=", 1), any_, all_))
    assert fields(found) == ("a.b", "c", "d", "e")


def test_no_conditions_always_hold() -> None:
    assert parse_conditions({}) == All_(())


@pytest.mark.parametrize(
    ("given_", "message", "path"),
    [
        ({"a": "=> 5"}, 'did you mean ">= 5"?', ("a",)),
        ({"a": "== 5"}, 'did you mean "= 5"?', ("a",)),
        ({"a": ">> 5"}, "has no comparison that is known", ("a",)),
        ({"a": ">="}, '">=" needs a value after it', ("a",)),
        ({"a": "> x"}, "needs one number or date", ("a",)),
        ({"a": "> true"}, "needs one number or date", ("a",)),
        ({"a": "> 1 and < 5"}, "needs one number or date", ("a",)),
        ({"a": "= 1e999"}, "too large a number", ("a",)),
        ({"a": "is nt empty"}, 'did you mean "is not empty"?', ("a",)),
        ({"a": ""}, "there is nothing to compare with", ("a",)),
        ({"a": "contains"}, "there is nothing to compare with", ("a",)),
        ({"a": []}, "the list of values is empty", ("a",)),
        ({"a": [1, "x"]}, "of different kinds", ("a",)),
        ({"a": [True, 1]}, "of different kinds", ("a",)),
        ({"a": [None]}, "nothing is nothing to compare with", ("a",)),
        ({"a": {"b": 1}}, "is nothing to compare with", ("a",)),
        ({"a": float("nan")}, "nan is nothing to compare with", ("a",)),
        ({"a": "matches ("}, "is not a regular expression", ("a",)),
        ({"a": "matches a(?=b)"}, "looks ahead, behind or back", ("a",)),
        ({"a": r"matches (a)\1"}, "looks ahead, behind or back", ("a",)),
        ({"a..b": 1}, "is not the name of a field", ("a..b",)),
        ({"any": {"a": 1}}, "any takes a list of conditions", ("any",)),
        ({"any": []}, "any takes a list of conditions", ("any",)),
        ({"any": [1]}, "1 is not a condition", ("any", 0)),
        ({"all": [{"any": [{"b": "=> 1"}]}]}, 'did you mean ">= 1"?', ("all", 0, "any", 0, "b")),
    ],
)
def test_nonsense(given_: dict[str, Any], message: str, path: tuple[str | int, ...]) -> None:
    with pytest.raises(ConditionError) as caught:
        parse_conditions(given_)
    assert message in str(caught.value)
    assert caught.value.path == path


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.from_regex(r"[=<>! a-z0-9(\[]{0,9}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "any", "all"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b.c", "any", "all"]) | st.text(), ANYTHING, max_size=3))
def test_anything_parses_or_is_refused(conditions: dict[str, Any]) -> None:
    with contextlib.suppress(ConditionError):
        assert isinstance(parse_conditions(conditions), Comparison | All_ | Any_)
