"""One SQL aggregate per verb, each independent of the order of rows."""

from collections.abc import Callable

from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import EventColumns, Value
from profiles_assets.traits.conditions import condition_sql
from resources.tables import literal

Aggregate = Callable[[str, str], str]

ORDER = "{'t': time, 'e': event_id, 'f': file, 'p': position}"
EXACT = "try_cast({0} AS DECIMAL(28, 9))"

AGGREGATES: dict[str, Aggregate] = {
    "count": lambda _, rows: f"count(*) {rows}",
    "days_with": lambda _, rows: f"count(DISTINCT event_day) {rows}",
    "days_since": lambda _, rows: f"max(event_day) {rows}",
    "exists": lambda _, rows: f"count(*) {rows} > 0",
    "sum": lambda value, rows: f"sum({EXACT.format(value)}) {rows}::DOUBLE",
    "average": lambda value, rows: (
        f"sum({EXACT.format(value)}) {rows}::DOUBLE / nullif(count({EXACT.format(value)}) {rows}, 0)"
    ),
    "min": lambda value, rows: f"min({value}) {rows}",
    "max": lambda value, rows: f"max({value}) {rows}",
    "first": lambda value, rows: f"arg_min({value}, {ORDER}) {rows}",
    "latest": lambda value, rows: f"arg_max({value}, {ORDER}) {rows}",
    "unique": lambda value, rows: f"list_sort(list(DISTINCT {value}) {rows})",
    "unique_count": lambda value, rows: f"count(DISTINCT {value}) {rows}",
}
WITHOUT_EVENTS = {"count": "0", "days_with": "0", "exists": "false", "unique_count": "0", "unique": "[]"}
SQL_TYPES = {
    "text": "VARCHAR",
    "number": "DOUBLE",
    "float": "DOUBLE",
    "integer": "BIGINT",
    "boolean": "BOOLEAN",
    "time": "TIMESTAMP",
    "date": "DATE",
}


def aggregate_sql(trait: Trait, events: EventColumns, as_of: str) -> str:
    """Aggregate over a scan of events that gives the value of a trait made from events."""
    value = trait_value(trait, events)
    present = f" AND {value.sql} IS NOT NULL" if trait.verb == "unique" else ""
    return AGGREGATES[trait.verb](value.sql, f"FILTER (WHERE {rows_sql(trait, events, as_of)}{present})")


def rows_sql(trait: Trait, events: EventColumns, as_of: str) -> str:
    """Condition that picks the events of a trait from a scan."""
    parts = [f"event = {literal(trait.event)}"]
    if trait.within:
        parts.append(f"event_day > {as_of} - {trait.within}")
    if trait.where:
        parts.append(condition_sql(trait.where, lambda field: events.value(trait.event, field)))
    return " AND ".join(parts)


def trait_value(trait: Trait, events: EventColumns) -> Value:
    """The event property that a verb aggregates; verbs over whole events have none."""
    return events.value(trait.event, trait.event_property) if trait.event_property else Value("1", "BIGINT")


def finished(trait: Trait, column: str) -> str:
    """Value of a trait for a person who may have no events: the verb's own nothing, or `unless_none`."""
    nothing = WITHOUT_EVENTS.get(trait.verb)
    value = f"coalesce({column}, {nothing})" if nothing else column
    if trait.unless_none is not None and trait.verb != "days_since":
        value = f"coalesce({value}, {constant(trait.unless_none)})"
    if trait.type and trait.type != "list" and trait.verb != "days_since":
        value = f"try_cast({value} AS {SQL_TYPES[trait.type]})"
    return value


def constant(value: str | float | bool) -> str:
    """SQL literal of a scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return literal(value) if isinstance(value, str) else repr(value)
