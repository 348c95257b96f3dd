"""One SQL aggregate per verb, each independent of the order of rows."""

from collections.abc import Callable

from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import MOMENT, NUMERIC, PAYLOAD, EventColumns, Value, finite
from profiles_assets.traits.conditions import condition_sql
from resources.tables import literal, quote

Aggregate = Callable[[str, str], str]

ORDER = "{'t': time, 'e': event_id, 'f': file, 'p': position}"
EXACT = "try_cast({0} AS DECIMAL(28, 9))"

AGGREGATES: dict[str, Aggregate] = {
    "count": lambda _, rows: f"count(*) {rows}",
    "days_since": lambda _, rows: f"max(event_day) {rows}",
    "exists": lambda _, rows: f"count(*) {rows} > 0",
    "sum": lambda value, rows: f"sum({EXACT.format(value)}) {rows}::DOUBLE",
    "average": lambda value, rows: (
        f"sum({EXACT.format(value)}) {rows}::DOUBLE / nullif(count({EXACT.format(value)}) {rows}, 0)"
    ),
    "min": lambda value, rows: f"min({value}) {rows}",
    "max": lambda value, rows: f"max({value}) {rows}",
    "first": lambda value, rows: f"arg_min({value}, {MOMENT}) {rows}",
    "latest": lambda value, rows: f"arg_max({value}, {MOMENT}) {rows}",
}
OVER_VALUES = ("days_with", "unique", "unique_count", "most_frequent")
OF_A_PROPERTY = ("min", "max", "first", "latest", "most_frequent")
RISING = ("time", "day")
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
    """Aggregate, over the events of its name in a scan, that gives the value of a trait made from events."""
    some = " AND ".join(narrowed(trait, events, as_of))
    rows = f"FILTER (WHERE {some})" if some else ""
    return AGGREGATES[plain_verb(trait)](trait_value(trait, events).sql, rows)


def verb_needs_order(trait: Trait) -> bool:
    """True when a verb looks at the order of events."""
    return plain_verb(trait) in ("first", "latest", "most_frequent") or trait.keep is not None


def plain_verb(trait: Trait) -> str:
    """The verb; what rises with the order of events needs no look at it."""
    if trait.verb in ("first", "latest") and trait.event_property in RISING:
        return "min" if trait.verb == "first" else "max"
    return trait.verb


def rows_sql(trait: Trait, events: EventColumns, as_of: str) -> str:
    """Condition that picks the events of a trait from a scan."""
    return " AND ".join([f"event = {literal(trait.event)}", *narrowed(trait, events, as_of)])


def narrowed(trait: Trait, events: EventColumns, as_of: str) -> list[str]:
    """Conditions that pick the events of a trait from those of its name."""
    where = [condition_sql(trait.where, lambda field: events.value(trait.event, field))] if trait.where else []
    return window(trait, as_of) + where


def window(trait: Trait, as_of: str) -> list[str]:
    """The condition that events are of the last days, where a trait has one."""
    return [f"event_day > {as_of} - {trait.within}"] if trait.within else []


def trait_value(trait: Trait, events: EventColumns) -> Value:
    """What a verb aggregates: a property of the event, the day for days_with, else the record as it arrived."""
    if trait.verb == "days_with":
        return Value("event_day", "DATE")
    return events.value(trait.event, trait.event_property) if trait.event_property else Value(PAYLOAD, "VARCHAR")


def value_type(trait: Trait, events: EventColumns) -> str:
    """SQL type of what a verb gives, where it is that of the property; else empty."""
    return trait_value(trait, events).type if trait.verb in OF_A_PROPERTY else ""


def seen_sql(name: str, trait: Trait, rows: str) -> list[str]:
    """Aggregates over the events with one value: how often a trait sees it and, where that counts, when last.

    `rows` picks the events of the trait; it is empty when all of them are.
    """
    some = f" FILTER (WHERE {rows})" if rows else ""
    seen = [f"count(*){some} AS {quote(f'{name} seen')}"] if rows or trait.verb == "most_frequent" else []
    if trait.verb == "most_frequent" or trait.keep:
        seen.append(f"max({MOMENT}){some} AS {quote(f'{name} last')}")
    return seen


def over_values_sql(name: str, trait: Trait, rows: str) -> str:
    """Aggregate over the distinct values, counted by `seen_sql`, that gives the value of a trait."""
    seen, last = quote(f"{name} seen"), quote(f"{name} last")
    match trait.verb:
        case "most_frequent":
            most = f"{{'seen': {seen}, 'last': {last}}}"
            enough = trait.at_least or 1
            return f"arg_max(value, {most})" + (f" FILTER (WHERE {seen} >= {enough})" if rows or enough > 1 else "")
        case "unique" if trait.keep:
            return f"list_sort(arg_max(value, {last}, {trait.keep}))"
        case "unique":
            return f"list_sort(list(value){f' FILTER (WHERE {seen} > 0)' if rows else ''})"
        case _:
            return f"count(*){f' FILTER (WHERE {seen} > 0)' if rows else ''}"


def finished(trait: Trait, column: str, type_: str = "") -> str:
    """Value of a trait for a person who may have no events: the verb's own nothing, or `unless_none`.

    `type_` is the SQL type of the column where it is known.
    """
    nothing = WITHOUT_EVENTS.get(trait.verb)
    value = f"coalesce({column}, {nothing})" if nothing else column
    return value if trait.verb == "days_since" else settled(trait, value, type_)


def settled(trait: Trait, value: str, type_: str = "") -> str:
    """A value in the declared type, `unless_none` where there is none; neither NaN nor infinity is one."""
    if trait.type and trait.type != "list":
        type_ = SQL_TYPES[trait.type]
        value = finite(f"try_cast({value} AS {type_})", type_)
    if trait.unless_none is None:
        return value
    other = constant(trait.unless_none)
    if trait.type in ("time", "date") or (type_ in ("TIMESTAMP", "DATE") and isinstance(trait.unless_none, str)):
        other = f"try_cast({other} AS {type_})"
    elif type_ and not _is_of(trait.unless_none, type_):
        value, other = f"{value}::VARCHAR", f"{other}::VARCHAR"
    return f"coalesce({value}, {other})"


def _is_of(value: str | float | bool, type_: str) -> bool:
    if isinstance(value, bool):
        return type_ == "BOOLEAN"
    return type_ == "VARCHAR" if isinstance(value, str) else type_.startswith(NUMERIC)


def constant(value: str | float | bool) -> str:
    """SQL literal of a scalar."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return literal(value) if isinstance(value, str) else repr(value)
