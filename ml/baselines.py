"""Naive guesses that every model must beat.

`mean`        everybody gets the mean outcome.
`same_again`  for amounts, what people had in the last horizon.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from ml.candidates import Candidate
from ml.rows import Rows, Vector
from profiles_assets.project.project import Forecast

BASELINES = ("mean", "same_again")


@dataclass
class Mean:
    """Everybody gets the mean outcome."""

    mean: float = 0.0

    def fit(self, rows: Rows, histories: pd.DataFrame) -> Self:  # noqa: ARG002
        """Take the mean."""
        self.mean = float(rows.label.mean())
        return self

    def predict(self, rows: Rows) -> Vector:
        """The mean for each row."""
        return np.full(len(rows), self.mean)


@dataclass
class SameAgain:
    """People do in the next horizon what they did in the last one."""

    def fit(self, rows: Rows, histories: pd.DataFrame) -> Self:  # noqa: ARG002
        """Nothing to learn."""
        return self

    def predict(self, rows: Rows) -> Vector:
        """The amount of the last horizon."""
        return np.nan_to_num(rows.column("_recent"))


def fitted_baselines(forecast: Forecast, rows: Rows, histories: pd.DataFrame) -> dict[str, Candidate]:
    """The naive guesses, fitted."""
    baselines: dict[str, Candidate] = {"mean": Mean().fit(rows, histories)}
    return baselines if forecast.spec.is_probability else baselines | {"same_again": SameAgain()}
