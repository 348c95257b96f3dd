"""80 % intervals of amounts, from what happened to people with much the same prediction in the backtest.

People of all tested dates are put into groups of neighbouring predictions; an interval holds the middle 80 % of
what a group went on to do. It always holds the expected amount too, which lies outside where few do a lot.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ml.rows import Vector

LEVEL = 0.8
MOST_GROUPS, FEWEST_PEOPLE = 20, 50


@dataclass(frozen=True)
class Intervals:
    """Groups by the highest prediction in each, with the ends of what happened in it."""

    edges: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]

    def around(self, predicted: Vector) -> tuple[Vector, Vector]:
        """Ends of the interval of each prediction, shape (rows,) each."""
        group = np.minimum(np.searchsorted(np.array(self.edges), predicted), len(self.edges) - 1)
        return np.minimum(np.array(self.low)[group], predicted), np.maximum(np.array(self.high)[group], predicted)

    def to_dict(self) -> dict[str, Sequence[float]]:
        """Numbers ready for JSON."""
        return {"edges": self.edges, "low": self.low, "high": self.high}

    @classmethod
    def from_dict(cls, told: Mapping[str, Sequence[float]]) -> "Intervals":
        """The intervals that `to_dict` described."""
        return cls(*(tuple(told[name]) for name in ("edges", "low", "high")))


def learn_intervals(happened: Vector, predicted: Vector) -> Intervals | None:
    """Intervals of the outcomes and predictions of tested people, whatever their order; None for fewer than 50."""
    groups = min(MOST_GROUPS, len(predicted) // FEWEST_PEOPLE)
    if groups == 0:
        return None
    edges = np.unique(np.quantile(predicted, np.arange(1, groups + 1) / groups, method="higher"))
    group = np.searchsorted(edges, predicted)
    outside = (1 - LEVEL) / 2
    ends = [np.quantile(happened[group == g], (outside, 1 - outside)) for g in range(len(edges))]
    low, high = zip(*(map(float, pair) for pair in ends), strict=True)
    return Intervals(tuple(map(float, edges)), low, high)
