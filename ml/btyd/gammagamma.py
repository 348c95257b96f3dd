"""Gamma-Gamma: what a purchase is worth, as a personal mean seen through a few noisy purchases.

Fader, Hardie & Lee (2005), "RFM and CLV: Using Iso-Value Curves for Customer Base Analysis", and Fader &
Hardie, "The Gamma-Gamma Model of Monetary Value": purchases are Gamma(p, nu), nu Gamma(q, v) over customers.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from ml.btyd.fitting import Vector, maximise, unique_rows
from ml.btyd.parameters import Parameters
from ml.btyd.purchases import column

STARTS = ((2.0, 3.0, 3.0), (6.0, 4.0, 0.5), (1.0, 2.0, 1.0))
LOWER = (1e-4, 1.01, 1e-6)  # at q <= 1 the mean over customers would be infinite


@dataclass(frozen=True)
class GammaGamma(Parameters):
    """Gamma spread of purchases within and between customers; v is money, p and q are plain numbers."""

    names: ClassVar[tuple[str, ...]] = ("p", "q", "v")

    p: float
    q: float
    v: float
    log_likelihood: float = 0.0
    n: int = 0

    @classmethod
    def fit(cls, frequency: ArrayLike, monetary: ArrayLike, *, penalty: float = 0.0) -> Self:
        """Fit to numbers of purchases and their mean value, shape (n,); ValueError if nobody is left.

        Only customers with a frequency and a mean above 0 count; `n` says how many they were.
        """
        x, mean = _spending(frequency, monetary)
        bought = (x > 0) & (mean > 0)
        if not bought.any():
            raise ValueError("nobody has both a repeat purchase and a mean above 0: there is nothing to fit")
        (x, mean), weights = unique_rows(x[bought], mean[bought])
        scale = float(weights @ mean / weights.sum())
        p, q, v = maximise(log_density, (x, mean / scale), weights, STARTS, lower=LOWER, penalty=penalty)
        log_likelihood = float(weights @ log_density(np.array([p, q, v * scale]), x, mean))
        return cls(float(p), float(q), float(v * scale), log_likelihood, int(weights.sum()))

    def expected_spend(self, frequency: ArrayLike, monetary: ArrayLike) -> Vector:
        """Return the expected value of a coming purchase, shape (n,), in the money that was fitted.

        With frequency 0 it is the mean over customers, p v / (q - 1). ValueError on bad input or if q <= 1.
        """
        if self.q <= 1:
            raise ValueError(f"q is {self.q}: the mean spend over customers is infinite unless q is above 1")
        x, mean = _spending(frequency, monetary)
        return self.p * (self.v + x * mean) / (self.p * x + self.q - 1)


def log_density(parameters: Vector, x: Vector, mean: Vector) -> Vector:
    """Return the log-density of each mean of x purchases, shape (n,): equation 1a of the note."""
    p, q, v = parameters
    start = gammaln(p * x + q) - gammaln(p * x) - gammaln(q) + q * np.log(v)
    seen = (p * x - 1) * np.log(mean) + p * x * np.log(x)
    return np.asarray(start + seen - (p * x + q) * np.log(v + x * mean))


def _spending(frequency: ArrayLike, monetary: ArrayLike) -> tuple[Vector, Vector]:
    x, mean = column("frequency", frequency), np.atleast_1d(np.asarray(monetary, np.float64))
    if x.shape != mean.shape:
        raise ValueError(f"frequency and monetary differ in shape: {x.shape}, {mean.shape}")
    return x, column("monetary", np.where(x == 0, 0.0, mean))
