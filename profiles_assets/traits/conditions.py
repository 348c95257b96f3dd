"""Conditions of `where` and `among` as SQL."""

from collections.abc import Callable, Mapping
from typing import Any

from profiles_assets.project.conditions import Any_, Comparison, Condition, None_, Scalar, fields, parse_conditions
from profiles_assets.traits.columns import Value
from resources.tables import literal

Lookup = Callable[[str], Value]
NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")


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
        empty = f"({column.sql} IS NULL OR {column.sql}::VARCHAR = '')"
        return empty if op == "is empty" else f"NOT {empty}"
    if op in ("contains", "matches"):
        function = "contains" if op == "contains" else "regexp_matches"
        return f"{function}({column.sql}::VARCHAR, {literal(str(value))})"
    if op in ("in", "not in"):
        values = value if isinstance(value, tuple) else ()
        return f"{_comparable(column, values)} {op.upper()} ({', '.join(_literal(column, v) for v in values)})"
    assert value is not None
    assert not isinstance(value, tuple)
    return f"{_comparable(column, (value,))} {op} {_literal(column, value)}"


def _comparable(column: Value, values: tuple[Scalar, ...]) -> str:
    """The column as the kind of the values: a number in a text column is compared as a number."""
    if any(isinstance(v, bool) for v in values):
        return f"try_cast({column.sql} AS BOOLEAN)"
    if all(isinstance(v, int | float) for v in values) and not column.type.startswith(NUMERIC):
        return f"try_cast({column.sql}::VARCHAR AS DOUBLE)"
    if any(isinstance(v, str) for v in values) and column.type.startswith((*NUMERIC, "BOOLEAN")):
        return f"{column.sql}::VARCHAR"
    return column.sql


def _literal(column: Value, value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if column.type in ("TIMESTAMP", "DATE"):
        return f"try_cast({literal(value)} AS {column.type})"
    return literal(value)
