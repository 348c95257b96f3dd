"""Rows that models are fitted to and predict: one person as of one date each."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from typing import Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.features import Features
from ml.histories import HISTORY

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Rows:
    """A frame with `profile_id`, `_as_of`, the purchase history, the features and, for training, `_label`."""

    frame: pd.DataFrame
    features: Features

    def __len__(self) -> int:
        return len(self.frame)

    def at(self, cuts: Iterable[date]) -> Self:
        """The rows of some dates."""
        wanted = self.frame["_as_of"].isin([pd.Timestamp(cut) for cut in cuts])
        return replace(self, frame=self.frame[wanted])

    @property
    def label(self) -> Vector:
        """What happened within the horizon."""
        return self.column("_label")

    @property
    def people(self) -> NDArray[np.object_]:
        """Who each row is about today."""
        return self.frame["_person" if "_person" in self.frame else "profile_id"].to_numpy(object)

    @property
    def has_bought(self) -> NDArray[np.bool_]:
        """Who has any purchase history."""
        return ~np.isnan(self.column("_age"))

    @property
    def matrix(self) -> pd.DataFrame:
        """The columns that trees see: the history of the predicted event, if there is one, and the traits."""
        return self.frame[[*self.history, *self.features]]

    @property
    def history(self) -> list[str]:
        """The columns of the history of the predicted event; none where traits are predicted."""
        return [name for name in HISTORY if name in self.frame]

    def column(self, name: str) -> Vector:
        """A column of numbers, nan where missing."""
        return self.frame[name].to_numpy(dtype=np.float64, na_value=np.nan)
