"""Importance of features, and the curves behind the pictures of a model, against counts by hand."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.curves import SHARES, deciles, gains
from ml.importance import backtest_importance, importance
from ml.rows import Rows, Vector
from tests.ml.predicting import calendar, forecast, training_set


@dataclass
class Known:
    """The chance of buying as a feature tells it; nothing else matters."""

    def fit(self, rows: Rows, histories: pd.DataFrame) -> Self:
        return self

    def predict(self, rows: Rows) -> Vector:
        return np.clip(1 - np.exp(-30 * rows.column("known_rate")), 0.01, 0.99)


@pytest.fixture(scope="module")
def rows() -> Rows:
    return training_set(forecast("order_completed"), calendar(), 300).rows


def test_only_what_the_model_uses_is_important(rows: Rows) -> None:
    found = dict(importance(forecast("order_completed"), Known(), rows))
    assert found.keys() == {"history of order_completed", "known_rate", "noise", "letter"}
    assert found["known_rate"] > 0.1
    assert {found[name] for name in found.keys() - {"known_rate"}} == {0.0}


def test_order_of_rows_and_of_features_changes_nothing(rows: Rows) -> None:
    mixed = Rows(rows.frame.sample(frac=1, random_state=3), dict(reversed(rows.features.items())))
    asked = forecast("order_completed")
    assert importance(asked, Known(), mixed) == importance(asked, Known(), rows)


def test_many_rows_are_sampled_the_same_way_in_any_order(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ml.importance.MOST_ROWS", 100)
    asked = forecast("order_completed")
    mixed = replace(rows, frame=rows.frame.sample(frac=1, random_state=4))
    assert importance(asked, Known(), mixed) == importance(asked, Known(), rows)


@pytest.mark.parametrize("champion", ["btyd", "boosted"])
def test_the_champion_is_tried_on_a_date_it_has_not_seen(champion: str) -> None:
    asked, dates = forecast("order_completed"), calendar()
    found = dict(backtest_importance(asked, dates, training_set(asked, dates), champion))
    best = {"btyd": "history of order_completed", "boosted": "known_rate"}[champion]
    assert next(iter(found)) == best
    assert found[best] > 0.01
    assert champion != "btyd" or found["known_rate"] == 0


ROWS = st.lists(st.tuples(st.sampled_from([0.1, 0.4, 0.5, 0.9]), st.integers(0, 3)), min_size=1, max_size=60)


@given(ROWS, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_gains_are_what_the_highest_scores_hold_in_the_mean_over_ties(rows: list[tuple[float, int]], chance) -> None:
    score, happened = (np.array(column, float) for column in zip(*rows, strict=True))
    found, total, size = gains(happened, score), happened.sum(), len(rows)
    assert (found == []) == (total == 0)
    for (share, caught), wanted in zip(found, SHARES, strict=bool(found)):
        left, held = wanted * size, 0.0
        for value in sorted(set(score), reverse=True):
            tied = score == value
            part = min(max(left / tied.sum(), 0), 1)
            held, left = held + part * happened[tied].sum(), left - tied.sum()
        assert (share, caught) == pytest.approx((wanted, held / total), abs=1e-4)
    mixed = chance.sample(rows, size)
    again = gains(np.array([h for _, h in mixed], float), np.array([s for s, _ in mixed]))
    assert again == [(share, pytest.approx(caught)) for share, caught in found]


def test_deciles_are_means_of_equal_groups_from_the_lowest_up() -> None:
    predicted = np.arange(1000.0)
    happened = predicted * 2 + 1
    found = deciles(happened[::-1], predicted[::-1])
    assert [people for *_, people in found] == [100] * 10
    means = [part.mean() for part in np.split(predicted, 10)]
    assert [p for p, *_ in found] == pytest.approx(means)
    assert [y for _, y, _ in found] == pytest.approx([2 * mean + 1 for mean in means])
    assert len(deciles(np.array([1.0, 2.0]), np.array([3.0, 1.0]))) == 2
