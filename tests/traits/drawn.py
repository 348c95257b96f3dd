"""Drawn histories of events, conditions and declarations, to hold the compiler against brute force."""

import json
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

BERLIN = ZoneInfo("Europe/Berlin")
PEOPLE = 4
STARTS = [datetime(2025, 3, 24), datetime(2025, 10, 21)]  # the clocks of Berlin change on the sixth day
AMOUNTS = [None, 0.0, 0.1, 0.2, 0.3, 10.0, 10.0, 150.0, -5.5, 7.25, float("nan"), float("inf"), 1e6]
WORDS = [None, "", "a", "a", "b", "B", "sale ü", "null", "it's", "7", "-2.5", "nan", "inf", "🙂", "true"]
TAGS = [None, "", "[]", '["sale"]', '["wholesale", "new"]', '["it\'s", "sale"]', "wholesale", "[sale"]
HOURS = [0, 0, 1, 2, 22, 22.5, 23, 23, 12.25]


def history(start: datetime, seed: int, count: int) -> list[dict[str, Any]]:
    """Events of a week or two in any order of arrival, many at one moment and around midnight in Berlin."""
    pick = Random(seed).choice
    rows = []
    for position in range(count):
        time = start + timedelta(days=pick(range(12)), hours=pick(HOURS))
        local = time.replace(tzinfo=UTC).astimezone(BERLIN).date()
        row = {
            "time": time,
            "event_day": local,
            "day": local + timedelta(days=pick([0, 0, 0, -3, -1, 1, 4])),
            "event": pick(["buy", "buy", "buy", "look", "look", "leave"]),
            "event_id": pick([None, None, "x", "y", "Z", "ß"]),
            "file": pick(["f", "g"]),
            "position": position,
            "duplicate": pick(range(8)) == 0,
            "person": pick(range(PEOPLE + 1)),
            "amount": pick(AMOUNTS),
            "word": pick(WORDS),
            "flag": pick([None, True, False]),
            "tags": pick(TAGS),
        }
        rows.append(row | {"payload": json.dumps([position, row["word"]])})
    return rows


@st.composite
def moments(draw: st.DrawFn) -> tuple[list[dict[str, Any]], date]:
    """A history and the day it is asked about."""
    start = draw(st.sampled_from(STARTS))
    rows = history(start, draw(st.integers(0, 2**32)), draw(st.integers(0, 40)))
    return rows, start.date() + timedelta(days=draw(st.integers(0, 15)))


def on_day(day: str) -> st.SearchStrategy[str]:
    return st.sampled_from([f">= {day}", f"< {day}", f"= {day}", f"!= {day}"])


COMPARISONS: dict[str, st.SearchStrategy[Any]] = {
    "amount": st.sampled_from(
        [">= 10", "< 0.3", "> -1", "<= 150", "!= 10", 10, 0.1, [0.1, 0.2, 0.3], "is empty", "is not empty", "= 0"]
    ),
    "word": st.sampled_from(
        ["a", "= b", "!= a", ["a", "b", "it's"], "is empty", "is not empty", None, "contains al", "contains ü", ">= 5",
         "matches ^[ab]$", "< 0", 7, "contains '"]
    ),
    "flag": st.sampled_from([True, False, "!= true", "is empty", "is not empty"]),
    "tags": st.sampled_from(["contains sale", "contains new", "is empty", "is not empty", "contains it's"]),
    "time": st.one_of(*(on_day(day) for day in ("2025-03-30", "2025-03-29T23:00:00", "2025-10-26T01:00"))),
    "day": st.one_of(*(on_day(day) for day in ("2025-03-30", "2025-10-26"))),
    "missing": st.sampled_from([5, "x", "is empty", "!= a", "> 3", "contains a"]),
}  # fmt: skip
single = st.sampled_from(sorted(COMPARISONS)).flatmap(lambda f: st.fixed_dictionaries({f: COMPARISONS[f]}))
several = st.fixed_dictionaries({}, optional={f: COMPARISONS[f] for f in ("amount", "word", "flag", "tags")})
groups = st.recursive(
    st.one_of(single, several),
    lambda inner: st.dictionaries(st.sampled_from(["any", "all", "none"]), st.lists(inner, min_size=1, max_size=3)),
    max_leaves=6,
)
conditions = st.tuples(several, groups).map(lambda pair: pair[0] | pair[1])


@st.composite
def declared(draw: st.DrawFn, verbs: dict[str, list[str]]) -> dict[str, Any]:
    """One trait of these verbs with the keys that narrow and finish it; `verbs` has the properties of each."""
    verb = draw(st.sampled_from(sorted(verbs)))
    event = draw(st.sampled_from(["buy", "buy", "look", "leave"]))
    prop = draw(st.sampled_from(verbs[verb]))
    spec: dict[str, Any] = {verb: f"{event}.{prop}" if prop else event}
    if draw(st.booleans()):
        spec["within"] = f"{draw(st.integers(1, 9))} days"
    if draw(st.integers(0, 2)):
        spec["where"] = draw(conditions)
    if verb == "most_frequent" and draw(st.booleans()):
        spec["at_least"] = draw(st.integers(1, 3))
    if verb == "unique" and draw(st.booleans()):
        spec["keep"] = draw(st.integers(1, 3))
    return spec | draw(finish(verb, prop))


def finish(verb: str, prop: str) -> st.SearchStrategy[dict[str, Any]]:
    """Types that suit what a verb gives, and values that stand for none."""
    text = verb in ("first", "latest", "min", "max", "most_frequent") and prop in ("word", "tags", "missing", "")
    if verb in ("unique", "days_with", "unique_count", "days_since", "exists") or prop in ("time", "day"):
        return st.just({})
    if text:
        choices: list[dict[str, Any]] = [{}, {"unless_none": "none"}, {"type": "text", "unless_none": "-"}]
        return st.sampled_from([*choices, *([{"type": "number", "unless_none": 3.5}] if prop == "word" else [])])
    if prop == "flag":
        return st.sampled_from([{}, {"unless_none": False}, {"type": "text"}, {"type": "number"}])
    if verb == "count":
        return st.sampled_from([{}, {"type": "float"}, {"type": "text"}, {"unless_none": 5}])
    mixed = [{"unless_none": "none"}] if verb not in ("sum", "average") else []
    return st.sampled_from([{}, {"unless_none": 0}, {"type": "integer"}, {"type": "float"}, *mixed])


def several_of(verbs: dict[str, list[str]], most: int = 12) -> st.SearchStrategy[dict[str, dict[str, Any]]]:
    """Declarations of traits by name."""
    return st.lists(declared(verbs), min_size=1, max_size=most).map(
        lambda specs: {f"t{number}": spec for number, spec in enumerate(specs)}
    )
