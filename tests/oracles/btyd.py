"""Slow answers of the buying models: every customer's rate and drop-out summed over on a fine grid.

Nothing of the closed forms is used. In the logarithm of a rate (the logit of a probability) the integrands
are smooth and die out exponentially on both sides, where equally spaced sums converge faster than any rule.
"""

import numpy as np
from scipy.special import betaln, expit, gammaln, log_expit
from scipy.stats import gamma as gamma_distribution

STEP = 0.12


def gamma_grid(shape, rate, step=STEP):
    """Points of a gamma distribution and their weights, which sum to 1."""
    logs = np.arange(-42 / shape, np.log(60 + 6 * shape), step)
    weights = np.exp(shape * logs - np.exp(logs) - gammaln(shape)) * step
    return np.exp(logs) / rate, weights


def beta_grid(a, b, step=STEP):
    """Points of a beta distribution, their complements, and weights that sum to 1."""
    logits = np.arange(-42 / a - 3, 42 / b + 3, step)
    weights = np.exp(a * log_expit(logits) + b * log_expit(-logits) - betaln(a, b)) * step
    return expit(logits), expit(-logits), weights


class GridBGNBD:
    """BG/NBD for one customer at a time; `first` is 1 where they may leave right after the first purchase."""

    first = 0

    def __init__(self, r, alpha, a, b):
        self.rate, rates = gamma_grid(r, alpha)
        self.drop, self.stay, drops = beta_grid(a, b)
        self.rate, self.drop, self.stay = self.rate[:, None], self.drop[None], self.stay[None]
        self.weights = rates[:, None] * drops

    def states(self, x, tx, T):
        """Likelihood of the history with the customer alive at T, and gone by then."""
        chances = x + self.first
        bought = self.rate**x * self.stay ** max(chances - 1, 0)
        alive = bought * (self.stay if chances else 1.0) * np.exp(-self.rate * T)
        gone = bought * self.drop * np.exp(-self.rate * tx) if chances else np.zeros_like(alive)
        return alive * self.weights, gone * self.weights

    def log_density(self, x, tx, T):
        return np.log(sum(state.sum() for state in self.states(x, tx, T)))

    def probability(self, h, x, tx, T):
        alive, gone = self.states(x, tx, T)
        return (alive * -np.expm1(-self.rate * h)).sum() / (alive.sum() + gone.sum())

    def expected(self, h, x, tx, T):
        alive, gone = self.states(x, tx, T)
        with np.errstate(invalid="ignore", divide="ignore"):
            count = -np.expm1(-self.rate * self.drop * h) / self.drop
        count = np.where(self.drop < 1e-12, self.rate * h, count)
        return (alive * count).sum() / (alive.sum() + gone.sum())


class GridMBGNBD(GridBGNBD):
    """MBG/NBD for one customer at a time."""

    first = 1


class GridParetoNBD:
    """Pareto/NBD for one customer at a time."""

    def __init__(self, r, alpha, s, beta):
        (rate, rates), (hazard, hazards) = gamma_grid(r, alpha), gamma_grid(s, beta)
        self.rate, self.hazard = rate[:, None], hazard[None]
        self.weights = rates[:, None] * hazards

    def states(self, x, tx, T):
        """Likelihood of the history with the customer alive at T, and gone by then."""
        both = self.rate + self.hazard
        bought = self.rate**x * self.weights
        alive = np.exp(-both * T)
        gone = self.hazard / both * np.exp(-both * tx) * -np.expm1(-both * (T - tx))
        return bought * alive, bought * gone

    def log_density(self, x, tx, T):
        return np.log(sum(state.sum() for state in self.states(x, tx, T)))

    def probability(self, h, x, tx, T):
        alive, gone = self.states(x, tx, T)
        both = self.rate + self.hazard
        buys = self.rate / both * -np.expm1(-both * h)
        return (alive * buys).sum() / (alive.sum() + gone.sum())

    def expected(self, h, x, tx, T):
        alive, gone = self.states(x, tx, T)
        count = self.rate / self.hazard * -np.expm1(-self.hazard * h)
        return (alive * count).sum() / (alive.sum() + gone.sum())


class GridGammaGamma:
    """Gamma-Gamma for one customer at a time."""

    def __init__(self, p, q, v):
        self.p = p
        self.scale, self.weights = gamma_grid(q, v, step=0.01)

    def _density(self, x, mean):
        return gamma_distribution.pdf(mean, self.p * x, scale=1 / (self.scale * x)) * self.weights

    def log_density(self, x, mean):
        return np.log(self._density(x, mean).sum())

    def expected(self, x, mean):
        weights = self._density(x, mean) if x else self.weights
        return (weights * self.p / self.scale).sum() / weights.sum()
