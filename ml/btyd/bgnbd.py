"""BG/NBD: buying at a personal rate, leaving for good after any purchase with a personal probability.

Fader, Hardie & Lee (2005), "Counting Your Customers" the Easy Way: rates are Gamma(r, alpha) over customers,
drop-out probabilities Beta(a, b).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import betaln, expit, gammaln, hyp2f1

from ml.btyd.fitting import Vector
from ml.btyd.hypergeometric import CHUNK, mean_of_lifetime_purchases
from ml.btyd.purchases import PurchaseModel

NEAR_ONE = 1e-6


@dataclass(frozen=True)
class BGNBD(PurchaseModel):
    """Beta-geometric / negative binomial; alpha is a time, r, a and b are plain numbers."""

    names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    times: ClassVar[tuple[str, ...]] = ("alpha",)
    starts: ClassVar[tuple[tuple[float, ...], ...]] = (
        (0.5, 2.0, 1.0, 2.0),
        (1.0, 1.0, 0.1, 1.0),
        (2.0, 10.0, 3.0, 10.0),
    )

    first_chance: ClassVar[int] = 0  # 1 where one may leave right after the first purchase

    r: float
    alpha: float
    a: float
    b: float
    log_likelihood: float = 0.0
    n: int = 0

    @staticmethod
    def log_density(parameters: Vector, x: Vector, tx: Vector, T: Vector) -> Vector:
        """Return the log-density of each history, shape (n,): Fader, Hardie & Lee (2005), equation 6."""
        return log_density(parameters, x, tx, T, first_chance=0)

    def _alive(self, x: Vector, tx: Vector, T: Vector) -> Vector:
        """The probability of not having left; here it is 1 for one-time buyers, so it is no churn score."""
        chances = x + self.first_chance
        odds = np.log(self.a) - np.log(self.b + np.maximum(chances, 1) - 1)
        odds = odds + (self.r + x) * np.log((self.alpha + T) / (self.alpha + tx))
        return np.where(chances > 0, expit(-odds), 1.0)

    def _probability(self, h: Vector, x: Vector, tx: Vector, T: Vector) -> Vector:
        """Given alive, the rate is Gamma(r + x, alpha + T) and the first purchase is still to come."""
        buys = -np.expm1(-(self.r + x) * np.log1p(h / (self.alpha + T)))
        return self._alive(x, tx, T) * buys

    def _expected(self, h: Vector, x: Vector, tx: Vector, T: Vector) -> Vector:
        """Equation 10, with sums in place of the formula where that is undefined (a = 1) or overflows."""
        h, x, tx, T = np.broadcast_arrays(h, x, tx, T)
        k, w = self.r + x, h / (self.alpha + T)
        with np.errstate(all="ignore"):
            count = self._formula(x, w)
        good = (count >= 0) & (count <= k * w) & (abs(self.a - 1) > NEAR_ONE)
        rows = np.flatnonzero(~good)
        for part in np.split(rows, range(CHUNK, len(rows), CHUNK)):
            a, b = np.full(len(part), self.a), self.b + x[part] + self.first_chance
            count[part] = mean_of_lifetime_purchases(k[part], w[part], a, b)
        return self._alive(x, tx, T) * count

    def _formula(self, x: Vector, w: Vector) -> Vector:
        """Euler's transformation keeps the arguments of the hypergeometric function small for large x."""
        total = self.a + self.b + x + self.first_chance - 1
        series = hyp2f1(self.a + self.b + self.first_chance - 1 - self.r, self.a - 1, total, w / (1 + w))
        return np.asarray(total / (self.a - 1) * (1 - (1 + w) ** (1 - self.a) * series))


def log_density(parameters: Vector, x: Vector, tx: Vector, T: Vector, first_chance: int) -> Vector:
    """Return the log-density of each history; customers have x + first_chance chances to leave, shape (n,)."""
    r, alpha, a, b = parameters
    chances = x + first_chance
    rate = gammaln(r + x) - gammaln(r) + r * np.log(alpha)
    stay = betaln(a, b + chances) - betaln(a, b)
    alive = -(r + x) * np.log(alpha + T)
    gone = np.log(a) - np.log(b + np.maximum(chances, 1) - 1) - (r + x) * np.log(alpha + tx)
    return np.asarray(rate + stay + np.logaddexp(alive, np.where(chances > 0, gone, -np.inf)))
