from dataclasses import replace
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.project.metrics import Metric
from profiles_assets.project.project import Declared, Project
from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.derived import Reading, read_sql
from profiles_assets.traits.metrics import BINS, histogram, percentiles, stage_distributions
from profiles_assets.traits.series import series_sql
from tests.oracles import metrics as oracle
from tests.oracles.traits import same
from tests.traits.events import lake_with, project_with

START, PEOPLE = date(2025, 1, 1), 2
SPECS: dict[str, dict[str, Any]] = {
    "orders": {"count": "buy"},
    "large": {"count": "buy", "where": {"amount": ">= 10"}, "within": "7 days"},
    "revenue": {"sum": "buy.amount", "unless_none": 0},
    "basket": {"average": "buy.amount", "within": "30 days"},
    "lowest": {"min": "buy.amount"},
    "highest": {"max": "buy.amount"},
    "words": {"unique_count": "look.word"},
    "days": {"days_with": "look"},
}
EXTREME = [float("nan"), 1e308, -1e308]
values = st.one_of(st.none(), st.sampled_from([0.0, 0.0, 1.0, 7.0, *EXTREME]), st.floats(-1e9, 1e9))


def declared(spec: dict[str, Any]) -> Declared[Metric]:
    return Declared("number", "user", Metric.model_validate(spec))


def project_of(spec: dict[str, Any]) -> Project:
    return replace(project_with({}), metrics={"number": declared(spec)})


