"""Conditions of `where` and `among` as SQL."""

import math
from collections.abc import Callable, Mapping
from typing import Any

from profiles_assets.project.conditions import (
    ORDERED,
    Any_,
    Comparison,
    Condition,
    None_,
    Scalar,
    fields,
    parse_conditions,
)
from profiles_assets.traits.columns import NUMERIC, Value
from resources.tables import literal

__all__ = ["NUMERIC", "condition_fields", "condition_sql"]

Lookup = Callable[[str], Value]
TIMES = ("TIMESTAMP", "DATE")


def condition_sql(given: Mapping[str, Any], lookup: Lookup) -> str:
    """SQL of conditions that must all hold; `lookup` gives the column of a field. Unknown counts as false."""
    return _sql(parse_conditions(given), lookup)


def condition_fields(given: Mapping[str, Any]) -> tuple[str, ...]:
    """Fields that conditions read."""
    return fields(parse_conditions(given))


def _sql(condition: Condition, lookup: Lookup) -> str:
    if isinstance(condition, Comparison):
        return f"coalesce({_comparison(condition, lookup(condition.field))}, false)"
    parts = [_sql(part, lookup) for part in condition.parts]
    if isinstance(condition, Any_ | None_):
        return f"{'NOT ' if isinstance(condition, None_) else ''}({' OR '.join(parts) or 'false'})"
    return f"({' AND '.join(parts) or 'true'})"


def _comparison(comparison: Comparison, column: Value) -> str:
    op, value = comparison.op, comparison.value
    if op in ("is empty", "is not empty"):
        return _empty(column) if op == "is empty" else f"NOT {_empty(column)}"
    if op == "matches":
        return f"regexp_matches({_text(column)}, {literal(str(value))})"
    if op == "contains":
        return _contains(column, str(value))
    if op in ("in", "not in"):
        equal = " OR ".join(_compared(column, "=", v) for v in value) if isinstance(value, tuple) else "false"
        return f"({equal})" if op == "in" else f"NOT ({equal})"
    assert value is not None
    assert not isinstance(value, tuple)
    return _compared(column, op, value)


def _compared(column: Value, op: str, value: Scalar) -> str:
    """The column, as the kind of the value, against it: a number in a text column is compared as a number."""
    if isinstance(value, bool):
        return f"{_flag(column)} {op} {str(value).lower()}"
    if isinstance(value, int | float):
        return f"{_number(column)} {op} {value!r}"
    if op in ORDERED or column.type in TIMES:
        return f"{_moment(column)} {op} try_cast({literal(value)} AS TIMESTAMP)"
    if column.type.startswith(NUMERIC) and (number := _as_number(value)) is not None:
        return f"{_number(column)} {op} {number!r}"
    return f"{_text(column)} {op} {literal(value)}"


def _empty(column: Value) -> str:
    """Nothing, an empty text or an empty list, as a list or in JSON."""
    if is_list(column):
        return f"(coalesce(len({column.sql}), 0) = 0)"
    if column.type.startswith(NUMERIC) or column.type in (*TIMES, "BOOLEAN"):
        return f"({column.sql} IS NULL)"
    return f"(coalesce({_text(column)}, '') IN ('', '[]'))"


def _contains(column: Value, value: str) -> str:
    """A list, also one in JSON, contains an item; a text contains a piece."""
    text, item = _text(column), _is_item(value)
    if is_list(column):
        return f"len(list_filter({column.sql}::VARCHAR[], {item})) > 0"
    listed = f"""len(list_filter(from_json({text}, '["VARCHAR"]'), {item})) > 0"""
    as_list = f"starts_with({text}, '[') AND json_valid({text})"
    return f"CASE WHEN {as_list} THEN {listed} ELSE contains({text}, {literal(value)}) END"


def _is_item(value: str) -> str:
    number = _as_number(value)
    same = f"x = {literal(value)}"
    return f"lambda x: {same}" if number is None else f"lambda x: {same} OR try_cast(x AS DOUBLE) = {number!r}"


def is_list(column: Value) -> bool:
    """True for a column of lists."""
    return column.type.endswith("[]")


def _text(column: Value) -> str:
    return column.sql if column.type == "VARCHAR" else f"{column.sql}::VARCHAR"


def _flag(column: Value) -> str:
    return column.sql if column.type == "BOOLEAN" else f"try_cast({column.sql} AS BOOLEAN)"


def _number(column: Value) -> str:
    """The column as a number; text is none when it says NaN or infinity."""
    if column.type.startswith(NUMERIC) and not is_list(column):
        return column.sql
    number = f"try_cast({_text(column)} AS DOUBLE)"
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _moment(column: Value) -> str:
    moment = column.sql if column.type in TIMES else f"try_cast({_text(column)} AS TIMESTAMP)"
    return moment if column.type in TIMES else f"CASE WHEN isfinite({moment}) THEN {moment} END"


def _as_number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
