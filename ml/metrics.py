"""How good predictions are: pure functions of what happened and what was predicted.

Every function takes two arrays of shape (n,) and raises ValueError if they are empty, differ in length or
hold missing values. A figure that the data cannot give (AUC with one class, say) is nan.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

Vector = NDArray[np.float64]
Metric = Callable[[ArrayLike, ArrayLike], float]
SMALLEST = 1e-15


def log_loss(happened: ArrayLike, probability: ArrayLike) -> float:
    """Return the mean negative log-likelihood in nats, probabilities clipped by 1e-15."""
    label, p = _classes(happened, probability)
    p = np.clip(p, SMALLEST, 1 - SMALLEST)
    return float(-np.mean(np.where(label, np.log(p), np.log1p(-p))))


def auc(happened: ArrayLike, score: ArrayLike) -> float:
    """Return the chance that somebody it happened to has the higher score; ties count half."""
    label, s = _pair(happened, score)
    positive = label > 0
    yes, no = int(positive.sum()), int((~positive).sum())
    if yes == 0 or no == 0:
        return float("nan")
    return float((rankdata(s)[positive].sum() - yes * (yes + 1) / 2) / (yes * no))


def brier(happened: ArrayLike, probability: ArrayLike) -> float:
    """Return the mean squared difference between probability and outcome."""
    label, p = _classes(happened, probability)
    return float(np.mean((p - label) ** 2))


def ece(happened: ArrayLike, probability: ArrayLike, bins: int = 10) -> float:
    """Return the expected calibration error over equally wide bins of probability."""
    label, p = _classes(happened, probability)
    if bins < 1:
        raise ValueError(f"bins is {bins}; it must be at least 1")
    place = np.minimum((p * bins).astype(int), bins - 1)
    gaps = np.bincount(place, weights=p - label, minlength=bins)
    return float(np.abs(gaps).sum() / len(p))


def lift(happened: ArrayLike, score: ArrayLike, share: float = 0.1) -> float:
    """Return how often it happened among the highest scores, against everybody; nan if it never did.

    Those tied with the lowest of the highest scores count in proportion, so their order does not matter.
    """
    y, s = _pair(happened, score)
    wanted, rate = share * len(y), float(y.mean())
    above = s > np.partition(s, len(s) - int(np.ceil(wanted)))[len(s) - int(np.ceil(wanted))]
    edge = s == s[~above].max()
    taken = y[above].sum() + y[edge].mean() * (wanted - above.sum())
    return float(taken / wanted / rate) if rate else float("nan")


def reliability(happened: ArrayLike, probability: ArrayLike, bins: int = 10) -> list[tuple[float, float, int]]:
    """Return (mean probability, share it happened to, people) of each of some equally wide bins that has people."""
    label, p = _classes(happened, probability)
    place = np.minimum((p * bins).astype(int), bins - 1)
    groups = [place == number for number in range(bins)]
    return [(float(p[g].mean()), float(label[g].mean()), int(g.sum())) for g in groups if g.any()]


def normalised_gini(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Return how well the prediction ranks the amounts: 1 as well as they rank themselves, 0 at random."""
    y, score = _pair(actual, predicted)
    best = _rank_covariance(y, y)
    return _rank_covariance(y, score) / best if best > 0 else float("nan")


def mae(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Return the mean absolute error, in the unit of the amounts."""
    y, p = _pair(actual, predicted)
    return float(np.mean(np.abs(p - y)))


def rmse(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Return the root of the mean squared error, in the unit of the amounts."""
    y, p = _pair(actual, predicted)
    return float(np.sqrt(np.mean((p - y) ** 2)))


def bias(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Return by which share the predicted total is too high (0.1: 10 % too much); nan if all are 0."""
    y, p = _pair(actual, predicted)
    total = float(y.sum())
    return float(p.sum()) / total - 1 if total else float("nan")


def decile_mape(actual: ArrayLike, predicted: ArrayLike) -> float:
    """Return the mean relative error of the totals of ten equal groups, cut in the order of the prediction.

    Groups with an actual total of 0 are left out; nan if all are. Tied predictions keep the rows' order.
    """
    y, p = _pair(actual, predicted)
    order = np.argsort(p, kind="stable")
    groups = [part for part in np.array_split(order, 10) if len(part)]
    errors = [abs(p[part].sum() / y[part].sum() - 1) for part in groups if y[part].sum() != 0]
    return float(np.mean(errors)) if errors else float("nan")


@dataclass(frozen=True)
class WeightedGini:
    """Normalised Gini of one prediction when rows count more than once or not at all; it sorts only once."""

    amount: Vector
    place: NDArray[np.intp]
    own_place: NDArray[np.intp]

    @classmethod
    def of(cls, actual: ArrayLike, predicted: ArrayLike) -> Self:
        """Places of the amounts and of their predictions, those that are equal sharing one."""
        y, score = _pair(actual, predicted)
        return cls(y, *(np.unique(values, return_inverse=True)[1] for values in (score, y)))

    def at(self, weights: Vector) -> float:
        """The figure with these weights of rows, shape (n,); nan where all amounts are the same."""
        centred = weights * (self.amount - weights @ self.amount / max(weights.sum(), 1))
        best = float(centred @ _weighted_ranks(self.own_place, weights))
        return float(centred @ _weighted_ranks(self.place, weights)) / best if best > 0 else float("nan")


def _weighted_ranks(place: NDArray[np.intp], weights: Vector) -> Vector:
    groups = np.bincount(place, weights)
    return np.asarray((np.cumsum(groups) - groups / 2)[place], np.float64)


def _rank_covariance(y: Vector, score: Vector) -> float:
    return float(np.mean((y - y.mean()) * rankdata(score)))


def _pair(actual: ArrayLike, predicted: ArrayLike) -> tuple[Vector, Vector]:
    y, p = np.asarray(actual, np.float64), np.asarray(predicted, np.float64)
    if y.ndim != 1 or y.shape != p.shape or len(y) == 0:
        raise ValueError(f"two equally long non-empty vectors needed, not shapes {y.shape} and {p.shape}")
    if not (np.isfinite(y).all() and np.isfinite(p).all()):
        raise ValueError("missing or infinite values have no place in a metric")
    return y, p


def _classes(happened: ArrayLike, probability: ArrayLike) -> tuple[Vector, Vector]:
    label, p = _pair(happened, probability)
    if not np.isin(label, (0, 1)).all():
        raise ValueError("outcomes must be 0 or 1")
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError("probabilities must lie between 0 and 1")
    return label, p
