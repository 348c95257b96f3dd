"""Customers who behave exactly as a model says."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Simulated:
    """Histories at T, and the number of purchases in (T, T + h]."""

    frequency: np.ndarray
    recency: np.ndarray
    T: np.ndarray
    later: np.ndarray


def pareto_nbd(n, r, alpha, s, beta, *, h, longest=52.0, seed=0):
    rng = np.random.default_rng(seed)
    age = rng.uniform(longest / 2, longest, n).round(1)
    rate, life = rng.gamma(r, 1 / alpha, n), rng.exponential(1 / rng.gamma(s, 1 / beta, n))
    x = rng.poisson(rate * np.minimum(life, age)).astype(float)
    last = np.minimum(life, age) * rng.random(n) ** (1 / np.maximum(x, 1))
    later = rng.poisson(rate * np.clip(np.minimum(life, age + h) - age, 0, None))
    return Simulated(x, np.where(x > 0, last, 0.0), age, later.astype(float))


def mbg_nbd(n, r, alpha, a, b, **settings):
    return bg_nbd(n, r, alpha, a, b, first=True, **settings)


def bg_nbd(n, r, alpha, a, b, *, h, longest=52.0, seed=0, first=False):
    rng = np.random.default_rng(seed)
    age = rng.uniform(longest / 2, longest, n).round(1)
    rate, drop = rng.gamma(r, 1 / alpha, n), rng.beta(a, b, n)
    x, last, later, clock, alive = (np.zeros(n) for _ in range(5))
    alive += rng.random(n) >= drop if first else 1
    while alive.any():
        with np.errstate(over="ignore", divide="ignore"):
            clock = clock + rng.exponential(1 / rate)
        alive = alive * (clock <= age + h)
        before = (alive > 0) & (clock <= age)
        x, last = x + before, np.where(before, clock, last)
        later = later + alive * (clock > age)
        alive = alive * (rng.random(n) >= drop)
    return Simulated(x, last, age, later)


def gamma_gamma(n, p, q, v, *, seed=0):
    """Numbers of purchases and their mean values."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 8, n).astype(float)
    scale = rng.gamma(q, 1 / v, n)
    total = rng.gamma(p * np.maximum(x, 1), 1 / scale)
    return x, np.where(x > 0, total / np.maximum(x, 1), 0.0)
