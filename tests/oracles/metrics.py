"""Brute-force metrics: the number of a day from the list of its events, and distributions by sorting."""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import pairwise
from math import ceil
from typing import Any

from tests.oracles.traits import VERBS, Event, chosen, evaluate, visible

Day = tuple[Any, int, int]


def series(spec: dict[str, Any], events: Sequence[Event], as_of: date, people: int) -> dict[date, Day]:
    """Value, events and people of each day with events that count; persons from `people` on are nobody."""
    whole = {key: value for key, value in spec.items() if key != "within"}
    name = whole[next(verb for verb in VERBS if verb in whole)].partition(".")[0]
    rows = chosen(visible(list(events), as_of), whole, name, as_of)
    days = {e["event_day"] for e in rows}
    return {d: _day(whole, [e for e in rows if e["event_day"] == d], as_of, people) for d in days}


def _day(spec: dict[str, Any], rows: list[Event], as_of: date, people: int) -> Day:
    known = {e["person"] for e in rows if e["person"] is not None and e["person"] < people}
    return evaluate(spec, rows, as_of), len(rows), len(known)


def percentile(values: Sequence[float], place: Fraction) -> float:
    """Smallest value that at least this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[max(ceil(place * len(ordered)), 1) - 1]


def bins(values: Sequence[float], edges: Sequence[float]) -> list[int]:
    """People under the first edge, between each two edges, and from the last edge on."""
    ends = [float("-inf"), *edges, float("inf")]
    return [sum(low <= v < high for v in values) for low, high in pairwise(ends)]
