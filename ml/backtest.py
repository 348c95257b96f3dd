"""Rolling-origin backtests: every date is predicted by models that knew only windows closed by then.

The champion has the lowest mean log-loss, for amounts the lowest mean RMSE. Scores are expected amounts, and
the mean is what minimises squared error; absolute error is minimised by the median, which is 0 where most
people buy nothing, so it would crown whoever predicts nothing.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from ml import metrics
from ml.baselines import BASELINES, fitted_baselines
from ml.candidates import MODELS, fitted_models
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
}
AMOUNT: dict[str, Callable[[Vector, Vector], float]] = {
    "rmse": metrics.rmse,
    "mae": metrics.mae,
    "bias": metrics.bias,
    "gini": metrics.normalised_gini,
    "decile_mape": metrics.decile_mape,
}


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
    return PROBABILITY if forecast.spec.is_probability else AMOUNT


def deciding_metric(forecast: Forecast) -> str:
    """The metric that crowns a champion."""
    return next(iter(metrics_of(forecast)))


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
    """The candidate with the lowest mean of the deciding metric, the simpler one of equals; or the declared model."""
    if forecast.spec.model != "auto":
        return forecast.spec.model
    deciding, found = deciding_metric(forecast), means(results)
    runners = [name for name in MODELS if deciding in found.get(name, {})]
    if not runners:
        return "btyd"
    return min(runners, key=lambda name: found[name][deciding])


def beats_baseline(forecast: Forecast, averages: Mapping[str, Mapping[str, float]], model: str) -> bool:
    """Whether a model is better than every naive guess."""
    return is_best(forecast, averages, model, BASELINES)


def beats_built_in(forecast: Forecast, averages: Mapping[str, Mapping[str, float]], model: str) -> bool:
    """Whether a Python model is better than every built-in one."""
    return is_best(forecast, averages, model, MODELS)


def is_best(forecast: Forecast, averages: Mapping[str, Mapping[str, float]], model: str, others: Iterable[str]) -> bool:
    """Whether the deciding metric of a model is below that of all others that have one."""
    deciding = deciding_metric(forecast)
    mine = averages.get(model, {}).get(deciding, math.inf)
    return all(mine < averages[name][deciding] for name in others if deciding in averages.get(name, {}))
