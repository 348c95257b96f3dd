"""Platt calibration: a logistic curve over the log-odds of a model, learnt where it had not seen the people's future.

Platt (1999), "Probabilistic outputs for support vector machines". It is fitted to what the champion said on tested
dates, and used only where one that was fitted to the dates before the newest is better there in 95 % of the draws of
people; then it is fitted to all of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from ml.backtest import Trial
from ml.blend import CLIP
from ml.candidates import Candidate
from ml.promotion import ENOUGH, win_share
from ml.rows import Rows, Vector
from profiles_assets.project.project import Forecast

STEPS, RIDGE = 50, 1e-6
RAW, CALIBRATED = "raw", "calibrated"


@dataclass(frozen=True)
class Platt:
    """Log-odds times a slope plus an intercept."""

    slope: float = 1.0
    intercept: float = 0.0

    @classmethod
    def fit(cls, happened: Vector, predicted: Vector) -> Self:
        """Maximum likelihood by Newton's method, with a trace of pull towards changing nothing."""
        x = np.column_stack([_odds(predicted), np.ones(len(predicted))])
        start = np.array([1.0, 0.0])
        weights = start
        for _ in range(STEPS):
            p = expit(x @ weights)
            slope = x.T @ (p - happened) + RIDGE * len(x) * (weights - start)
            curve = (x * (p * (1 - p))[:, None]).T @ x + RIDGE * len(x) * np.eye(2)
            step = np.linalg.solve(curve, slope)
            weights = weights - step
            if np.abs(step).max() < 1e-10:
                break
        return cls(float(weights[0]), float(weights[1]))

    def __call__(self, predicted: Vector) -> Vector:
        """Calibrated probabilities of shape (rows,)."""
        return np.asarray(expit(self.slope * _odds(predicted) + self.intercept), np.float64)

    def to_dict(self) -> dict[str, float]:
        """Numbers ready for JSON."""
        return {"slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_dict(cls, told: Mapping[str, float]) -> Self:
        """The curve that `to_dict` described."""
        return cls(told["slope"], told["intercept"])


@dataclass
class Calibrated:
    """A fitted model of probabilities, calibrated."""

    model: Candidate
    platt: Platt

    def fit(self, rows: Rows, histories: pd.DataFrame) -> Self:
        """Fit the model; the curve stays."""
        self.model.fit(rows, histories)
        return self

    def predict(self, rows: Rows) -> Vector:
        """Calibrated probability of each row."""
        return self.platt(self.model.predict(rows))


def learn_platt(forecast: Forecast, tests: Sequence[Trial]) -> Platt | None:
    """The curve of a model from its tests; None where it would not have made the newest date better.

    Amounts and Python models, which answer for themselves, have none; nor is there any with fewer than two dates.
    """
    tests = sorted(tests, key=lambda test: test.as_of)
    if not forecast.spec.is_probability or forecast.spec.is_python or len(tests) < 2:
        return None
    newest, earlier = tests[-1], _fitted(tests[:-1])
    if earlier is None:
        return None
    tried = replace(newest, model=CALIBRATED, predicted=earlier(newest.predicted))
    wins = win_share(forecast, [replace(newest, model=RAW), tried], CALIBRATED, RAW)
    return _fitted(tests) if wins >= ENOUGH else None


def calibrated(tests: Sequence[Trial], platt: Platt | None) -> list[Trial]:
    """Tests with calibrated predictions."""
    return [replace(test, predicted=platt(test.predicted)) for test in tests] if platt else list(tests)


def _fitted(tests: Sequence[Trial]) -> Platt | None:
    """The curve of some tests; None where all or nobody did, or where it would turn the order around."""
    happened, predicted = (np.concatenate([getattr(t, n) for t in tests]) for n in ("happened", "predicted"))
    if not 0 < happened.sum() < len(happened):
        return None
    found = Platt.fit(happened, predicted)
    return found if found.slope > 0 else None


def _odds(predicted: Vector) -> Vector:
    return np.asarray(logit(np.clip(predicted, CLIP, 1 - CLIP)), np.float64)
