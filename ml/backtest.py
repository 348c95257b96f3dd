"""Rolling-origin backtests: every date is predicted by models that knew only windows closed by then.

The champion has the lowest mean log-loss, for numbers of events the lowest mean RMSE, for money the highest mean
Gini. Gini looks at the order of people only, so whoever is far off in level is out: the champion's MAE is at most a
tenth above the lowest of the candidates. MAE alone would not do, since it is smallest at the median, which is 0 where
most people buy nothing; nor RMSE, which a few large customers decide.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ml import metrics
from ml.baselines import BASELINES, fitted_baselines
from ml.candidates import MODELS, built_in, fitted_models
from ml.dates import Calendar
from ml.rows import Vector
from ml.training import TrainingSet
from profiles_assets.project.project import Forecast

PROBABILITY: dict[str, Callable[[Vector, Vector], float]] = {
    "log_loss": metrics.log_loss,
    "auc": metrics.auc,
    "brier": metrics.brier,
    "ece": metrics.ece,
    "lift": metrics.lift,
    "bias": metrics.bias,
}
AMOUNT: dict[str, Callable[[Vector, Vector], float]] = {
    "rmse": metrics.rmse,
    "mae": metrics.mae,
    "bias": metrics.bias,
    "gini": metrics.normalised_gini,
    "decile_mape": metrics.decile_mape,
}
MONEY = {"gini": AMOUNT["gini"]} | AMOUNT
MOST_ERROR = 1.1  # mean absolute error of a champion for money, against the lowest there is


@dataclass(frozen=True)
class Result:
    """One metric of one model on one date."""

    model: str
    as_of: date
    metric: str
    value: float


@dataclass(frozen=True)
class Trial:
    """What a model said on a date about people, by who they are today, and what happened; shape (rows,) each."""

    model: str
    as_of: date
    people: NDArray[np.object_]
    happened: Vector
    predicted: Vector


def backtest(forecast: Forecast, calendar: Calendar, training: TrainingSet) -> list[Result]:
    """Metrics of every candidate and baseline on every date that can be tested."""
    return measured(forecast, trials(forecast, calendar, training))


def trials(forecast: Forecast, calendar: Calendar, training: TrainingSet) -> Iterator[Trial]:
    """Predictions of every candidate and baseline on every date that can be tested."""
    for day in calendar.tests:
        known, rows = training.rows.at(calendar.closed_by(day)), training.rows.at([day])
        if not len(known) or not len(rows):
            continue
        histories = training.histories_at(day)
        models = fitted_models(forecast, known, histories) | fitted_baselines(forecast, known, histories)
        for name, model in models.items():
            yield Trial(name, day, rows.people, rows.label, model.predict(rows))


def measured(forecast: Forecast, tests: Iterable[Trial]) -> list[Result]:
    """Every metric that the data can give, of every model on every date."""
    found = [
        Result(test.model, test.as_of, name, measure(test.happened, test.predicted))
        for test in tests
        for name, measure in metrics_of(forecast).items()
    ]
    return [result for result in found if math.isfinite(result.value)]


def metrics_of(forecast: Forecast) -> dict[str, Callable[[Vector, Vector], float]]:
    """The metrics of a prediction; the first one decides."""
    if forecast.spec.is_probability:
        return PROBABILITY
    return MONEY if forecast.spec.predict.goal == "sum" else AMOUNT


def deciding_metric(forecast: Forecast) -> str:
    """The metric that crowns a champion."""
    return next(iter(metrics_of(forecast)))


def deciding_loss(forecast: Forecast, values: Mapping[str, float]) -> float:
    """The deciding metric of some metrics, turned so that less is better; infinite where it is missing."""
    deciding = deciding_metric(forecast)
    if deciding not in values:
        return math.inf
    return -values[deciding] if deciding == "gini" else values[deciding]


def means(results: Iterable[Result]) -> dict[str, dict[str, float]]:
    """Mean of each metric over the dates, by model."""
    values: dict[str, dict[str, list[float]]] = {}
    for result in results:
        values.setdefault(result.model, {}).setdefault(result.metric, []).append(result.value)
    return {
        model: {metric: sum(found) / len(found) for metric, found in by_metric.items()}
        for model, by_metric in values.items()
    }


def champion(forecast: Forecast, results: Iterable[Result]) -> str:
    """The candidate with the best mean of the deciding metric, the simpler one of equals; or the declared model."""
    if forecast.spec.model != "auto":
        return forecast.spec.model
    found = means(results)
    runners = {name: found[name] for name in MODELS if name in found}
    most = MOST_ERROR * min((values.get("mae", math.inf) for values in runners.values()), default=math.inf)
    fair = [name for name, values in runners.items() if deciding_metric(forecast) != "gini" or values["mae"] <= most]
    return min(fair, key=lambda name: deciding_loss(forecast, runners[name]), default=built_in(forecast)[0])


def beats_baseline(forecast: Forecast, averages: Mapping[str, Mapping[str, float]], model: str) -> bool:
    """Whether a model is better than every naive guess."""
    return is_best(forecast, averages, model, BASELINES)


def beats_built_in(forecast: Forecast, averages: Mapping[str, Mapping[str, float]], model: str) -> bool:
    """Whether a Python model is better than every built-in one."""
    return is_best(forecast, averages, model, MODELS)


def is_best(forecast: Forecast, averages: Mapping[str, Mapping[str, float]], model: str, others: Iterable[str]) -> bool:
    """Whether the deciding metric of a model is better than that of all others that have one."""
    mine = deciding_loss(forecast, averages.get(model, {}))
    theirs = [deciding_loss(forecast, averages.get(name, {})) for name in others]
    return all(mine < one for one in theirs if math.isfinite(one))
