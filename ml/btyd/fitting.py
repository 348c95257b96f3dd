"""Maximum likelihood for all models: unique weighted rows, log-parameters, a few starts."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import OptimizeResult, minimize

Vector = NDArray[np.float64]
LogDensity = Callable[..., Vector]

LONGEST = 10.0  # the longest observation after scaling, so that one set of starts and bounds fits all units
LOWEST, HIGHEST = -10.0, 7.0  # of the log-parameters; beyond them nothing visible changes


def unique_rows(*columns: Vector) -> tuple[list[Vector], Vector]:
    """Return the distinct rows in ascending order, and how often each occurs."""
    order = np.lexsort(columns[::-1])
    ordered = [column[order] for column in columns]
    new = np.zeros(len(order), dtype=bool)
    new[0] = True
    for column in ordered:
        new[1:] |= column[1:] != column[:-1]
    first = np.flatnonzero(new)
    weights = np.diff(np.append(first, len(order))).astype(np.float64)
    return [column[first] for column in ordered], weights


def maximise(
    log_density: LogDensity,
    rows: Sequence[Vector],
    weights: Vector,
    starts: Sequence[Sequence[float]],
    *,
    lower: Sequence[float] | None = None,
    penalty: float = 0.0,
) -> Vector:
    """Return the parameters with the greatest mean log-density, all of them positive.

    A later start is tried only when the ones before it did not converge inside the bounds. `penalty`
    times the sum of squared log-parameters pulls them towards one. Raises ValueError if no start works.
    """
    floor = np.full(len(starts[0]), LOWEST) if lower is None else np.log(np.asarray(lower, np.float64))
    bounds = [(low, HIGHEST) for low in floor]
    total = float(weights.sum())

    def loss(logs: Vector) -> float:
        mean = float(weights @ log_density(np.exp(logs), *rows)) / total
        return -mean + penalty * float(logs @ logs) if np.isfinite(mean) else 1e10

    best: OptimizeResult | None = None
    for start in starts:
        found = _climb(loss, np.clip(np.log(start), floor, HIGHEST), bounds)
        best = found if best is None or found.fun < best.fun else best
        if found.success and _inside(found.x, floor):
            break
    if best is None or best.fun >= 1e9:
        raise ValueError("no parameters explain these customers: check the units of time and money")
    return np.asarray(np.exp(best.x), np.float64)


def _climb(loss: Callable[[Vector], float], start: Vector, bounds: list[tuple[float, float]]) -> OptimizeResult:
    options = {"maxiter": 300, "ftol": 1e-13, "gtol": 1e-7}
    return minimize(loss, start, method="L-BFGS-B", jac="2-point", bounds=bounds, options=options)


def _inside(logs: Vector, floor: Vector) -> bool:
    return bool(np.all(logs > floor + 1e-3) and np.all(logs < HIGHEST - 1e-3))
