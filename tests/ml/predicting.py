"""Small pieces that tests of predictions share: declared predictions, and rows of made-up people."""

from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from ml.dates import Calendar
from ml.histories import HISTORY
from ml.rows import Rows
from ml.training import TrainingSet
from profiles_assets.project.predictions import Prediction
from profiles_assets.project.project import Forecast

AS_OF = date(2025, 6, 30)


def forecast(predict: str = "no order_completed", over: str = "30 days", **keys: Any) -> Forecast:
    return Forecast("risk", "user", Prediction.model_validate({"predict": predict, "over": over, **keys}))


def calendar(cuts: int = 3, horizon: int = 30) -> Calendar:
    return Calendar(AS_OF, horizon, tuple(AS_OF - timedelta(days=horizon * back) for back in range(cuts, 0, -1)))


def people(count: int, day: date, seed: int, horizon: int = 30) -> pd.DataFrame:
    """Poisson buyers whose rate is known to one feature, seen over 100 days."""
    rng = np.random.default_rng(seed)
    rate = rng.gamma(1.0, 0.03, count)
    times = [np.sort(rng.choice(100, min(rng.poisson(r * 100), 100), replace=False)) for r in rate]
    frame = pd.DataFrame({"profile_id": [f"p{i:05}" for i in range(count)], "_as_of": pd.Timestamp(day)})
    frame["_frequency"] = [len(t) - 1 if len(t) else np.nan for t in times]
    frame["_recency"] = [float(t[-1] - t[0]) if len(t) else np.nan for t in times]
    frame["_age"] = [100.0 - t[0] if len(t) else np.nan for t in times]
    frame["_monetary"] = [rng.gamma(5, 10) if len(t) > 1 else np.nan for t in times]
    frame["_recent"] = [50.0 * sum(t > 100 - horizon) for t in times]
    frame["known_rate"] = rate
    frame["noise"] = rng.normal(size=count)
    frame["letter"] = rng.choice(["a", "b", None], count)
    frame["bought"] = rng.poisson(rate * horizon)
    return frame


def training_set(forecast: Forecast, calendar: Calendar, count: int = 600) -> TrainingSet:
    frames = [people(count, day, number) for number, day in enumerate(calendar.days)]
    everybody = pd.concat(frames, ignore_index=True)
    goal = forecast.spec.predict.goal
    labels = {"none": everybody.bought == 0, "any": everybody.bought > 0, "sum": everybody.bought * 50.0}
    everybody["_label"] = labels.get(goal, everybody.bought).astype(float)
    histories = everybody.loc[everybody._age.notna(), ["_as_of", *HISTORY]]
    labelled = everybody[everybody._as_of < pd.Timestamp(calendar.as_of)].drop(columns="bought")
    features = {"known_rate": "DOUBLE", "noise": "DOUBLE", "letter": "VARCHAR"}
    return TrainingSet(Rows(labelled, features), histories, "of no importance")
