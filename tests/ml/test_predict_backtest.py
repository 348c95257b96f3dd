from datetime import date

import pandas as pd
import pytest

from ml import backtest as backtests
from ml.backtest import Result, backtest, beats_baseline, champion, means
from ml.baselines import Mean
from ml.candidates import Candidate
from ml.errors import PredictionError
from ml.rows import Rows
from ml.training import check_enough
from tests.ml.predicting import AS_OF, calendar, forecast, training_set


def results(metric: str, **values: tuple[float, ...]) -> list[Result]:
    return [
        Result(model, date(2025, month, 1), metric, value)
        for model, found in values.items()
        for month, value in enumerate(found, 1)
    ]


def test_the_champion_has_the_lowest_mean_and_baselines_never_win() -> None:
    found = results("log_loss", btyd=(0.5, 0.6), boosted=(0.7, 0.3), blend=(0.52, 0.52), mean=(0.1, 0.1))
    assert champion(forecast(), found) == "boosted"
    assert not beats_baseline(forecast(), means(found), "boosted")
    assert champion(forecast(model="btyd"), found[:2]) == "btyd"


def test_the_simpler_of_equal_candidates_wins() -> None:
    assert champion(forecast(), results("log_loss", blend=(0.5,), boosted=(0.5,))) == "boosted"


def test_numbers_are_decided_by_rmse() -> None:
    found = results("rmse", btyd=(9.0,), boosted=(8.0,)) + results("mae", btyd=(1.0,), boosted=(2.0,))
    asked = forecast("count order_completed")
    assert champion(asked, found) == "boosted"
    assert beats_baseline(asked, means(found + results("rmse", mean=(10.0,), same_again=(9.0,))), "boosted")
    assert not beats_baseline(asked, means(found + results("rmse", same_again=(7.0,))), "boosted")


@pytest.mark.parametrize(("error", "winner"), [(10.9, "boosted"), (11.1, "blend")])
def test_money_is_decided_by_gini_among_those_whose_error_is_near_the_lowest(error: float, winner: str) -> None:
    found = results("gini", btyd=(0.3,), boosted=(0.6,), blend=(0.5,))
    found += results("mae", btyd=(10.0,), boosted=(error,), blend=(10.5,))
    asked = forecast("sum order_completed.total")
    assert champion(asked, found) == winner
    assert beats_baseline(asked, means(found + results("gini", mean=(0.0,), same_again=(0.49,))), winner)
    assert not beats_baseline(asked, means(found + results("gini", same_again=(0.7,))), winner)


def test_each_date_is_predicted_from_windows_that_had_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, dates = forecast(), calendar(4)
    seen: list[tuple[set[date], set[date]]] = []

    def fit(_: object, rows: Rows, histories: object) -> dict[str, Candidate]:
        known = {stamp.date() for stamp in rows.frame._as_of}
        latest = {stamp.date() for stamp in histories._as_of}  # type: ignore[attr-defined]
        seen.append((known, latest))
        return {"boosted": Mean().fit(rows, histories)}  # type: ignore[arg-type]

    monkeypatch.setattr(backtests, "fitted_models", fit)
    backtest(asked, dates, training_set(asked, dates, 50))
    assert [latest for _, latest in seen] == [{day} for day in dates.tests]
    assert all(dates.closes(cut) <= min(latest) <= AS_OF for known, latest in seen for cut in known)


@pytest.fixture(scope="module")
def churn() -> list[Result]:
    asked, dates = forecast(), calendar(3)
    return backtest(asked, dates, training_set(asked, dates, 800))


def test_a_backtest_has_every_metric_of_every_model_and_date(churn: list[Result]) -> None:
    assert {r.model for r in churn} == {"btyd", "boosted", "blend", "mean"}
    assert len({r.as_of for r in churn}) == 2
    assert {r.metric for r in churn if r.model == "btyd"} == {"log_loss", "auc", "brier", "ece", "lift", "bias"}


def test_every_candidate_beats_the_mean_on_learnable_data(churn: list[Result]) -> None:
    averages = means(churn)
    assert all(beats_baseline(forecast(), averages, name) for name in ("btyd", "boosted", "blend"))


@pytest.mark.parametrize(
    ("predict", "label", "words"),
    [
        ("no bought", 1.0, "all but 5 of 105 people had no bought in the 30 days after"),
        ("bought", 0.0, "only 5 of 105 people had any bought"),
        ("sum bought.total", 0.0, "only 5 of 105 people had any bought"),
    ],
)
def test_too_few_of_a_kind_are_told(predict: str, label: float, words: str) -> None:
    rows = Rows(pd.DataFrame({"_label": [label] * 100 + [1 - label] * 5}), {})
    with pytest.raises(PredictionError, match=words):
        check_enough(rows, forecast(predict))
