"""Whether a challenger takes the champion's place: only when it would win on nearly any such people.

The champion to beat is the one of all tested dates before the newest: what a training without that date would have
chosen. So which model is in use follows from the data alone, whatever was trained before, or when.

People are drawn anew (a Poisson bootstrap: everybody counts 0, 1, 2 … times), with all their rows together, and
both models are measured on the same draw.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ml.backtest import Trial, champion, deciding_metric, measured
from ml.metrics import SMALLEST, WeightedGini
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


def choose(forecast: Forecast, tests: Sequence[Trial]) -> Choice:
    """The best model of a backtest, or that of the dates before the newest until it is beaten in 95 % of the draws."""
    best, before = champion(forecast, measured(forecast, tests)), incumbent(forecast, tests)
    if before in (None, best):
        return Choice(best)
    wins = win_share(forecast, tests, best, str(before))
    return Choice(best, wins=wins) if wins >= ENOUGH else Choice(str(before), best, wins)


def incumbent(forecast: Forecast, tests: Sequence[Trial]) -> str | None:
    """The champion of the tested dates before the newest one; None where there are none."""
    newest = max((test.as_of for test in tests), default=None)
    earlier = [test for test in tests if test.as_of != newest]
    return champion(forecast, measured(forecast, earlier)) if earlier else None


def win_share(forecast: Forecast, tests: Iterable[Trial], one: str, other: str) -> float:
    """Share of draws of people in which one model is better than the other."""
    by_model: dict[str, list[Trial]] = {one: [], other: []}
    for test in sorted(tests, key=lambda test: test.as_of):
        by_model.get(test.model, []).append(test)
    pairs = list(zip(by_model[one], by_model[other], strict=True))
    people = np.concatenate([test.people for test in by_model[one]])
    _, person = np.unique(people.astype(str), return_inverse=True)
    gaps = gini_gaps(pairs, person) if deciding_metric(forecast) == "gini" else loss_gaps(forecast, pairs, person)
    return float(np.mean(np.array(list(gaps)) < 0))


def loss_gaps(forecast: Forecast, pairs: Sequence[tuple[Trial, Trial]], person: NDArray[np.intp]) -> Iterator[float]:
    """By how much one model loses more than the other in each draw; `person` numbers who the rows are about."""
    gaps = [losses(forecast, mine) - losses(forecast, its) for mine, its in pairs]
    gap = np.bincount(person, weights=np.concatenate(gaps))
    for weights in draws(len(gap)):
        yield float(weights @ gap)


def gini_gaps(pairs: Sequence[tuple[Trial, Trial]], person: NDArray[np.intp]) -> Iterator[float]:
    """By how much the Gini of one model is below the other's in each draw, as the mean over the dates."""
    ends = np.cumsum([len(mine.people) for mine, _ in pairs])[:-1]
    parts = np.split(person, ends)
    ginis = [[WeightedGini.of(test.happened, test.predicted) for test in pair] for pair in pairs]
    for weights in draws(int(person.max()) + 1):
        found = [its.at(weights[part]) - mine.at(weights[part]) for (mine, its), part in zip(ginis, parts, strict=True)]
        yield float(np.mean(found))


def draws(people: int) -> Iterator[Vector]:
    """How often everybody counts, shape (people,), once per draw and the same each time."""
    chance = np.random.default_rng(SEED)
    for _ in range(DRAWS):
        yield chance.poisson(1.0, people).astype(np.float64)


def losses(forecast: Forecast, test: Trial) -> Vector:
    """Loss of each row: log-loss of probabilities, squared error of amounts."""
    if not forecast.spec.is_probability:
        return (test.predicted - test.happened) ** 2
    p = np.clip(test.predicted, SMALLEST, 1 - SMALLEST)
    return -np.where(test.happened > 0, np.log(p), np.log1p(-p))
