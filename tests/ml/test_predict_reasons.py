"""Reasons of scores, and intervals of amounts."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
import pytest

from ml.intervals import Intervals, learn_intervals
from ml.reasons import explained, usual_value
from ml.rows import Rows, Vector
from tests.ml.predicting import calendar, forecast, training_set


@dataclass
class Linear:
    """Ten per unit of `known_rate`, one where `letter` is a, a hundredth per day since the first purchase."""

    def fit(self, rows: Rows, histories: pd.DataFrame) -> Self:
        return self

    def predict(self, rows: Rows) -> Vector:
        of_age = np.nan_to_num(rows.column("_age")) / 100
        return 10 * rows.column("known_rate") + (rows.frame["letter"] == "a").to_numpy(float) + of_age


@pytest.fixture(scope="module")
def rows() -> Rows:
    return training_set(forecast(), calendar(), 200).rows


def test_a_change_is_the_score_less_the_score_at_the_usual_value(rows: Rows) -> None:
    scores = Linear().predict(rows)
    found = explained(Linear(), rows, scores, "order")
    rate, age = rows.column("known_rate"), rows.column("_age")
    usual_rate, usual_age = usual_value(rows.frame["known_rate"]), usual_value(rows.frame["_age"])
    usual_letter = usual_value(rows.frame["letter"])
    for row, (names, changes) in enumerate(zip(found.names, found.changes, strict=True)):
        wanted = {
            "known_rate": 10 * (rate[row] - usual_rate),
            "letter": float(rows.frame["letter"].iloc[row] == "a") - float(usual_letter == "a"),
            "history of order": (np.nan_to_num(age[row]) - np.nan_to_num(usual_age)) / 100,
        }
        strongest = sorted(wanted, key=lambda name: -abs(wanted[name]))
        assert [wanted[name] for name in names] == pytest.approx(changes, abs=1e-9)
        assert [abs(change) for change in changes] == sorted(map(abs, changes), reverse=True)
        assert abs(wanted[strongest[0]]) < 0.01 or names[0] in strongest
        assert "noise" not in names


def test_order_of_rows_changes_no_reason(rows: Rows) -> None:
    mixed = replace(rows, frame=rows.frame.sample(frac=1, random_state=1))
    ways = [explained(Linear(), r, Linear().predict(r), "order") for r in (rows, mixed)]
    keyed = [
        {(p, d): n for p, d, n in zip(r.frame.profile_id, r.frame._as_of, w.names, strict=True)}
        for r, w in zip((rows, mixed), ways, strict=True)
    ]
    assert keyed[0] == keyed[1]


@pytest.mark.parametrize(
    ("values", "usual"),
    [
        ([3.0, 1.0, 2.0, 9.0], 2.0),
        ([1.0, np.nan, np.nan], np.nan),
        (["b", "a", "b", "a"], "a"),
        ([None, None, "a"], None),
    ],
)
def test_usual_values(values: list[object], usual: object) -> None:
    found = usual_value(pd.Series(values))
    assert found == usual or (isinstance(usual, float) and np.isnan(usual) and np.isnan(found))


def test_an_interval_holds_four_fifths_of_what_happens() -> None:
    rng = np.random.default_rng(5)
    mean = rng.gamma(2.0, 30.0, 40_000)
    happened = rng.gamma(2.0, mean / 2)
    known = learn_intervals(happened[:20_000], mean[:20_000])
    assert known is not None
    low, high = known.around(mean[20_000:])
    inside = (low <= happened[20_000:]) & (happened[20_000:] <= high)
    assert inside.mean() == pytest.approx(0.8, abs=0.02)
    assert ((low <= mean[20_000:]) & (mean[20_000:] <= high)).all()
    for part in np.array_split(np.argsort(mean[20_000:]), 4):
        assert inside[part].mean() == pytest.approx(0.8, abs=0.05)


def test_intervals_do_not_depend_on_order_and_go_to_json_and_back() -> None:
    rng = np.random.default_rng(6)
    predicted, happened = rng.gamma(1.0, 9.0, 500).round(1), rng.poisson(2.0, 500).astype(float)
    mixed = rng.permutation(500)
    known = learn_intervals(happened, predicted)
    assert known is not None
    assert learn_intervals(happened[mixed], predicted[mixed]) == known
    assert Intervals.from_dict(known.to_dict()) == known
    assert learn_intervals(happened[:49], predicted[:49]) is None
