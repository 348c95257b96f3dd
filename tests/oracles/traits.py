"""Brute-force traits: one plain function per verb over a person's list of events."""

import math
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

Event = dict[str, Any]


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
    return [e for e in rows if all(holds(e.get(field), wanted) for field, wanted in spec.get("where", {}).items())]


def holds(value: Any, wanted: Any) -> bool:
    if wanted == "is empty":
        return value is None or value == ""
    if wanted == "is not empty":
        return not (value is None or value == "")
    if value is None:
        return False
    if isinstance(wanted, list):
        return value in wanted
    if isinstance(wanted, str) and wanted.startswith(">= "):
        return bool(value >= float(wanted[3:]))
    if isinstance(wanted, str) and wanted.startswith("contains "):
        return wanted[9:] in value
    return bool(value == wanted)


def _values(rows: list[Event], prop: str) -> list[Any]:
    return [e[prop] for e in sorted(rows, key=order) if e.get(prop) is not None]


def _exact_sum(values: list[float]) -> Decimal:
    return sum((Decimal(repr(v)).quantize(Decimal("1e-9")) for v in values), Decimal(0))


def _most_frequent(rows: list[Event], prop: str) -> Any:
    best: dict[Any, tuple[int, Any]] = {}
    for event in sorted(rows, key=order):
        if event.get(prop) is not None:
            seen = best.get(event[prop], (0, None))[0]
            best[event[prop]] = (seen + 1, order(event))
    return max(best, key=lambda v: best[v]) if best else None


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
    "unique": lambda rows, p, _: sorted(set(_values(rows, p))),
    "unique_count": lambda rows, p, _: len(set(_values(rows, p))),
}


def evaluate(spec: dict[str, Any], events: list[Event], as_of: date) -> Any:
    """Value of one declared trait over one person's events."""
    verb = next(v for v in VERBS if v in spec)
    name, _, prop = spec[verb].partition(".")
    value = VERBS[verb](chosen(visible(events, as_of), spec, name, as_of), prop, as_of)
    return spec["unless_none"] if value is None and "unless_none" in spec else value


def same(ours: Any, theirs: Any) -> bool:
    if isinstance(ours, float) and isinstance(theirs, float):
        return math.isclose(ours, theirs, rel_tol=1e-12, abs_tol=1e-9)
    return bool(ours == theirs)
