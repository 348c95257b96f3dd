"""How far scores and features have moved from training."""

import json
from dataclasses import replace
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.backtest import Trial
from ml.checks import label_rate, stable
from ml.drift import CLEAR, SOME, Drift, Shape, drifts, is_clock, kind_of, label_rates, rate_has_moved, shapes
from ml.registry import Model
from ml.report import drift_table
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from tests.ml.predicting import AS_OF, calendar, forecast, training_set
from tests.shop import EXAMPLE

VALUES = st.lists(st.none() | st.integers(-3, 3), min_size=1, max_size=40)


def by_hand(then: list[float | None], now: list[float | None], cuts: list[float]) -> float:
    """PSI with half a person more in each part that anybody is in, one part after the other."""
    edges = [-np.inf, *cuts, np.inf]
    parts = [
        [sum(v is not None and low < v <= high for v in values) for low, high in pairwise(edges)]
        + [sum(v is None for v in values)]
        for values in (then, now)
    ]
    used = [(a + 0.5, b + 0.5) for a, b in zip(*parts, strict=True) if a or b]
    before, after = (sum(pair[side] for pair in used) for side in (0, 1))
    return sum((b / after - a / before) * np.log((b / after) / (a / before)) for a, b in used)


@settings(max_examples=60, deadline=None)
@given(VALUES, VALUES)
def test_psi_is_the_sum_over_parts(then: list[float | None], now: list[float | None]) -> None:
    first, second = (pd.Series(values, dtype="float64") for values in (then, now))
    shape = Shape.of(first)
    assert shape.psi(second) == pytest.approx(by_hand(then, now, list(map(float, shape.cuts))))
    assert shape.psi(second) >= 0
    assert Shape.of(first.sample(frac=1, random_state=1)) == shape


def test_parts_are_tenths_and_texts_by_their_number() -> None:
    shape = Shape.of(pd.Series(np.arange(1000.0)))
    assert len(shape.cuts) == 9
    assert set(shape.counts[:-1]) == {100}
    texts = pd.Series(["a"] * 5 + ["b"] * 3 + [None] + [f"t{n:02}" for n in range(20)])
    assert Shape.of(texts) == Shape(["a", "b", *(f"t{n:02}" for n in range(8))], [5, 3, *[1] * 8, 12, 1])


@pytest.mark.parametrize(("shift", "reading"), [(0.0, (0, SOME)), (0.4, (SOME, CLEAR)), (1.0, (CLEAR, 9))])
def test_a_shift_by_a_deviation_is_clear(shift: float, reading: tuple[float, float]) -> None:
    rng = np.random.default_rng(0)
    known = Shape.of(pd.Series(rng.normal(size=5000)))
    assert reading[0] <= known.psi(pd.Series(rng.normal(shift, 1, 5000))) < reading[1]


def test_a_shift_of_one_feature_is_found_where_it_is() -> None:
    asked = forecast()
    rows = training_set(asked, calendar(), 500).rows
    tested = Trial("btyd", AS_OF, rows.people, rows.label, rows.column("noise"))
    known = json.loads(json.dumps(shapes(rows, [tested])))
    moved = replace(rows, frame=rows.frame.assign(known_rate=rows.frame.known_rate + 1, _age=rows.frame._age + 300))
    found = {d.feature: d for d in drifts(load_project(EXAMPLE), asked, known, moved, rows.column("noise"))}
    assert {name for name, d in found.items() if d.psi > 0} == {"known_rate", "_age"}
    assert [found[name].kind for name in ("known_rate", "_age", "score")] == ["behaviour", "clock", "score"]
    every = sorted(found.values(), key=lambda d: -d.psi)
    assert [stable(every, kind)[0] for kind in ("score", "behaviour", "clock")] == [True, False, False]
    assert "| known_rate | behaviour |" in drift_table(every)
    assert stable([Drift("a", "behaviour", 0.249)], "behaviour")[0]


def test_clocks_are_what_moves_by_itself() -> None:
    project: Project = load_project(EXAMPLE)
    traits = project.traits_of("user")
    assert {name: is_clock(traits, name) for name in ("days_since_order", "orders", "orders_90d", "city")} == {
        "days_since_order": True, "orders": True, "orders_90d": False, "city": False,
    }  # fmt: skip
    assert kind_of(project, forecast(), "_recent") == "behaviour"


@pytest.mark.parametrize(
    ("newest", "moved"), [((1000, 105), False), ((1000, 150), True), ((20, 4), False), ((1000, 60), True)]
)
def test_a_label_rate_moves_when_it_is_far_off_and_surely(newest: tuple[int, int], moved: bool) -> None:
    rates = [("2025-01-01", 1000, 100), ("2025-02-01", 1000, 102), ("2025-03-01", *newest)]
    assert rate_has_moved(rates) is moved
    assert not rate_has_moved(rates[-1:])
    model = Model("risk", date(2025, 4, 1), "", "", parameters={"label_rates": rates})
    assert label_rate(model)[0] is not moved
    assert label_rate(None) == (True, {})


def test_label_rates_are_told_by_date() -> None:
    rows = training_set(forecast(), calendar(), 200).rows
    rates = label_rates(rows)
    assert [day for day, *_ in rates] == [str(day) for day in calendar().cuts]
    assert sum(came for *_, came in rates) == rows.label.sum()
