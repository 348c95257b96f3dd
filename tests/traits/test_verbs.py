"""Every verb against brute force, on drawn projects, histories and days."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from itertools import pairwise
from math import isclose
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles_assets.project.sql_check import sql_problems
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.compile import compile_section, select_all_traits
from tests.oracles import traits as oracle
from tests.traits.drawn import BERLIN, PEOPLE, conditions, moments, several_of
from tests.traits.events import fill, lake_with, project_with

Moment = tuple[list[dict[str, Any]], date]
Traits = dict[str, dict[str, Any]]
ANY = ["amount", "word", "flag", "tags", "missing"]
FAMILIES: dict[str, dict[str, list[str]]] = {
    "counting": {"count": [""], "days_with": [""], "days_since": [""], "exists": [""]},
    "numbers": {"sum": ["amount"], "average": ["amount"], "min": ["amount", "word"], "max": ["amount", "word", "time"]},
    "picking": {
        "first": ["", "time", "day", *ANY],
        "latest": ["", "time", "day", *ANY],
        "most_frequent": ["amount", "word", "flag", "day"],
    },
    "sets": {"unique": ["amount", "word", "day"], "unique_count": ["amount", "word", "flag", "time", "missing"]},
}
usual = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(usual, max_examples=2_000)


@cache
def lake() -> duckdb.DuckDBPyConnection:
    return lake_with([], 0)


def rows_of(traits: Traits, moment: Moment, **of_project: Any) -> dict[str, dict[str, Any]]:
    """All traits of everybody, as compiled."""
    project, con = project_with(traits, timezone="Europe/Berlin", **of_project), lake()
    fill(con, moment[0], PEOPLE)
    day = f"DATE '{moment[1]}'"
    con.execute(
        f"CREATE OR REPLACE TABLE facts AS {compile_section(project, 'facts', event_columns(con, project), day)}"
    )
    result = con.sql(select_all_traits(project, "user", ["facts"], "people", day))
    return {row[0]: dict(zip(result.columns, row, strict=True)) for row in result.fetchall()}


def compare(traits: Traits, moment: Moment, expected: Callable[[dict[str, Any], list[oracle.Event]], Any]) -> None:
    """Each trait of each person against what is expected of their events."""
    rows = rows_of(traits, moment)
    assert len(rows) == PEOPLE
    for person in range(PEOPLE):
        own = [e for e in moment[0] if e["person"] == person]
        for name, spec in traits.items():
            ours, theirs = rows[f"p{person}"][name], expected(spec, own)
            assert oracle.same(ours, theirs), (name, spec, ours, theirs)


def compare_verbs(traits: Traits, moment: Moment) -> None:
    compare(traits, moment, lambda spec, own: oracle.evaluate(spec, own, moment[1]))


@usual
@given(several_of(FAMILIES["counting"]), moments())
def test_counting(traits: Traits, moment: Moment) -> None:
    compare_verbs(traits, moment)


@usual
@given(several_of(FAMILIES["numbers"]), moments())
def test_numbers(traits: Traits, moment: Moment) -> None:
    compare_verbs(traits, moment)


@usual
@given(several_of(FAMILIES["picking"]), moments())
def test_picking(traits: Traits, moment: Moment) -> None:
    compare_verbs(traits, moment)


@usual
@given(several_of(FAMILIES["sets"]), moments())
def test_sets(traits: Traits, moment: Moment) -> None:
    compare_verbs(traits, moment)


@pytest.mark.long
@pytest.mark.parametrize("family", FAMILIES)
def test_family_long(family: str) -> None:
    many(given(several_of(FAMILIES[family]), moments())(compare_verbs))()


NUMBERS = ["amount_sum", "buys", "looks", "smallest", "missing_max"]
BASE: Traits = {
    "amount_sum": {"sum": "buy.amount"},
    "buys": {"count": "buy"},
    "looks": {"count": "look", "within": "5 days"},
    "smallest": {"min": "buy.amount"},
    "missing_max": {"max": "look.missing"},
    "first_at": {"first": "buy.time"},
    "last_at": {"latest": "look.time"},
    "first_day": {"first": "look.day"},
}
numbers = st.one_of(st.sampled_from(NUMBERS), st.sampled_from([0, 1, 2.5, 100]))
formulas = st.recursive(
    numbers,
    lambda inner: st.one_of(
        st.tuples(st.sampled_from("+-*/"), inner, inner),
        st.tuples(st.just("abs"), inner),
        st.tuples(st.just("round"), inner, st.sampled_from([0, 1, 2])),
        st.tuples(st.sampled_from(["least", "greatest", "coalesce"]), inner, inner),
    ),
    max_leaves=6,
).filter(lambda formula: any(name in oracle.written(formula) for name in NUMBERS))
pairs = st.tuples(st.sampled_from(NUMBERS), st.sampled_from(NUMBERS))
dates = st.tuples(*[st.sampled_from(["first_at", "last_at", "first_day"])] * 2)
finishes = st.sampled_from([{}, {"unless_none": 7}, {"type": "integer"}, {"type": "text"}])
derived = st.one_of(
    st.tuples(st.just("ratio"), pairs, finishes),
    st.tuples(st.just("calculate"), formulas, finishes),
    st.tuples(st.just("days_between"), dates, finishes),
    st.tuples(st.just("bucket"), st.sampled_from(NUMBERS), st.sampled_from([{}, {"unless_none": "-"}])),
)


def compare_derived(made: list[tuple[str, Any, dict[str, Any]]], moment: Moment) -> None:
    specs: Traits = {}
    for number, (verb, of, finish) in enumerate(made):
        told = {"calculate": oracle.written, "bucket": str}.get(verb, list)(of)
        edges = {"at": [0, 2.5, 10], "labels": ["below", "low", "mid", "high"]} if verb == "bucket" else {}
        specs[f"d{number}"] = {verb: told, **edges, **finish}
    rows = rows_of(BASE | specs, moment)
    for person in range(PEOPLE):
        own = [e for e in moment[0] if e["person"] == person]
        values = {name: oracle.evaluate(spec, own, moment[1]) for name, spec in BASE.items()}
        for name, (verb, of, finish) in zip(specs, made, strict=True):
            theirs = oracle.settled(finish, derived_value(verb, of, values))
            ours = rows[f"p{person}"][name]
            assert close(ours, theirs), (specs[name], values, ours, theirs)


def derived_value(verb: str, of: Any, values: dict[str, Any]) -> Any:
    if verb == "calculate":
        return oracle.calculate(of, values)
    if verb == "bucket":
        return oracle.bucket(values[of], [0, 2.5, 10], ["below", "low", "mid", "high"])
    first, second = (values[name] for name in of)
    if verb == "ratio":
        return oracle.ratio(first, second)
    return oracle.days_between(*(local_day(value) for value in (first, second)))


def local_day(value: date | datetime | None) -> date | None:
    """Day in Berlin of a UTC moment; days stay."""
    if isinstance(value, datetime):
        return datetime.fromisoformat(f"{value.isoformat()}+00:00").astimezone(BERLIN).date()
    return value


def close(ours: Any, theirs: Any) -> bool:
    """Equal, or numbers so near that only the order of operations can tell them apart, as numbers or as text."""
    if isinstance(ours, str) and isinstance(theirs, str) and (number := oracle.number(theirs)) is not None:
        return isclose(float(ours), number, rel_tol=1e-9, abs_tol=1e-9)
    if isinstance(ours, int) and isinstance(theirs, int):
        return abs(ours - theirs) <= abs(theirs) * 1e-9
    if isinstance(ours, float) and isinstance(theirs, float):
        return isclose(ours, theirs, rel_tol=1e-9, abs_tol=1e-9)
    return bool(ours == theirs)


@usual
@given(st.lists(derived, min_size=1, max_size=10), moments())
def test_derived(made: list[tuple[str, Any, dict[str, Any]]], moment: Moment) -> None:
    compare_derived(made, moment)


@pytest.mark.long
@many
@given(st.lists(derived, min_size=1, max_size=10), moments())
def test_derived_long(made: list[tuple[str, Any, dict[str, Any]]], moment: Moment) -> None:
    compare_derived(made, moment)


def known(rows: list[oracle.Event], prop: str) -> list[Any]:
    return [v for e in rows if (v := oracle.property_of(e, prop)) is not None]


def gaps(rows: list[oracle.Event]) -> float | None:
    days = [(b["time"].date() - a["time"].date()).days for a, b in pairwise(rows)]
    return sum(days) / len(days) if days else None


def mean(values: list[float]) -> float | None:
    return float(sum(map(Decimal, map(repr, values)), Decimal(0))) / len(values) if values else None


def changes(rows: list[oracle.Event]) -> int:
    words = [e["word"] for e in rows]
    return sum(b != a for a, b in zip([None, *words], words, strict=False))


SQL: dict[str, Callable[[list[oracle.Event], date], Any]] = {
    "count(*)": lambda rows, _: float(len(rows)),
    "avg((dayofweek(time) in (0, 6))::int)": lambda rows, _: mean([float(e["time"].weekday() >= 5) for e in rows]),
    "sum(amount) filter (where amount > 1)": lambda rows, _: (
        float(sum(map(oracle._exact, v))) if (v := [x for x in known(rows, "amount") if x > 1]) else None
    ),
    "sum(amount * 2) / count(*)": lambda rows, _: (
        float(sum(oracle._exact(x * 2) for x in v)) / len(rows) if (v := known(rows, "amount")) else None
    ),
    "count(distinct word)": lambda rows, _: float(len(set(known(rows, "word")))),
    "sum(word::double)": lambda rows, _: (
        float(sum(map(oracle._exact, v)))
        if (v := [n for w in known(rows, "word") if (n := oracle.number(w)) is not None])
        else None
    ),
    "count(*) filter (where day > as_of - interval 3 day)": lambda rows, as_of: float(
        sum((as_of - e["event_day"]).days < 3 for e in rows)
    ),
    "len(first(word order by amount)) + count(*) * 0": lambda rows, _: first_by_amount(rows),
    "case when count(*) > 2 then 1 else 0 end": lambda rows, _: float(len(rows) > 2),
    "len(string_agg(word, ','))": lambda rows, _: float(len(",".join(v))) if (v := known(rows, "word")) else None,
    "list(amount)[1]": lambda rows, _: oracle.property_of(rows[0], "amount"),
    "count(*) filter (where double_amount >= 20)": lambda rows, _: float(
        sum(v * 2 >= 20 for v in known(rows, "amount"))
    ),
}
WINDOWED: dict[str, Callable[[list[oracle.Event], date], Any]] = {
    "avg(date_diff('day', lag(time) over (), time))": lambda rows, _: gaps(rows),
    "avg(date_diff('day', lag(time), time))": lambda rows, _: gaps(rows),
    "max(row_number() over ())": lambda rows, _: float(len(rows)),
    "count(*) filter (where lag(word) is distinct from word)": lambda rows, _: float(changes(rows)),
    "max(count(*) over (rows between 1 preceding and current row))": lambda rows, _: float(min(len(rows), 2)),
}  # fmt: skip


def first_by_amount(rows: list[oracle.Event]) -> float | None:
    """Length of the word of the event with the least amount, none last; the earliest of several."""
    amounts = [(oracle.property_of(e, "amount"), e["word"]) for e in rows]
    word = min(amounts, key=lambda pair: (pair[0] is None, pair[0] or 0))[1]
    return None if word is None else float(len(word))


@st.composite
def sql_traits(draw: st.DrawFn) -> Traits:
    found: Traits = {}
    for number in range(draw(st.integers(1, 6))):
        sql = draw(st.sampled_from([*SQL, *WINDOWED]))
        spec: dict[str, Any] = {"sql": sql, "from": draw(st.sampled_from(["buy", "look"])), "type": "float"}
        spec |= {"order_by": "time"} if sql in WINDOWED else {}
        spec |= draw(st.fixed_dictionaries({}, optional={"where": conditions, "within": st.just("4 days")}))
        found[f"t{number}"] = spec
    return found | draw(st.sampled_from([{}, {"other": {"count": "leave"}}]))


COMPUTED = {
    "double_amount": {"sql": "amount * 2", "type": "number"},
    "logarithm": {"sql": "ln(double_amount / 2)", "type": "number"},
}


def compare_sql(traits: Traits, moment: Moment) -> None:
    rows = rows_of(traits, moment, columns=COMPUTED)
    for person in range(PEOPLE):
        own = sorted((e for e in moment[0] if e["person"] == person), key=oracle.order)
        for name, spec in traits.items():
            if "sql" not in spec:
                continue
            some = oracle.chosen(oracle.visible(own, moment[1]), spec, spec["from"], moment[1])
            theirs = (SQL | WINDOWED)[spec["sql"]](some, moment[1]) if some else None
            ours = rows[f"p{person}"][name]
            assert close(ours, theirs), (spec, ours, theirs)


@usual
@given(sql_traits(), moments())
def test_sql(traits: Traits, moment: Moment) -> None:
    compare_sql(traits, moment)


@pytest.mark.long
@many
@given(sql_traits(), moments())
def test_sql_long(traits: Traits, moment: Moment) -> None:
    compare_sql(traits, moment)


def test_the_drawn_sql_is_what_a_project_may_declare() -> None:
    assert [sql_problems(sql) for sql in SQL] == [[]] * len(SQL)
    assert [sql_problems(sql, ordered=True) for sql in WINDOWED] == [[]] * len(WINDOWED)
