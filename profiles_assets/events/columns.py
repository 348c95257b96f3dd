"""Properties that definitions use: which of them a source needs as columns, and of which type."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import sqlglot
from sqlglot import exp

from profiles_assets.events.times import time_sql
from profiles_assets.project.project import Project
from profiles_assets.project.sources import ColumnType, Source
from profiles_assets.project.traits import Trait

BUILTIN = frozenset({"time", "received", "event", "event_id", "day"})
SQL_TYPES: dict[ColumnType, str] = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "time": "TIMESTAMP",
}
COMPARISON = re.compile(r"^\s*(<=|>=|<|>)\s*[-+]?[\d.]+\s*$")
Use = tuple[str, bool]


def used_paths(project: Project, source_name: str) -> dict[str, bool]:
    """Property paths that definitions use of a source's events; True for those that must be numbers."""
    found: dict[str, bool] = {}
    for event, (path, number) in _uses(project):
        if path not in BUILTIN and source_name in project.sources_of_event(event):
            found[path] = found.get(path, False) or number
    return dict(sorted(found.items()))


def wanted_types(source: Source, used: Mapping[str, bool], pinned: Mapping[str, str]) -> dict[str, str | None]:
    """SQL type per path, used or pinned: declared, else demanded, else pinned; None where the data must tell."""
    return {
        path: SQL_TYPES[source.types[path]]
        if path in source.types
        else "DOUBLE"
        if used.get(path)
        else pinned.get(path)
        for path in sorted({*used, *pinned})
    }


def candidates(source: Source, path: str) -> list[str]:
    """Paths in a record where a property may be; the first one that has a value counts."""
    return [f"{source.properties}.{path}"] if source.properties else [f"properties.{path}", path]


def _uses(project: Project) -> Iterator[tuple[str, Use]]:
    for section in project.sections.values():
        for trait in section.traits.values():
            for use in _trait_uses(trait):
                yield trait.event, use
    for forecast in project.predictions.values():
        target = forecast.spec.predict
        if target.property:
            yield target.event, (target.property, target.goal == "sum")


def _trait_uses(trait: Trait) -> Iterator[Use]:
    if trait.event_property:
        yield trait.event_property, trait.verb in ("sum", "average")
    for path, condition in trait.where.items():
        yield path, compares_numbers(condition)
    if trait.sql:
        yield from _sql_uses(trait.sql)


def compares_numbers(condition: Any) -> bool:
    """True for conditions that order numbers, such as `> 50`."""
    conditions = condition if isinstance(condition, list) else [condition]
    return any(isinstance(one, str) and COMPARISON.match(one) is not None for one in conditions)


def _sql_uses(sql: str) -> Iterator[Use]:
    try:
        tree = sqlglot.parse_one(sql, dialect="duckdb")
    except sqlglot.ParseError:
        return
    for column in tree.find_all(exp.Column):
        yield ".".join(part.name for part in column.parts), isinstance(column.parent, exp.Sum | exp.Avg)


def cast_sql(type_: str, text: str, timezone: str) -> str:
    """SQL of a text as a value of a type; NULL where it is none, and for NaN and infinity."""
    number = f"try_cast({text} AS DOUBLE)"
    match type_:
        case "DOUBLE":
            return f"CASE WHEN isfinite({number}) THEN {number} END"
        case "BIGINT":
            return f"CASE WHEN {number} % 1 = 0 THEN try_cast({text} AS BIGINT) END"
        case "TIMESTAMP":
            return time_sql(text, timezone)
        case "VARCHAR":
            return f"replace({text}, chr(0), '')"
        case _:
            return f"try_cast({text} AS {type_})"
