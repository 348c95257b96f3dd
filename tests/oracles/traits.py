"""Brute-force traits: one plain function per verb over a person's list of events."""

import json
import math
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

Event = dict[str, Any]
GROUPS: dict[str, Callable[[list[bool]], bool]] = {"any": any, "all": all, "none": lambda found: not any(found)}
COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    ">=": lambda a, b: a >= b,
    "<=": lambda a, b: a <= b,
    "!=": lambda a, b: a != b,
    ">": lambda a, b: a > b,
    "<": lambda a, b: a < b,
    "=": lambda a, b: a == b,
}


def order(event: Event) -> tuple[Any, ...]:
    """Ties in time are broken by event id (none last), then file, then position."""
    missing = event["event_id"] is None
    return (event["time"], missing, event["event_id"] or "", event["file"], event["position"])


def visible(events: list[Event], as_of: date) -> list[Event]:
    return [e for e in events if not e["duplicate"] and e["day"] <= as_of and e["event_day"] <= as_of]


def chosen(events: list[Event], spec: dict[str, Any], name: str, as_of: date) -> list[Event]:
    rows = [e for e in events if e["event"] == name]
    if spec.get("within"):
        days = int(spec["within"].split()[0])
        rows = [e for e in rows if e["event_day"] > as_of - timedelta(days=days)]
    return [e for e in rows if fulfils(e, spec.get("where", {}))]


def fulfils(event: Event, conditions: Mapping[str, Any]) -> bool:
    """Whether all conditions hold, groups included; what is not known does not hold."""
    return all(
        GROUPS[field]([fulfils(event, one) for one in wanted])
        if field in GROUPS
        else holds(property_of(event, field), wanted)
        for field, wanted in conditions.items()
    )


def property_of(event: Event, path: str) -> Any:
    """A property; NaN and infinity are none."""
    value = event.get("event_day" if path == "day" else path)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def holds(value: Any, wanted: Any) -> bool:
    empty = value is None or value in ("", "[]")
    if wanted in (None, "is empty"):
        return empty
    if wanted == "is not empty":
        return not empty
    if value is None:
        return False
    if isinstance(wanted, list):
        return any(equal(value, one) for one in wanted)
    if not isinstance(wanted, str):
        return equal(value, wanted)
    if wanted.startswith("contains "):
        return contains(value, wanted[9:])
    if wanted.startswith("matches "):
        return re.search(wanted[8:], value) is not None
    operator, _, right = wanted.partition(" ") if wanted.split(" ")[0] in COMPARED else ("=", "", wanted)
    left, other = comparable(value, right, operator)
    return left is not None and COMPARED[operator](left, other)


def equal(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, bool) or isinstance(value, bool):
        return value is wanted
    if isinstance(wanted, int | float):
        return number(value) == wanted
    return bool(value == wanted)


def contains(value: str, piece: str) -> bool:
    """A list in JSON contains an item, a text contains a piece."""
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    return piece in (found if isinstance(found, list) else value)


def comparable(value: Any, right: str, operator: str) -> tuple[Any, Any]:
    """Both sides as the kind that the right one tells: a number, true or false, a moment, else text."""
    if re.fullmatch(r"-?\d+(\.\d+)?", right):
        return number(value), float(right)
    if right in ("true", "false"):
        return value, right == "true"
    if isinstance(value, date) or operator not in ("=", "!="):
        moment = datetime.fromisoformat(right)
        if isinstance(value, str):
            return None, moment
        return value if isinstance(value, datetime) else datetime.combine(value, datetime.min.time()), moment
    return value, right


def number(value: Any) -> float | None:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return None
    return found if math.isfinite(found) else None


def _values(rows: list[Event], prop: str) -> list[Any]:
    return [v for e in sorted(rows, key=order) if (v := property_of(e, prop or "payload")) is not None]


def _exact(value: float) -> Decimal:
    return Decimal(repr(value)).quantize(Decimal("1e-9"))


def _exact_sum(values: list[float]) -> Decimal:
    return sum(map(_exact, values), Decimal(0))


def times_and_last(rows: list[Event], prop: str) -> dict[Any, tuple[int, Any]]:
    """How often and when last each value was seen."""
    found: dict[Any, tuple[int, Any]] = {}
    for event in sorted(rows, key=order):
        value = property_of(event, prop)
        if value is not None:
            found[value] = (found.get(value, (0, None))[0] + 1, order(event))
    return found


def _most_frequent(rows: list[Event], prop: str, at_least: int = 1) -> Any:
    found = times_and_last(rows, prop)
    best = max(found, key=lambda v: found[v]) if found else None
    return best if found and found[best][0] >= at_least else None


