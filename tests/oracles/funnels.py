"""Brute-force funnels: every way to take steps with a person's events, tried one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations, pairwise, permutations
from typing import Any

from tests.oracles.traits import Event, holds, order, visible


@dataclass(frozen=True)
class Reached:
    """Furthest step, first completion, and for each step the hours of the first attempt that reached it."""

    step: int
    completed_at: datetime | None
    hours: list[float | None]


def evaluate(spec: dict[str, Any], events: list[Event], as_of: date) -> Reached:
    """How far a person came in a declared funnel."""
    seen = sorted(visible(events, as_of), key=order)
    if "during" in spec:
        days = int(spec["during"].split()[0])
        seen = [e for e in seen if e["event_day"] > as_of - timedelta(days=days)]
    first: list[tuple[datetime, timedelta] | None] = []
    for k in range(1, len(spec["steps"]) + 1):
        found = [(seen[a[-1]]["time"], seen[a[-1]]["time"] - seen[a[0]]["time"]) for a in attempts(spec, seen, k)]
        first.append(min(found, default=None))
    hours = [f[1] / timedelta(hours=1) if f else None for f in first]
    return Reached(sum(f is not None for f in first), first[-1][0] if first[-1] else None, hours)


def attempts(spec: dict[str, Any], seen: list[Event], k: int) -> Iterator[tuple[int, ...]]:
    """Positions of the events of every attempt that takes k steps."""
    sequence = spec.get("order") != "any"
    for places in combinations(range(len(seen)), k):
        taken = [seen[p] for p in places]
        if (
            takes(spec["steps"], taken, sequence)
            and in_time(spec, taken)
            and same(spec, taken)
            and not broken(spec, seen, places)
            and (spec.get("order") != "strict" or nothing_between(spec, seen, places))
        ):
            yield places


def takes(steps: list[Any], taken: list[Event], sequence: bool) -> bool:
    if sequence:
        return all(fits(step, event) for step, event in zip(steps, taken, strict=False))
    return any(all(map(fits, chosen, taken)) for chosen in permutations(steps, len(taken)))


def fits(step: Any, event: Event) -> bool:
    step = {"event": step} if isinstance(step, str) else step
    return event["event"] == step["event"] and all(holds(event.get(f), v) for f, v in step.get("where", {}).items())


def in_time(spec: dict[str, Any], taken: list[Event]) -> bool:
    if "within" not in spec:
        return True
    return bool(taken[-1]["time"] - taken[0]["time"] <= timedelta(seconds=spec["within"]))


def same(spec: dict[str, Any], taken: list[Event]) -> bool:
    return all(taken[0][p] is not None and all(e[p] == taken[0][p] for e in taken) for p in spec.get("same", []))


def broken(spec: dict[str, Any], seen: list[Event], places: tuple[int, ...]) -> bool:
    between = seen[places[0] + 1 : places[-1]]
    ends = [e for e in between if any(fits(step, e) for step in spec.get("unless", []))]
    return any(concerns(spec, e, seen[places[0]]) for e in ends)


def concerns(spec: dict[str, Any], event: Event, start: Event) -> bool:
    """An exclusion that lacks a property concerns every attempt, else those with the same values."""
    own = [event[p] for p in spec.get("same", [])]
    return None in own or own == [start[p] for p in spec.get("same", [])]


def nothing_between(spec: dict[str, Any], seen: list[Event], places: tuple[int, ...]) -> bool:
    """Between two steps lie only repeats of the former."""
    return all(
        fits(spec["steps"][k], event)
        for k, (one, other) in enumerate(pairwise(places))
        for event in seen[one + 1 : other]
        if any(fits(step, event) for step in spec["steps"]) and same(spec, [seen[one], event])
    )
