"""Blends two predictions of the same thing into one."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit

CLIP = 1e-6


def logit_average(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return probabilities of shape (n,) whose log-odds are the mean of two probabilities' log-odds.

    Both are first clipped to [1e-6, 1 - 1e-6], so one certain model cannot silence the other. Raises
    ValueError on unequal shapes or numbers outside [0, 1].
    """
    one, two = _pair(first, second)
    if not (((one >= 0) & (one <= 1)).all() and ((two >= 0) & (two <= 1)).all()):
        raise ValueError("probabilities must lie between 0 and 1")
    odds = [logit(np.clip(values, CLIP, 1 - CLIP)) for values in (one, two)]
    return np.asarray(expit((odds[0] + odds[1]) / 2), np.float64)


def geometric_mean(first: ArrayLike, second: ArrayLike) -> NDArray[np.float64]:
    """Return the geometric mean of two amounts of money, shape (n,), in their unit.

    Raises ValueError on unequal shapes or amounts that are negative or not finite.
    """
    one, two = _pair(first, second)
    if not all((np.isfinite(values) & (values >= 0)).all() for values in (one, two)):
        raise ValueError("amounts must be finite and not negative")
    return np.sqrt(one) * np.sqrt(two)


def _pair(first: ArrayLike, second: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    one, two = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if one.shape != two.shape:
        raise ValueError(f"the two predictions differ in shape: {one.shape} and {two.shape}")
    return one, two
