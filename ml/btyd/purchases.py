"""What the models of repeat buying share: checked inputs, fitting, and the questions one may ask."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from ml.btyd.fitting import LONGEST, Vector, maximise, unique_rows
from ml.btyd.parameters import Parameters


def column(name: str, values: ArrayLike) -> Vector:
    """Return one-dimensional finite non-negative numbers, or raise ValueError naming the first bad one."""
    numbers = np.atleast_1d(np.asarray(values, dtype=np.float64))
    if numbers.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, not of shape {numbers.shape}")
    bad = ~(np.isfinite(numbers) & (numbers >= 0))
    if bad.any():
        raise ValueError(f"{name} must be finite and not negative; row {bad.argmax()} has {numbers[bad][0]}")
    return numbers


def histories(frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> tuple[Vector, Vector, Vector]:
    """Return the three columns of customers' histories, or raise ValueError saying what is wrong."""
    x, tx, age = column("frequency", frequency), column("recency", recency), column("T", T)
    if not len(x) == len(tx) == len(age):
        raise ValueError(f"frequency, recency and T differ in length: {len(x)}, {len(tx)}, {len(age)}")
    for bad, reason in (
        (x != np.floor(x), "frequency must be a whole number of repeat purchases"),
        (tx > age, "recency is after T"),
        ((x == 0) & (tx > 0), "recency must be 0 for a customer who bought once"),
    ):
        if bad.any():
            row = bad.argmax()
            raise ValueError(f"{reason}: row {row} has ({x[row]:g}, {tx[row]:g}, {age[row]:g})")
    return x, tx, age


def fittable(x: Vector, age: Vector) -> None:
    """Raise ValueError unless there is somebody who bought again, over some time."""
    if len(x) == 0:
        raise ValueError("no customers to fit")
    if not (x > 0).any():
        raise ValueError("nobody bought again: a model of repeat buying needs repeat buyers")
    if age.max() == 0:
        raise ValueError("T is 0 for every customer: nobody has been observed for any time")


@dataclass(frozen=True)
class PurchaseModel(Parameters):
    """Repeat buying until an unseen end.

    A customer's history is frequency (repeat purchases), recency (time from first to last purchase) and T
    (time from first purchase to now), all in one unit of time; arrays of shape (n,) or single numbers.
    """

    starts: ClassVar[tuple[tuple[float, ...], ...]]
    times: ClassVar[tuple[str, ...]]  # the parameters that are measured in time

    @classmethod
    def fit(cls, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike, *, penalty: float = 0.0) -> Self:
        """Fit by maximum likelihood to histories of shape (n,); ValueError on impossible histories.

        `penalty` (default none) pulls the log-parameters, with T scaled to 10, towards 0.
        """
        x, tx, age = histories(frequency, recency, T)
        fittable(x, age)
        (x, tx, age), weights = unique_rows(x, tx, age)
        scale = LONGEST / age.max()
        found = maximise(cls.log_density, (x, tx * scale, age * scale), weights, cls.starts, penalty=penalty)
        found[[cls.names.index(name) for name in cls.times]] /= scale
        log_likelihood = float(weights @ cls.log_density(found, x, tx, age))
        values = dict(zip(cls.names, map(float, found), strict=True))
        return cls.from_dict({**values, "log_likelihood": log_likelihood, "n": int(weights.sum())})

    def expected_purchases(self, h: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Vector:
        """Return the expected number of purchases in (T, T+h], shape (n,); ValueError on bad input."""
        return self._expected(column("h", h), *histories(frequency, recency, T))

    def probability_of_purchase(self, h: ArrayLike, frequency: ArrayLike, recency: ArrayLike, T: ArrayLike) -> Vector:
        """Return the probability of any purchase in (T, T+h], shape (n,); ValueError on bad input."""
        probability = self._probability(column("h", h), *histories(frequency, recency, T))
        return np.clip(probability, 0.0, 1.0)

    @staticmethod
    @abstractmethod
    def log_density(parameters: Vector, x: Vector, tx: Vector, T: Vector) -> Vector:
        """Return the log-density of each history, shape (n,), given the parameters in declared order."""

    @abstractmethod
    def _expected(self, h: Vector, x: Vector, tx: Vector, T: Vector) -> Vector: ...

    @abstractmethod
    def _probability(self, h: Vector, x: Vector, tx: Vector, T: Vector) -> Vector: ...
