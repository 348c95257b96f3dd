"""Funnels against brute force, and the meaning of each key by hand."""

import re
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import cache
from random import Random
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.project.funnels import Funnel
from profiles_assets.project.project import Declared, Project
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.funnels import compile_reached, stage_funnel
from tests.oracles.funnels import Reached, evaluate
from tests.traits.events import lake_with, project_with

PEOPLE = 40
LAST = date(2025, 1, 4)
START = datetime(2025, 1, 1)

WHERES = [{}, {}, {}, {}, {"amount": ">= 10"}, {"word": "is not empty"}, {"word": ["a", "b"], "flag": True}]


def step(name: str) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(WHERES).map(lambda where: {"event": name, "where": where})


def history(seed: int) -> list[dict[str, Any]]:
    """Events of many people; drawn from a seed, since letting hypothesis draw each value takes far longer."""
    pick = Random(seed).choice
    rows = []
    for person in range(PEOPLE):
        for position in range(pick([0, 3, 4, 5, 6, 7, 8])):
            time = START + timedelta(hours=pick([position, position, 0, 1, 2, 3, 24, 25, 48, 60]))
            rows.append(
                {
                    "time": time,
                    "event_day": time.date(),
                    "day": time.date() + timedelta(days=pick([0, 0, 0, 0, 0, 0, 0, 1])),
                    "event": pick("ABC"[position % 3] * 3 + "ABCX"),
                    "event_id": pick([None, "x", "y"]),
                    "file": pick("fg"),
                    "position": position,
                    "duplicate": pick(range(12)) == 0,
                    "person": person,
                    "amount": pick([None, 0.0, 10.0, 10.0, 10.0]),
                    "word": pick([None, "a", "a", "a", "b"]),
                    "flag": pick([None, True, True, False]),
                }
            )
    return rows


seeds = st.integers(0, 2**32)


@st.composite
def specs(draw: st.DrawFn, order: str) -> dict[str, Any]:
    keys: dict[str, list[Any]] = {
        "within": [None, None, 3_600, 10_800, 86_400],
        "same": [None, None, ["word"], ["word", "amount"]],
        "during": [None, None, None, "1 days", "2 days"],
    }
    names = draw(st.permutations("ABCAB"))[: draw(st.sampled_from([2, 3, 3, 4]))]
    spec: dict[str, Any] = {"steps": [draw(step(name)) for name in names], "order": order}
    spec |= {key: value for key, choice in keys.items() if (value := draw(st.sampled_from(choice)))}
    if order != "any" and draw(st.booleans()):
        spec["unless"] = draw(st.sampled_from([["X"], ["X"], [], ["X", "A"]]))
        spec["unless"] += [draw(step(draw(st.sampled_from("ABC"))))] if not spec["unless"] else []
    return spec


def declared(spec: dict[str, Any]) -> tuple[Project, Declared[Funnel]]:
    funnel = Declared("way", "user", Funnel.model_validate(spec))
    return replace(project_with({}), funnels={"way": funnel}), funnel


@cache
def lake() -> duckdb.DuckDBPyConnection:
    return lake_with([], PEOPLE)


def put(rows: list[dict[str, Any]]) -> duckdb.DuckDBPyConnection:
    """The lake with these events only."""
    con, names = lake(), {"tuple_user": "person", "p_amount": "amount", "p_word": "word", "p_flag": "flag"}
    con.execute("DELETE FROM raw_events.clicks")
    types = con.execute("DESCRIBE raw_events.clicks").fetchall()
    values = {name: [e.get(names.get(name, name)) for e in rows] for name, *_ in types}
    given = ", ".join(f"unnest(${name}::{type_}[]) AS {name}" for name, type_, *_ in types)
    con.execute(f"INSERT INTO raw_events.clicks BY NAME SELECT {given}", values)
    return con


def reached(spec: dict[str, Any], rows: list[dict[str, Any]], as_of: date = LAST) -> list[Reached]:
    """What everybody reached, person after person."""
    (project, funnel), con = declared(spec), put(rows)
    sql = compile_reached(funnel, event_columns(con, project), f"DATE '{as_of}'")
    number = "replace(profile_id, 'p', '')::BIGINT"
    found = con.execute(f"SELECT * EXCLUDE (profile_id) FROM ({sql}) ORDER BY {number}").fetchall()
    return [Reached(*row) for row in found]


def check(spec: dict[str, Any], rows: list[dict[str, Any]], as_of: date) -> None:
    for person, ours in enumerate(reached(spec, rows, as_of)):
        own = [e for e in rows if e["person"] == person]
        assert ours == evaluate(spec, own, as_of), person


as_ofs = st.sampled_from([date(2025, 1, 3), date(2025, 1, 3), date(2025, 1, 2)])


@settings(max_examples=60, deadline=None)
@given(spec=specs("loose"), seed=seeds, as_of=as_ofs)
def test_loose_order_equals_the_oracle(spec: dict[str, Any], seed: int, as_of: date) -> None:
    check(spec, history(seed), as_of)


