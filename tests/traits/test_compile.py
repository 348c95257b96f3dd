import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.compile import compile_section, select_all_traits
from tests.oracles.traits import evaluate, same
from tests.traits.events import lake_with, project_with

START = date(2025, 1, 1)
PEOPLE = 3

times = st.builds(
    lambda d, h: datetime(2025, 1, 1) + timedelta(days=d, hours=h),
    st.integers(0, 20),
    st.sampled_from([0, 5, 5, 23]),
)
words = st.sampled_from([None, "", "a", "b", "B", "sale ü", "null", "it's"])
amounts = st.one_of(
    st.none(),
    st.sampled_from([0.0, 0.1, 0.2, 0.3, 10.0, 150.0, -5.5]),
    st.floats(-1e6, 1e6).map(lambda x: round(x, 4)),
)


@st.composite
def events(draw: Any) -> list[dict[str, Any]]:
    rows = []
    for i in range(draw(st.integers(0, 14))):
        time = draw(times)
        rows.append(
            {
                "time": time,
                "event_day": time.date(),
                "day": time.date() + timedelta(days=draw(st.integers(-1, 3))),
                "event": draw(st.sampled_from(["buy", "look"])),
                "event_id": draw(st.one_of(st.none(), st.sampled_from(["x", "y", "z"]))),
                "file": draw(st.sampled_from(["f", "g"])),
                "position": i,
                "duplicate": draw(st.booleans()) and draw(st.booleans()),
                "person": draw(st.integers(0, PEOPLE - 1)),
                "amount": draw(amounts),
                "word": draw(words),
                "flag": draw(st.one_of(st.none(), st.booleans())),
            }
        )
    return rows


def specs() -> dict[str, dict[str, Any]]:
    window, where = {"within": "7 days"}, {"where": {"amount": ">= 10"}}
    found: dict[str, dict[str, Any]] = {}
    for verb in ("count", "days_with", "days_since", "exists"):
        found |= {f"{verb}_all": {verb: "buy"}, f"{verb}_some": {verb: "buy", **window, **where}}
    for verb in ("sum", "average"):
        found |= {
            f"{verb}_all": {verb: "buy.amount"},
            f"{verb}_some": {verb: "buy.amount", "unless_none": 0, **window},
        }
    for verb in ("min", "max", "first", "latest", "most_frequent", "unique", "unique_count"):
        found |= {
            f"{verb}_number": {verb: "buy.amount"},
            f"{verb}_word": {verb: "look.word", **window},
            f"{verb}_picked": {verb: "look.word", "where": {"word": ["a", "b", "it's"]}},
        }
    found["flagged"] = {"count": "buy", "where": {"flag": True, "word": "is not empty"}}
    found["on_sale"] = {"count": "look", "where": {"word": "contains sale"}}
    found["first_time"] = {"first": "buy.time"}
    return found


def rows_of(
    traits: dict[str, Any], history: list[dict[str, Any]], as_of: date, **of_project: Any
) -> dict[str, dict[str, Any]]:
    project, con = project_with(traits, **of_project), lake_with(history, PEOPLE)
    day = f"DATE '{as_of}'"
    con.execute(f"CREATE TABLE facts AS {compile_section(project, 'facts', event_columns(con, project), day)}")
    result = con.sql(select_all_traits(project, "user", ["facts"], "people", day))
    return {row[0]: dict(zip(result.columns, row, strict=True)) for row in result.fetchall()}


@settings(max_examples=60, deadline=None)
@given(history=events(), as_of=st.integers(0, 24))
def test_every_verb_equals_the_oracle(history: list[dict[str, Any]], as_of: int) -> None:
    check_against_oracle(history, START + timedelta(days=as_of))


@pytest.mark.long
@settings(max_examples=2_000, deadline=None)
@given(history=events(), as_of=st.integers(0, 24))
def test_every_verb_equals_the_oracle_long(history: list[dict[str, Any]], as_of: int) -> None:
    check_against_oracle(history, START + timedelta(days=as_of))


def check_against_oracle(history: list[dict[str, Any]], day: date) -> None:
    traits = specs()
    rows = rows_of(traits, history, day)
    assert len(rows) == PEOPLE
    for person in range(PEOPLE):
        own = [e for e in history if e["person"] == person]
        for name, spec in traits.items():
            ours, theirs = rows[f"p{person}"][name], evaluate(spec, own, day)
            assert same(ours, theirs), (name, spec, ours, theirs)


def event(day: int, **more: Any) -> dict[str, Any]:
    time = datetime(2025, 1, 1, 12) + timedelta(days=day)
    row = {
        "time": time,
        "event_day": time.date(),
        "day": time.date(),
        "event": "buy",
        "event_id": None,
        "file": "f",
    }
    return row | {"position": day, "duplicate": False, "person": 0, "amount": 1.0, "word": None, "flag": None} | more


def test_derived_traits_of_either_section_and_moving_ones() -> None:
    traits: dict[str, Any] = {
        "spend": {"sum": "buy.amount"},
        "buys": {"count": "buy"},
        "tier": {"bucket": "spend", "at": [5, 10], "labels": ["low", "mid", "high"]},
        "since": {"days_since": "buy"},
        "freshness": {"bucket": "since", "at": [3]},
        "double": {"sql": "sum(amount) * 2", "from": "buy", "type": "float"},
    }
    more: dict[str, Any] = {"basket": {"ratio": ["spend", "looks"]}, "looks": {"count": "look"}}
    project = project_with(traits, more)
    con = lake_with([event(0, amount=5.0), event(4, amount=5.0), event(4, event="look", person=1)], 2)
    columns, day = event_columns(con, project), "DATE '2025-01-08'"
    for section in ("facts", "more"):
        sql = compile_section(project, section, columns, day)
        con.execute(f"CREATE TABLE {section} AS {sql}")
    assert "tier" in con.table("facts").columns
    assert "freshness" not in con.table("facts").columns
    result = con.sql(select_all_traits(project, "user", ["facts", "more"], "people", day))
    first, second = (dict(zip(result.columns, row, strict=True)) for row in sorted(result.fetchall()))
    assert first == {
        "profile_id": "p0", "spend": 10.0, "buys": 2, "tier": "high", "since": 3, "freshness": "3 and over",
        "double": 20.0, "looks": 0, "basket": None,
    }  # fmt: skip
    assert (second["looks"], second["tier"], second["basket"], second["since"]) == (1, None, None, None)


def test_a_sum_does_not_depend_on_the_order_of_rows() -> None:
    values = [0.1, 1e6, 0.2, -1e6, 0.3]
    forwards = [event(i, amount=v) for i, v in enumerate(values)]
    backwards = [event(i, amount=v) for i, v in enumerate(reversed(values))]
    traits = {"total": {"sum": "buy.amount"}}
    assert rows_of(traits, forwards, date(2025, 2, 1)) == rows_of(traits, backwards, date(2025, 2, 1))
    assert rows_of(traits, forwards, date(2025, 2, 1))["p0"]["total"] == 0.6


def test_a_source_is_scanned_once_for_all_traits() -> None:
    project, con = project_with(specs()), lake_with([event(0)], 1)
    sql = compile_section(project, "facts", event_columns(con, project), "DATE '2025-02-01'")
    plan = con.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()[0][1]
    assert len(re.findall(r'"Table": "[^"]*clicks"', plan)) == 1
