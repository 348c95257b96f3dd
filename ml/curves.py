"""What predictions are worth at every depth: cumulative gains, and groups of equal size from the highest down.

People with equal predictions count in proportion where they are parted, so the order of rows changes nothing.
"""

import numpy as np
from numpy.typing import ArrayLike

from ml.rows import Vector

Points = list[tuple[float, float]]

SHARES = np.linspace(0, 1, 21)


def taken(score: Vector, values: Vector, shares: ArrayLike) -> Vector:
    """Sum of the values among some shares of the highest scores, shape of the shares."""
    _, place = np.unique(-score, return_inverse=True)
    people = np.concatenate([[0.0], np.cumsum(np.bincount(place))])
    sums = np.concatenate([[0.0], np.cumsum(np.bincount(place, weights=values))])
    found: Vector = np.interp(np.asarray(shares, np.float64) * len(score), people, sums)
    return found


def gains(happened: Vector, score: Vector) -> Points:
    """(share of people from the highest score down, share of what happened among them); empty if nothing did."""
    total = float(happened.sum())
    if total <= 0:
        return []
    caught = taken(score, happened, SHARES) / total
    return [(round(float(share), 4), float(part)) for share, part in zip(SHARES, caught, strict=True)]


def deciles(happened: Vector, predicted: Vector) -> list[tuple[float, float, int]]:
    """(mean predicted, mean actual, people) of ten equal groups from the lowest prediction up; fewer of few people."""
    groups = min(10, len(predicted))
    shares = np.linspace(0, 1, groups + 1)
    means = [np.diff(taken(predicted, values, shares)) * groups / len(predicted) for values in (predicted, happened)]
    people = round(len(predicted) / groups)
    return [(float(p), float(y), people) for p, y in zip(*(one[::-1] for one in means), strict=True)]