@settings(max_examples=60, deadline=None)
@given(spec=specs("strict"), seed=seeds, as_of=as_ofs)
def test_strict_order_equals_the_oracle(spec: dict[str, Any], seed: int, as_of: date) -> None:
    check(spec, history(seed), as_of)


@settings(max_examples=60, deadline=None)
@given(spec=specs("any"), seed=seeds, as_of=as_ofs)
def test_any_order_equals_the_oracle(spec: dict[str, Any], seed: int, as_of: date) -> None:
    check(spec, history(seed), as_of)


@pytest.mark.long
@pytest.mark.parametrize("order", ["loose", "strict", "any"])
@settings(max_examples=2_000, deadline=None)
@given(data=st.data(), seed=seeds, as_of=as_ofs)
def test_every_order_equals_the_oracle_long(order: str, data: st.DataObject, seed: int, as_of: date) -> None:
    check(data.draw(specs(order)), history(seed), as_of)


def event(name: str, hour: float, **more: Any) -> dict[str, Any]:
    time = START + timedelta(hours=hour)
    row = {"time": time, "event_day": time.date(), "day": time.date(), "event": name, "event_id": None, "file": "f"}
    row |= {"position": int(hour * 60), "duplicate": False, "person": 0, "amount": None, "word": None, "flag": None}
    return row | more


def way(events: str, **keys: Any) -> tuple[int, float | None]:
    """Step and hours of one person whose events are letters, one an hour; A, B and C are the steps."""
    spec = {"steps": ["A", "B", "C"]} | keys
    found = reached(spec, [event(name, hour) for hour, name in enumerate(events)])[0]
    assert (found.completed_at is None) == (found.hours[-1] is None)
    return found.step, found.hours[-1]


@pytest.mark.parametrize(
    ("events", "loose", "strict", "any_order"),
    [
        ("", (0, None), (0, None), (0, None)),
        ("BC", (0, None), (0, None), (2, None)),
        ("ABC", (3, 2.0), (3, 2.0), (3, 2.0)),
        ("AXBC", (3, 3.0), (3, 3.0), (3, 3.0)),
        ("AABBC", (3, 3.0), (3, 3.0), (3, 3.0)),
        ("ABAC", (3, 3.0), (2, None), (3, 2.0)),
        ("ACBC", (3, 3.0), (1, None), (3, 2.0)),
        ("CBA", (1, None), (1, None), (3, 2.0)),
        ("ABABC", (3, 2.0), (3, 2.0), (3, 2.0)),
    ],
)
def test_orders(events: str, loose: object, strict: object, any_order: object) -> None:
    assert (way(events), way(events, order="strict"), way(events, order="any")) == (loose, strict, any_order)


def test_a_repeated_step_needs_an_event_for_each() -> None:
    for order in ("loose", "strict", "any"):
        assert way("AB", steps=["A", "A", "B"], order=order)[0] == (2 if order == "any" else 1)
        assert way("AAB", steps=["A", "A", "B"], order=order) == (3, 2.0)


def test_one_event_cannot_take_two_steps_in_any_order() -> None:
    steps = ["A", {"event": "A", "where": {"amount": ">= 10"}}, {"event": "A", "where": {"word": "a"}}]
    rows = [event("A", 0, amount=20.0, word="a"), event("A", 1, amount=20.0), event("A", 2, amount=20.0)]
    assert reached({"steps": steps, "order": "any"}, rows)[0].step == 3
    assert reached({"steps": steps, "order": "any"}, rows[1:])[0].step == 2


def test_the_window_goes_from_the_first_step_to_the_last() -> None:
    assert way("AXXBC", within="4 hours") == (3, 4.0)
    assert way("AXXBC", within="3 hours") == (2, None)
    assert way("AXXABC", within="3 hours") == (3, 2.0)
    assert way("CXXBXA", within="3 hours", order="any") == (2, None)


def test_the_first_completion_counts_even_when_a_later_one_is_shorter() -> None:
    rows = [event(name, hour) for name, hour in (("A", 0), ("B", 5), ("A", 10), ("B", 11))]
    assert reached({"steps": ["A", "B"]}, rows)[0] == Reached(2, START + timedelta(hours=5), [0.0, 5.0])


def test_of_completions_at_one_moment_the_shortest_counts() -> None:
    rows = [event("A", 0, word="a"), event("A", 2, word="b")]
    rows += [event("B", 3, word=word, position=n) for n, word in enumerate("ba")]
    assert reached({"steps": ["A", "B"], "same": "word"}, rows)[0].hours == [0.0, 1.0]


def test_an_exclusion_breaks_an_attempt_between_its_steps() -> None:
    assert way("ABXC", unless="X") == (2, None)
    assert way("XABCX", unless="X") == (3, 2.0)
    assert way("AXABC", unless="X") == (3, 2.0)
    assert way("ABBC", unless="B", steps=["A", "B"]) == (2, 1.0)
    assert way("AABC", unless="A", steps=["A", "C"]) == (2, 2.0)


