"""Whether a challenger takes the champion's place: only when it would win on nearly any such people.

People are drawn anew (a Poisson bootstrap: everybody counts 0, 1, 2 … times), with all their rows together, and
both models are measured on the same draw.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from ml.backtest import Trial, champion, measured
from ml.metrics import SMALLEST
from ml.rows import Vector
from profiles_assets.project.project import Forecast

DRAWS = 200
ENOUGH = 0.95
SEED = 0


@dataclass(frozen=True)
class Choice:
    """The champion; and the challenger that is better on average, with the share of draws in which it won."""

    champion: str
    challenger: str | None = None
    wins: float | None = None


def choose(forecast: Forecast, tests: Sequence[Trial], incumbent: str | None) -> Choice:
    """The best model of a backtest, or the incumbent while the best does not beat it in 95 % of the draws."""
    best = champion(forecast, measured(forecast, tests))
    known = {test.model for test in tests}
    if forecast.spec.model != "auto" or incumbent in (None, best) or incumbent not in known or best not in known:
        return Choice(best)
    wins = win_share(forecast, tests, best, str(incumbent))
    return Choice(best, wins=wins) if wins >= ENOUGH else Choice(str(incumbent), best, wins)


def win_share(forecast: Forecast, tests: Iterable[Trial], one: str, other: str) -> float:
    """Share of draws of people in which one model has the lower mean loss."""
    by_model: dict[str, list[Trial]] = {one: [], other: []}
    for test in sorted(tests, key=lambda test: test.as_of):
        by_model.get(test.model, []).append(test)
    gaps = [
        losses(forecast, mine) - losses(forecast, its) for mine, its in zip(by_model[one], by_model[other], strict=True)
    ]
    people = np.concatenate([test.people for test in by_model[one]])
    _, person = np.unique(people.astype(str), return_inverse=True)
    gap = np.bincount(person, weights=np.concatenate(gaps))
    draw = np.random.default_rng(SEED)
    totals = np.array([draw.poisson(1.0, len(gap)) @ gap for _ in range(DRAWS)])
    return float(np.mean(totals < 0))


def losses(forecast: Forecast, test: Trial) -> Vector:
    """Loss of each row: log-loss of probabilities, squared error of amounts."""
    if not forecast.spec.is_probability:
        return (test.predicted - test.happened) ** 2
    p = np.clip(test.predicted, SMALLEST, 1 - SMALLEST)
    return -np.where(test.happened > 0, np.log(p), np.log1p(-p))
