"""Pareto/NBD: buying at a personal rate, leaving for good at a personal hazard that purchases don't change.

Schmittlein, Morrison & Colombo (1987); notation of Fader & Hardie, "A Note on Deriving the Pareto/NBD Model":
rates are Gamma(r, alpha) over customers, hazards Gamma(s, beta). Everything here is built from

    A(y) = (alpha + y)^-(r+x) (beta + y)^-s              weight of being alive at y with x purchases
    G(y) = s / A(y) * integral over u > y of (alpha + u)^-(r+x) (beta + u)^-(s+1)

G(y) is the chance that a customer alive at y never buys again, so no step subtracts nearly equal numbers.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.special import exprel, gammaln

from ml.btyd.fitting import Vector
from ml.btyd.hypergeometric import hyp2f1_one
from ml.btyd.purchases import PurchaseModel


@dataclass(frozen=True)
class ParetoNBD(PurchaseModel):
    """Pareto / negative binomial; alpha and beta are times, r and s are plain numbers."""

    names: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    times: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    starts: ClassVar[tuple[tuple[float, ...], ...]] = (
        (0.5, 2.0, 0.5, 2.0),
        (1.0, 1.0, 1.0, 5.0),
        (2.0, 10.0, 0.2, 1.0),
    )

    r: float
    alpha: float
    s: float
    beta: float
    log_likelihood: float = 0.0
    n: int = 0

    @staticmethod
    def log_density(parameters: Vector, x: Vector, tx: Vector, T: Vector) -> Vector:
        """Return the log-density of each history, shape (n,): Fader & Hardie's note, section 3."""
        r, alpha, s, beta = parameters
        start = gammaln(r + x) - gammaln(r) + r * np.log(alpha) + s * np.log(beta)
        return np.asarray(start + np.logaddexp(*_futures(parameters, x, tx, T)))

    def _alive(self, x: Vector, tx: Vector, T: Vector) -> Vector:
        """The probability of not having left; it ignores how seldom one buys, so it is no churn score."""
        returns, gone = _futures(self._parameters, x, tx, T)
        alive = log_weight(self._parameters, x, T)
        return np.asarray(np.exp(np.minimum(alive - np.logaddexp(returns, gone), 0.0)))

    def _probability(self, h: Vector, x: Vector, tx: Vector, T: Vector) -> Vector:
        """Those who ever return after T, less those who first return after T + h, among all."""
        returns, gone = _futures(self._parameters, x, tx, T)
        h, x, T = np.broadcast_arrays(h, x, T)
        _, comes = never_and_again(self._parameters, x, T + h)
        later = log_weight(self._parameters, x, T + h) + np.log(comes)
        first = -np.expm1(np.minimum(later - returns, 0.0))
        return np.asarray(first * np.exp(returns - np.logaddexp(returns, gone)))

    def _expected(self, h: Vector, x: Vector, tx: Vector, T: Vector) -> Vector:
        """Fader & Hardie's note, section 5; `exprel` carries the formula through s = 1."""
        log_life = np.log1p(h / (self.beta + T))
        life = (self.beta + T) * log_life * exprel((1 - self.s) * log_life)
        return np.asarray(self._alive(x, tx, T) * (self.r + x) / (self.alpha + T) * life)

    @property
    def _parameters(self) -> Vector:
        return np.array([self.r, self.alpha, self.s, self.beta])


def log_weight(parameters: Vector, x: Vector, y: Vector) -> Vector:
    """Return log A(y)."""
    r, alpha, s, beta = parameters
    return np.asarray(-(r + x) * np.log(alpha + y) - s * np.log(beta + y))


def never_and_again(parameters: Vector, x: Vector, y: Vector) -> tuple[Vector, Vector]:
    """Return G(y) and 1 - G(y): the chances of never and of ever buying again when alive at y.

    Either is a hypergeometric function; which of them has an argument in [0, 1) depends on alpha and beta.
    """
    r, alpha, s, beta = parameters
    total = r + s + x
    if alpha >= beta:
        share = s / total * hyp2f1_one(r + x, total + 1, (alpha - beta) / (alpha + y))
    else:
        share = (r + x) / total * hyp2f1_one(np.full_like(total, s), total + 1, (beta - alpha) / (beta + y))
    share = np.clip(share, 1e-300, 1 - 2.0**-53)
    return (share, 1 - share) if alpha >= beta else (1 - share, share)


def _futures(parameters: Vector, x: Vector, tx: Vector, T: Vector) -> tuple[Vector, Vector]:
    """Return the log-weights of buying again after T, and of having no purchase left after the last one.

    All who bought once have their last purchase at 0, so one place stands for them.
    """
    repeat = x > 0
    counts = np.concatenate([[0.0], x[repeat], x])
    never, again = never_and_again(parameters, counts, np.concatenate([[0.0], tx[repeat], T]))
    last = np.full(len(x), never[0])
    last[repeat] = never[1 : len(never) - len(x)]
    returns = log_weight(parameters, x, T) + np.log(again[len(again) - len(x) :])
    return returns, log_weight(parameters, x, tx) + np.log(last)
