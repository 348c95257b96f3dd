"""Conditions as SQL, over columns of every type and of a type that only the data tells."""

from typing import Any

import duckdb
import pytest

from profiles_assets.traits.columns import Value
from profiles_assets.traits.conditions import condition_sql

CASES: list[tuple[str, str, Any, bool]] = [
    ("150.0::DOUBLE", "DOUBLE", ">= 150", True),
    ("150.0::DOUBLE", "DOUBLE", "150", True),
    ("150.0::DOUBLE", "DOUBLE", ["150", "7"], True),
    ("150.0::DOUBLE", "", ">= 150", True),
    ("150.0::DOUBLE", "", 150, True),
    ("'150'", "", ">= 150", True),
    ("'nan'", "VARCHAR", "> 5", False),
    ("'inf'", "", "> 5", False),
    ("'many'", "VARCHAR", "!= 5", False),
    ("true", "", True, True),
    ("'true'", "", True, True),
    ("false", "BOOLEAN", True, False),
    ("1.0::DOUBLE", "DOUBLE", True, True),
    ("'Wien'", "", "Wien", True),
    ("'Wien'", "", ["Berlin", "Wien"], True),
    ("'Wien'", "", "not in (Berlin, Wien)", False),
    ("'Wien'", "", "matches ^W", True),
    ("TIMESTAMP '2025-01-31 10:00'", "TIMESTAMP", ">= 2025-01-31", True),
    ("TIMESTAMP '2025-01-31 10:00'", "TIMESTAMP", "<= 2025-01-31", False),
    ("TIMESTAMP '2025-01-31 10:00'", "", ">= 2025-01-31", True),
    ("DATE '2025-01-31'", "TIMESTAMP", "<= 2025-01-31", True),
    ("DATE '2025-01-31'", "DATE", "= 2025-01-31", True),
    ("DATE '2025-01-31'", "", ">= 2025-02-01", False),
    ("'2025-01-31T10:00:00Z'", "VARCHAR", "> 2025-01-31", True),
    ("'infinity'", "VARCHAR", "> 2025-01-31", False),
    ("'later'", "", "> 2025-01-31", False),
    ("['wholesale']", "VARCHAR[]", "contains sale", False),
    ("['wholesale', 'sale']", "VARCHAR[]", "contains sale", True),
    ("[150.0::DOUBLE]", "VARCHAR[]", "contains 150", True),
    ("'[\"wholesale\"]'", "VARCHAR", "contains sale", False),
    ("'[\"sale\", 3]'", "", "contains sale", True),
    ("'wholesale'", "VARCHAR", "contains sale", True),
    ("'[wholesale'", "VARCHAR", "contains sale", True),
    ("[]::VARCHAR[]", "VARCHAR[]", "is empty", True),
    ("[1]", "VARCHAR[]", "is empty", False),
    ("[]::VARCHAR[]", "", "is empty", True),
    ("'[]'", "VARCHAR", "is empty", True),
    ("''", "", "is empty", True),
    ("0.0::DOUBLE", "DOUBLE", "is empty", False),
    ("NULL::DOUBLE", "DOUBLE", "is empty", True),
    ("NULL::VARCHAR[]", "VARCHAR[]", "is empty", True),
]  # fmt: skip


def truth(given: dict[str, Any], columns: dict[str, tuple[str, str]]) -> bool:
    lookup = {name: Value(f'"{name}"', type_) for name, (_, type_) in columns.items()}
    values = ", ".join(f'{sql} AS "{name}"' for name, (sql, _) in columns.items())
    row = duckdb.execute(f"SELECT {condition_sql(given, lookup.__getitem__)} FROM (SELECT {values})").fetchone()
    assert row is not None
    assert row[0] in (True, False)
    return bool(row[0])


@pytest.mark.parametrize(("sql", "type_", "wanted", "expected"), CASES)
def test_a_comparison(sql: str, type_: str, wanted: Any, expected: bool) -> None:
    column = {"x": (sql, type_)}
    assert truth({"x": wanted}, column) is expected
    assert truth({"none": [{"x": wanted}]}, column) is not expected


@pytest.mark.parametrize("type_", ["DOUBLE", "VARCHAR", "BOOLEAN", "TIMESTAMP", "DATE", "VARCHAR[]", ""])
@pytest.mark.parametrize("wanted", [5, "!= 5", "x", "!= x", True, ["a"], "not in (a, b)", "> 2025-01-31", "contains x"])
def test_nothing_is_known_about_nothing(type_: str, wanted: Any) -> None:
    column = {"x": (f"NULL::{type_ or 'DOUBLE'}", type_)}
    assert truth({"x": wanted}, column) is False
    assert truth({"none": [{"x": wanted}]}, column) is True


def test_groups_nest() -> None:
    columns = {"a": ("1.0::DOUBLE", "DOUBLE"), "b": ("'x'", "VARCHAR")}
    assert truth({"any": [{"a": 2}, {"all": [{"b": "x"}, {"none": [{"a": 2}, {"b": "y"}]}]}]}, columns)
    assert not truth({"a": 1, "none": [{"any": [{"a": 2}, {"b": "x"}]}]}, columns)