def test_the_first_order_after_an_ad_is_a_large_one() -> None:
    steps = ["A", {"event": "B", "where": {"amount": ">= 10"}}]
    large, small = event("B", 2, amount=50.0), event("B", 1, amount=5.0)
    spec = {"steps": steps, "unless": "B"}
    assert reached(spec, [event("A", 0), large])[0].step == 2
    assert reached(spec, [event("A", 0), small, large])[0].step == 1


def test_a_property_held_constant() -> None:
    rows = [event("A", 0, word="a"), event("A", 1, word="b"), event("B", 2, word="a"), event("C", 3, word="b")]
    assert reached({"steps": ["A", "B", "C"]}, rows)[0].step == 3
    assert reached({"steps": ["A", "B", "C"], "same": "word"}, rows)[0].step == 2
    assert reached({"steps": ["A", "C"], "same": "word", "order": "strict"}, rows)[0].hours == [0.0, 2.0]
    assert reached({"steps": ["A", "B"], "same": "amount"}, rows)[0].step == 0
    assert reached({"steps": ["A", "B"], "same": "day"}, [event("A", 0), event("B", 30), event("A", 31)])[0].step == 1


@pytest.mark.parametrize(("word", "step"), [("a", 1), ("b", 2), (None, 1)])
def test_an_exclusion_of_another_value_breaks_nothing(word: str | None, step: int) -> None:
    rows = [event("A", 0, word="a"), event("X", 1, word=word), event("B", 2, word="a")]
    assert reached({"steps": ["A", "B"], "same": "word", "unless": "X"}, rows)[0].step == step


def test_events_seen() -> None:
    spec = {"steps": ["A", "B"]}
    late, again = event("B", 1, day=date(2025, 1, 9)), event("B", 1, duplicate=True)
    assert [reached(spec, [event("A", 0), b])[0].step for b in (late, again)] == [1, 1]
    assert reached(spec, [event("A", 0), late], date(2025, 1, 9))[0].step == 2
    assert reached(spec | {"during": "3 days"}, [event("A", 0), event("B", 30)])[0].step == 0
    assert reached(spec | {"during": "4 days"}, [event("A", 0), event("B", 30)])[0].step == 2


def test_ties_in_time_are_broken_by_event_id_then_file_then_position() -> None:
    for first, second in (({"event_id": "x"}, {}), ({"file": "e"}, {"file": "f"}), ({"position": 1}, {"position": 2})):
        assert reached({"steps": ["A", "B"]}, [event("A", 0, **first), event("B", 0, **second)])[0].step == 2
        assert reached({"steps": ["A", "B"]}, [event("A", 0, **second), event("B", 0, **first)])[0].step == 1


def test_columns_of_a_profile_and_nobody_is_left_out() -> None:
    (project, funnel), con = declared({"steps": ["A", "B"]}), lake_with([event("A", 0), event("B", 2)], 2)
    stage_funnel(con, project, funnel, f"DATE '{LAST}'", "staged")
    described = {name: type_ for name, type_, *_ in con.execute("DESCRIBE staged").fetchall()}
    assert described == {
        "profile_id": "VARCHAR", "way_step": "BIGINT", "way_completed_at": "TIMESTAMP", "way_hours": "DOUBLE",
    }  # fmt: skip
    assert con.execute("FROM staged ORDER BY ALL").fetchall() == [
        ("p0", 2, START + timedelta(hours=2), 2.0),
        ("p1", 0, None, None),
    ]
    con.execute("DROP TABLE raw_events.clicks")
    stage_funnel(con, project, funnel, f"DATE '{LAST}'", "staged")
    assert con.execute("FROM staged ORDER BY ALL").fetchall() == [("p0", 0, None, None), ("p1", 0, None, None)]
    assert described == {name: type_ for name, type_, *_ in con.execute("DESCRIBE staged").fetchall()}


def test_a_source_is_scanned_once_and_nothing_is_joined_with_itself() -> None:
    keys = {"same": "word", "unless": "X", "order": "strict"}
    (project, funnel), con = declared({"steps": ["A", "B", "C"], **keys}), lake_with([event("A", 0, word="a")], 1)
    sql = compile_reached(funnel, event_columns(con, project), f"DATE '{LAST}'")
    plan = con.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()[0][1]
    assert len(re.findall(r'"Table": "[^"]*clicks"', plan)) == 1
    assert len(re.findall(r'"name": "[A-Z_]*JOIN', plan)) == 2


def test_long_funnels_are_planned_in_pieces() -> None:
    spec = {"steps": ["A", "B"] * 10, "within": "30 hours"}
    assert reached(spec, [event("AB"[hour % 2], hour) for hour in range(24)])[0].step == 20
    (project, funnel), con = declared(spec), lake()
    assert compile_reached(funnel, event_columns(con, project), "as_of").count("MATERIALIZED") == 3