@st.composite
def events(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for position in range(draw(st.integers(0, 12))):
        time = datetime(2025, 1, 1) + timedelta(days=draw(st.integers(0, 4)), hours=draw(st.integers(0, 23)))
        rows.append(
            {
                "time": time,
                "event_day": time.date(),
                "day": time.date() + timedelta(days=draw(st.integers(-1, 2))),
                "event": draw(st.sampled_from(["buy", "buy", "look"])),
                "event_id": None,
                "file": "f",
                "position": position,
                "duplicate": draw(st.integers(0, 4)) == 0,
                "person": draw(st.one_of(st.none(), st.integers(0, PEOPLE))),
                "amount": draw(st.one_of(st.none(), st.sampled_from([0.1, 0.2, 10.0, -3.5]))),
                "word": draw(st.sampled_from([None, "a", "b"])),
                "flag": None,
            }
        )
    return rows


def check_series(history: list[dict[str, Any]], as_of: date) -> None:
    con = lake_with(history, PEOPLE)
    for name, spec in SPECS.items():
        sql = series_sql(declared(spec), event_columns(con, project_of(spec)), f"DATE '{as_of}'")
        ours = {day: tuple(rest) for day, *rest in con.execute(sql).fetchall()}
        theirs = oracle.series(spec, history, as_of, PEOPLE)
        assert ours.keys() == theirs.keys(), name
        for day, (value, *counts) in ours.items():
            assert same(value, theirs[day][0]), (name, day)
            assert tuple(counts) == theirs[day][1:], (name, day)


@settings(max_examples=40, deadline=None)
@given(history=events(), as_of=st.integers(0, 7))
def test_series_equal_the_oracle(history: list[dict[str, Any]], as_of: int) -> None:
    check_series(history, START + timedelta(days=as_of))


@pytest.mark.long
@settings(max_examples=2_000, deadline=None)
@given(history=events(), as_of=st.integers(0, 7))
def test_series_equal_the_oracle_long(history: list[dict[str, Any]], as_of: int) -> None:
    check_series(history, START + timedelta(days=as_of))


def event(day: int, amount: float, person: int | None = 0) -> dict[str, Any]:
    time = datetime(2025, 1, 1, 12) + timedelta(days=day)
    known = {"event": "buy", "event_id": None, "file": "f", "duplicate": False, "word": None, "flag": None}
    return known | {
        "time": time, "event_day": time.date(), "day": time.date(), "position": day, "amount": amount, "person": person,
    }  # fmt: skip


def test_types_of_series() -> None:
    con = lake_with([event(0, 2.0), event(1, 3.0, None)], PEOPLE)
    doubled = {"sql": "sum(amount) * 2", "from": "buy", "type": "integer"}
    for spec, types in (
        (SPECS["orders"], {"BIGINT"}),
        (SPECS["revenue"], {"DOUBLE"}),
        (doubled, {"BIGINT"}),
        ({"count": "buy", "type": "float"}, {"DOUBLE"}),
    ):
        sql = series_sql(declared(spec), event_columns(con, project_of(spec)), "DATE '2025-01-09'")
        assert {str(type_) for type_ in con.sql(sql).types[1:2]} == types
        assert [str(type_) for type_ in con.sql(sql).types[2:]] == ["BIGINT", "BIGINT"]
    sql = series_sql(declared(doubled), event_columns(con, project_of(doubled)), "DATE '2025-01-09'")
    assert sorted(con.execute(sql).fetchall()) == [(START, 4, 1, 1), (START + timedelta(1), 6, 1, 0)]


def test_a_source_that_was_never_loaded_has_no_days() -> None:
    con = duckdb.connect()
    sql = series_sql(declared(SPECS["orders"]), event_columns(con, project_of(SPECS["orders"])), "DATE '2025-01-09'")
    assert con.execute(sql).fetchall() == []
    assert [str(type_) for type_ in con.sql(sql).types] == ["DATE", "BIGINT", "BIGINT", "BIGINT"]


def table_of(numbers: list[float | None]) -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(
        "CREATE TABLE people AS SELECT i AS id, v AS number FROM (SELECT unnest(?::DOUBLE[]) AS v, 1 AS i)", [numbers]
    )
    stage_distributions(con, ["number"], "people", "distributions")
    return con


def check_distribution(numbers: list[float | None]) -> None:
    con, finite = table_of(numbers), [v for v in numbers if v is not None and v == v]
    found = con.execute("FROM distributions").fetchall()
    assert bool(found) == bool(finite)
    if not finite:
        assert histogram(con, "number", "people", "distributions") == []
        return
    (name, people, places, edges), n = found[0], len(finite)
    assert (name, people) == ("number", n)
    assert places == [oracle.percentile(finite, Fraction(place, 100)) for place in range(101)]
    assert len(edges) == BINS + 1
    assert all(low <= high for low, high in pairwise(edges))
    low, high = (oracle.percentile(finite, Fraction(place, 1000)) for place in (5, 995))
    if low == high:
        low, high = min(finite), max(finite)
    assert edges[0] == low
    assert edges[-1] == (high if low < high else low + 1)
    counted = histogram(con, "number", "people", "distributions")
    assert [count for *_, count in counted] == oracle.bins(finite, edges)
    assert [bin_[0] for bin_ in counted] == [None, *edges]
    assert [bin_[1] for bin_ in counted] == [*edges, None]
    assert percentiles(con, "number", "distributions") == places


@settings(max_examples=60, deadline=None)
@given(st.lists(values, max_size=25))
def test_distributions_equal_the_oracle(numbers: list[float | None]) -> None:
    check_distribution(numbers)


@pytest.mark.long
@settings(max_examples=2_000, deadline=None)
@given(st.lists(values, max_size=300))
def test_distributions_equal_the_oracle_long(numbers: list[float | None]) -> None:
    check_distribution(numbers)


@pytest.mark.parametrize(
    ("numbers", "edges", "filled"),
    [
        ([5.0] * 9, (5, 6), {1: 9}),
        ([-2.5], (-2.5, -1.5), {1: 1}),
        ([0.0] * 999 + [24.0], (0, 24), {1: 999, 25: 1}),
        ([float(n) for n in range(1, 1001)], (5, 995), {0: 4, 25: 6}),
        ([None, -4.0, None, -1.0], (-4, -1), {1: 1, 25: 1}),
    ],
)
def test_bins_of_special_metrics(numbers: list[float], edges: tuple[float, float], filled: dict[int, int]) -> None:
    con = table_of(numbers)
    found = con.execute("SELECT edges[1], edges[25] FROM distributions").fetchone()
    counted = [people for *_, people in histogram(con, "number", "people", "distributions")]
    assert found == edges
    assert len(counted) == BINS + 2
    assert {i: counted[i] for i in filled} == filled


def test_text_is_no_number_and_several_metrics_are_read_at_once() -> None:
    con = duckdb.connect()
    con.execute("CREATE TABLE people AS SELECT * FROM (VALUES ('7', 1, 2.5), ('x', 2, NULL)) AS t(metric, v, people)")
    stage_distributions(con, ["metric", "v", "people"], "people", "distributions")
    found = con.execute("SELECT metric, people, percentiles[51] FROM distributions ORDER BY metric").fetchall()
    assert found == [("metric", 1, 7.0), ("people", 1, 2.5), ("v", 2, 1.0)]


def test_bins_of_the_histogram_are_those_of_the_bucket() -> None:
    numbers = [float(n * n) for n in range(300)]
    con = table_of(list(numbers))
    bucket = Trait.model_validate({"bucket": "number"})
    sql = read_sql("b", bucket, Reading("DATE '2025-01-01'", distributions="distributions"))
    told = dict(con.execute(f"SELECT {sql} AS b, count(*) FROM people GROUP BY b").fetchall())
    drawn = [people for *_, people in histogram(con, "number", "people", "distributions")]
    assert told == {index: people for index, people in enumerate(drawn) if people}
