"""Properties that definitions use: which of them a source needs as columns, and of which type."""

from collections.abc import Iterator, Mapping
from typing import Any

from profiles_assets.events.times import time_sql
from profiles_assets.project.attribution import properties_read
from profiles_assets.project.conditions import ORDERED, Comparison, ConditionError, comparisons, parse_conditions
from profiles_assets.project.expressions import expression_uses
from profiles_assets.project.funnels import used_properties
from profiles_assets.project.model_uses import used_in_models
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
Use = tuple[str, bool]


def used_paths(project: Project, source_name: str) -> dict[str, bool]:
    """Property paths that definitions use of a source's events; True for those that must be numbers.

    Of a computed column these are the properties that it is made from.
    """
    found: dict[str, bool] = {}
    source = project.sources[source_name]
    for event, use in _uses(project):
        if source_name in project.sources_of_event(event):
            for path, number in _in_records(source, use):
                found[path] = found.get(path, False) or number
    for use in used_in_models(project, source_name).items():
        for path, number in _in_records(source, use):
            found[path] = found.get(path, False) or number
    return dict(sorted(found.items()))


def column_inputs(source: Source, path: str) -> set[str]:
    """Properties in the records from which a property, computed or not, is made; none for what every event has."""
    return {inner for inner, _ in _in_records(source, (path, False))}


def _in_records(source: Source, use: Use, around: tuple[str, ...] = ()) -> Iterator[Use]:
    path, number = use
    if path in source.columns:
        for inner in expression_uses(source.columns[path].sql) if path not in around else ():
            yield from _in_records(source, inner, (*around, path))
    elif path not in BUILTIN:
        yield path, number


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
    for found in project.attribution.values():
        for event, path, number in properties_read(found.spec):
            yield event, (path, number)
    for funnel in project.funnels.values():
        for event, path, number in used_properties(funnel.spec):
            yield event, (path, number)


def _trait_uses(trait: Trait) -> Iterator[Use]:
    if trait.event_property:
        yield trait.event_property, trait.verb in ("sum", "average")
    if trait.order_by:
        yield trait.order_by, False
    yield from condition_uses(trait.where)
    if trait.sql:
        yield from expression_uses(trait.sql)


def condition_uses(given: Mapping[str, Any]) -> Iterator[Use]:
    """Paths of the properties in conditions; True for those that are ordered with a number, such as `> 50`."""
    try:
        parsed = parse_conditions(given)
    except ConditionError:
        return
    for comparison in comparisons(parsed):
        yield comparison.field, compares_numbers(comparison)


def compares_numbers(comparison: Comparison) -> bool:
    """True for a comparison that orders numbers."""
    return comparison.op in ORDERED and isinstance(comparison.value, int | float)


def cast_sql(type_: str, text: str, timezone: str) -> str:
    """SQL of a text as a value of a type; NULL where it is none, and for NaN and infinity."""
    number = f"try_cast({text} AS DOUBLE)"
    match type_:
        case "DOUBLE":
            return f"CASE WHEN isfinite({number}) THEN {number} + 0 END"
        case "BIGINT":
            return f"CASE WHEN {number} % 1 = 0 THEN try_cast({text} AS BIGINT) END"
        case "TIMESTAMP":
            return time_sql(text, timezone)
        case "VARCHAR":
            return f"replace({text}, chr(0), '')"
        case _:
            return f"try_cast({text} AS {type_})"
