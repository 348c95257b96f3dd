"""Calibration is learnt on earlier dates and used only where it helps on a later one."""

import json
from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from ml.backtest import Trial
from ml.calibration import Calibrated, Platt, calibrated, learn_platt
from ml.candidates import BuyTillYouDie
from ml.metrics import ece, log_loss
from tests.ml.predicting import calendar, forecast, training_set

DAYS = [date(2025, month, 1) for month in (1, 2, 3)]


def dates_of(distort: float, last: float | None = None, people: int = 1500) -> list[Trial]:
    """Predictions whose log-odds are so many times those that are true; on the newest date perhaps otherwise."""
    found = []
    for number, day in enumerate(DAYS):
        rng = np.random.default_rng(number)
        odds = rng.normal(-1, 1, people)
        happened = (rng.random(people) < 1 / (1 + np.exp(-odds))).astype(float)
        times = last if last is not None and day == DAYS[-1] else distort
        who = np.arange(people).astype(str).astype(object)
        found.append(Trial("btyd", day, who, happened, 1 / (1 + np.exp(-times * odds))))
    return found


def test_the_curve_is_that_of_scikit_learn() -> None:
    test = dates_of(1.8)[0]
    odds = np.log(test.predicted / (1 - test.predicted))
    theirs = LogisticRegression(C=1e9, tol=1e-10).fit(odds[:, None], test.happened)
    ours = Platt.fit(test.happened, test.predicted)
    assert (ours.slope, ours.intercept) == pytest.approx((theirs.coef_[0, 0], theirs.intercept_[0]), abs=1e-4)
    assert Platt.from_dict(json.loads(json.dumps(ours.to_dict()))) == ours


def test_it_is_used_where_a_later_date_gets_better() -> None:
    tests = dates_of(2.0)
    platt = learn_platt(forecast(), tests)
    assert platt is not None
    assert platt.slope == pytest.approx(0.5, abs=0.05)
    for before, after in zip(tests, calibrated(tests, platt), strict=True):
        assert log_loss(after.happened, after.predicted) < log_loss(before.happened, before.predicted)
        assert ece(after.happened, after.predicted) < ece(before.happened, before.predicted)


@pytest.mark.parametrize(("distort", "last"), [(1.0, None), (2.0, 1.0)])
def test_it_is_left_out_where_it_does_not_help_later(distort: float, last: float | None) -> None:
    tests = dates_of(distort, last)
    assert learn_platt(forecast(), tests) is None
    assert calibrated(tests, None) == tests


def test_there_is_none_without_two_dates_for_amounts_for_files_or_for_one_outcome() -> None:
    tests = dates_of(2.0)
    assert learn_platt(forecast(), tests[:1]) is None
    assert learn_platt(forecast("count order_completed"), tests) is None
    assert learn_platt(forecast(model="models/own.py"), tests) is None
    assert learn_platt(forecast(), [replace(test, happened=test.happened * 0) for test in tests]) is None


def test_it_does_not_depend_on_the_order_of_dates_and_keeps_the_order_of_people() -> None:
    tests = dates_of(2.0)
    assert learn_platt(forecast(), tests) == learn_platt(forecast(), tests[::-1])
    asked = forecast()
    data = training_set(asked, calendar(), 200)
    model = BuyTillYouDie(asked).fit(data.rows, data.histories_at(calendar().as_of))
    raw, curved = model.predict(data.rows), Calibrated(model, Platt(0.5, 0.3)).predict(data.rows)
    assert (np.argsort(raw, kind="stable") == np.argsort(curved, kind="stable")).all()
