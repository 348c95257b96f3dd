"""Special functions of the buying models, where scipy's own overflow, lose digits or take minutes."""

import numpy as np
from scipy.special import betaln, log_expit, polygamma, psi

from ml.btyd.fitting import Vector

TERMS = 100
NODES = 400
CHUNK = 4096  # rows at a time, because each takes NODES numbers
FOLDS = 40.0  # exp(-40) is nothing beside 1


def hyp2f1_one(b: Vector, c: Vector, z: Vector) -> Vector:
    """Return 2F1(1, b; c; z) for 0 < b < c - 1 and 0 <= z < 1, shape (n,).

    Gauss's continued fraction by Lentz's method, and a sum for z so near 1 that the fraction is slow.
    """
    b, c, z = (np.array(values, dtype=np.float64) for values in np.broadcast_arrays(b, c, z))
    result = np.ones_like(z)
    active = np.flatnonzero(np.isfinite(z))
    value, up, down = np.ones_like(z), np.ones_like(z), np.zeros_like(z)
    for term in range(1, TERMS):
        step = _coefficient(term, b, c) * z
        down = 1 / (1 + step * down)
        up = 1 + step / up
        value = value * up * down
        going = np.abs(up * down - 1) > 1e-15
        if not going.all():
            result[active[~going]] = 1 / value[~going]
            active = active[going]
            b, c, z, value, up, down = (kept[going] for kept in (b, c, z, value, up, down))
        if len(active) == 0:
            return result
    for start in range(0, len(active), CHUNK):
        part = slice(start, start + CHUNK)
        result[active[part]] = _near_one(b[part], c[part], z[part])
    return result


def _coefficient(term: int, b: Vector, c: Vector) -> Vector:
    m = term // 2
    if term % 2:
        return -(b + m) * (c - 1 + m) / ((c + 2 * m - 1) * (c + 2 * m))
    return -m * (c - b + m - 1) / ((c + 2 * m - 2) * (c + 2 * m - 1))


def _near_one(b: Vector, c: Vector, z: Vector) -> Vector:
    """Sum (c-1) (1 + (1-z) u)^-b (1+u)^(b-c) over u from 0 on, in equal steps of log u."""
    rest = np.maximum(1 - z, 1e-300)
    low = -FOLDS - np.log1p(b * rest + c - b)
    high = np.minimum(FOLDS / (c - b - 1), FOLDS - np.log(rest))
    logs, step = _grid(low, high)
    decay = b[:, None] * np.logaddexp(0, logs + np.log(rest)[:, None])
    values = np.exp(logs - decay - (c - b)[:, None] * np.logaddexp(0, logs))
    beyond = values[:, -1] / np.expm1((c - 1) * step)  # a power of u by then, so a geometric series
    return np.asarray((c - 1) * step * (values.sum(axis=1) + beyond))


def mean_of_lifetime_purchases(k: Vector, w: Vector, a: Vector, b: Vector) -> Vector:
    """Return the mean of (1 - (1 + p w)^-k) / p over p from Beta(a, b), shape (n,), by a sum over logit p.

    The straight line between its values at 0 and 1 is taken out, so that the rest dies out at both ends
    however small a and b are.
    """
    first, last = k * w, -np.expm1(-k * np.log1p(w))
    logits, step = _grid(*_logit_range(k * w, a, b))
    log_p, log_stay = log_expit(logits), log_expit(-logits)
    p = np.exp(log_p)
    value = -np.expm1(-k[:, None] * np.log1p(p * w[:, None])) / p
    line = first[:, None] * np.exp(log_stay) + last[:, None] * p
    weight = np.exp(a[:, None] * log_p + b[:, None] * log_stay - betaln(a, b)[:, None])
    rest = (weight * (value - line)).sum(axis=1) * step
    return np.asarray((first * b + last * a) / (a + b) + rest)


def _logit_range(slope: Vector, a: Vector, b: Vector) -> tuple[Vector, Vector]:
    """Return where p^(a+1) (1-p)^(b+1) begins and ceases to matter; twelve deviations do for a hump."""
    hump = (a >= 1) & (b >= 1)
    centre, spread = psi(a) - psi(b), 12 * np.sqrt(polygamma(1, a) + polygamma(1, b))
    low = np.where(a < 1, -np.log1p(slope) - np.log1p(b) - FOLDS, -(FOLDS + np.log1p(slope)) / a)
    high = np.where(b < 1, np.log1p(a) + FOLDS, FOLDS / b)
    low = np.where(hump, centre - spread - FOLDS / (a + 1), low)
    return low, np.where(hump, centre + spread + FOLDS / (b + 1), high)


def _grid(low: Vector, high: Vector) -> tuple[Vector, Vector]:
    """Return equally spaced points, shape (n, NODES), and their steps.

    Sums over them converge exponentially for smooth functions that die out at both ends.
    """
    step = (high - low) / (NODES - 1)
    return low[:, None] + step[:, None] * np.arange(NODES), step