def _unique(rows: list[Event], prop: str, keep: int | None = None) -> list[Any]:
    found = times_and_last(rows, prop)
    return sorted(sorted(found, key=lambda v: found[v][1], reverse=True)[:keep])


VERBS: dict[str, Callable[[list[Event], str, date], Any]] = {
    "count": lambda rows, _, __: len(rows),
    "days_with": lambda rows, _, __: len({e["event_day"] for e in rows}),
    "exists": lambda rows, _, __: bool(rows),
    "days_since": lambda rows, _, as_of: (as_of - max(e["event_day"] for e in rows)).days if rows else None,
    "sum": lambda rows, p, _: float(_exact_sum(_values(rows, p))) if _values(rows, p) else None,
    "average": lambda rows, p, _: (
        float(_exact_sum(_values(rows, p))) / len(_values(rows, p)) if _values(rows, p) else None
    ),
    "min": lambda rows, p, _: min(_values(rows, p), default=None),
    "max": lambda rows, p, _: max(_values(rows, p), default=None),
    "first": lambda rows, p, _: next(iter(_values(rows, p)), None),
    "latest": lambda rows, p, _: next(iter(reversed(_values(rows, p))), None),
    "most_frequent": lambda rows, p, _: _most_frequent(rows, p),
    "unique": lambda rows, p, _: _unique(rows, p),
    "unique_count": lambda rows, p, _: len(set(_values(rows, p))),
}


def evaluate(spec: dict[str, Any], events: list[Event], as_of: date) -> Any:
    """Value of one declared trait over one person's events."""
    verb = next(v for v in VERBS if v in spec)
    name, _, prop = spec[verb].partition(".")
    rows = chosen(visible(events, as_of), spec, name, as_of)
    if verb == "most_frequent":
        value = _most_frequent(rows, prop, spec.get("at_least", 1))
    elif verb == "unique":
        value = _unique(rows, prop, spec.get("keep"))
    else:
        value = VERBS[verb](rows, prop, as_of)
    return settled(spec, value)


def settled(spec: dict[str, Any], value: Any) -> Any:
    """A value in its declared type, or what stands for none; where that is text, everything is."""
    value, other = cast(value, spec.get("type")), cast(spec.get("unless_none"), spec.get("type"))
    if value is None:
        return other
    return str(value) if isinstance(other, str) else value


def cast(value: Any, type_: str | None) -> Any:
    """A value as another type; None where it is none."""
    if value is None or type_ in (None, "list"):
        return value
    if type_ == "text":
        return str(value).lower() if isinstance(value, bool) else str(value)
    if type_ in ("number", "float"):
        return number(value)
    if type_ == "integer":
        return None if number(value) is None else round(float(value))
    raise NotImplementedError(type_)


def ratio(first: float | None, second: float | None) -> float | None:
    return None if first is None or not second else first / second


def days_between(first: Any, second: Any) -> int | None:
    """Whole days of the calendar from one day to another."""
    return None if first is None or second is None else (second - first).days


def bucket(value: float | None, at: list[float], labels: list[str]) -> str | None:
    return None if value is None else labels[sum(edge <= value for edge in at)]


def calculate(formula: Any, values: Mapping[str, float | None]) -> float | None:
    """Value of a formula given as nested tuples: a name, a number, or (operation, part, …)."""
    if isinstance(formula, str):
        return values[formula]
    if not isinstance(formula, tuple):
        return float(formula)
    name, *parts = formula
    found = [calculate(part, values) for part in parts]
    known = [v for v in found if v is not None]
    if name in ("least", "greatest", "coalesce"):
        pick: dict[str, Callable[[list[float]], float]] = {"least": min, "greatest": max, "coalesce": lambda v: v[0]}
        return pick[name](known) if known else None
    if len(known) < len(found) or (name == "/" and found[1] == 0):
        return None
    return OPERATIONS[name](*known)


def _rounded(value: float, digits: float = 0) -> float:
    scaled = abs(value) * 10**digits
    return math.copysign(math.floor(scaled + 0.5) / 10**digits, value)


OPERATIONS: dict[str, Callable[..., float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "abs": abs,
    "round": _rounded,
}


def written(formula: Any) -> str:
    """A formula as a user writes it."""
    if not isinstance(formula, tuple):
        return str(formula)
    name, *parts = formula
    texts = [written(part) for part in parts]
    return f"({texts[0]} {name} {texts[1]})" if name in "+-*/" else f"{name}({', '.join(texts)})"


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-9)
    return bool(ours == theirs)
