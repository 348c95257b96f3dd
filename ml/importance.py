"""How much a model needs each feature: what it loses on people it was not fitted to when the feature is shuffled.

The loss is log-loss, of amounts the root of the mean squared error (Breiman 2001, "Random forests"; Fisher et al.
2019). The history of the predicted event counts as one feature. Of two features that say the same neither may be
missed. People are put in one order before they are shuffled, so the order of rows changes nothing.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from ml import metrics
from ml.candidates import Candidate, fitted_models
from ml.custom import Custom
from ml.dates import Calendar
from ml.histories import HISTORY
from ml.rows import Rows, Vector
from ml.training import TrainingSet
from profiles_assets.project.project import Forecast

MOST_ROWS, DRAWS, SEED = 5_000, 5, 0

Importance = list[tuple[str, float]]


def backtest_importance(forecast: Forecast, calendar: Calendar, training: TrainingSet, champion: str) -> Importance:
    """Importance for the champion on the newest tested date, fitted to windows closed by then; empty without any."""
    for day in reversed(calendar.tests):
        known, rows = training.rows.at(calendar.closed_by(day)), training.rows.at([day])
        if len(known) and len(rows):
            model = _fitted(forecast, champion, known, training.histories_at(day))
            return importance(forecast, model, rows)
    return []


def importance(forecast: Forecast, model: Candidate, rows: Rows) -> Importance:
    """(feature, rise of the loss when it is shuffled), the largest first, of at most 5,000 of the rows."""
    frame = _some(rows.frame)
    copies = max(1, min(DRAWS, MOST_ROWS // len(frame)))
    many = replace(rows, frame=pd.concat([frame] * copies, ignore_index=True))
    base = _loss(forecast, many.label, model.predict(many))
    found = {}
    for name, columns in _groups(rows, forecast.spec.predict.event):
        chance = np.random.default_rng([SEED, *name.encode()])
        order = np.concatenate([chance.permutation(len(frame)) for _ in range(copies)])
        shuffled = many.frame.assign(**{column: frame[column].array.take(order) for column in columns})
        found[name] = _loss(forecast, many.label, model.predict(replace(rows, frame=shuffled))) - base
    return sorted(found.items(), key=lambda pair: (-pair[1], pair[0]))


def _fitted(forecast: Forecast, champion: str, rows: Rows, histories: pd.DataFrame) -> Candidate:
    if forecast.spec.is_python:
        return Custom(forecast).fit(rows, histories)
    alone = replace(forecast, spec=forecast.spec.model_copy(update={"model": champion}))
    return fitted_models(alone, rows, histories)[champion]


def _some(frame: pd.DataFrame) -> pd.DataFrame:
    ordered = frame.sort_values(["profile_id", "_as_of"], ignore_index=True)
    if len(ordered) <= MOST_ROWS:
        return ordered
    chosen = np.random.default_rng(SEED).choice(len(ordered), MOST_ROWS, replace=False)
    return ordered.iloc[np.sort(chosen)].reset_index(drop=True)


def _groups(rows: Rows, event: str) -> Iterator[tuple[str, list[str]]]:
    if history := [name for name in HISTORY if name in rows.frame]:
        yield f"history of {event}", history
    yield from ((name, [name]) for name in sorted(rows.features))


def _loss(forecast: Forecast, happened: Vector, predicted: Vector) -> float:
    measure = metrics.log_loss if forecast.spec.is_probability else metrics.rmse
    return measure(happened, predicted)
