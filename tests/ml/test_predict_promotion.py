"""A challenger is promoted only when it wins."""

from datetime import date

import numpy as np
import pytest

from ml.backtest import Trial
from ml.promotion import Choice, choose, losses, win_share
from tests.ml.predicting import forecast

DAYS = (date(2025, 1, 1), date(2025, 2, 1))


def trials_of(gap: float) -> list[Trial]:
    """`good` is nearer to the truth than `fair` by so much, each is nearer to it for some."""
    rng, people = np.random.default_rng(0), 400
    found = []
    for day in DAYS:
        who = np.array([f"p{n % (people // 2)}" for n in range(people)], dtype=object)
        truth = rng.random(people)
        happened = (rng.random(people) < truth).astype(float)
        for name, off in (("btyd", 0.1 + gap), ("boosted", 0.1)):
            predicted = np.clip(truth + rng.normal(0, off, people), 0.02, 0.98)
            found.append(Trial(name, day, who, happened, predicted))
    return found


def test_a_clearly_better_challenger_is_promoted() -> None:
    assert choose(forecast(), trials_of(0.5), "btyd") == Choice("boosted", wins=1.0)


def test_a_barely_better_one_waits() -> None:
    tests = trials_of(0.01)
    best = choose(forecast(), tests, None).champion
    other = ({"btyd", "boosted"} - {best}).pop()
    choice = choose(forecast(), tests, other)
    assert (choice.champion, choice.challenger) == (other, best)
    assert choice.wins is not None
    assert choice.wins < 0.95


@pytest.mark.parametrize("incumbent", [None, "boosted", "models/gone.py"])
def test_without_an_incumbent_that_was_tested_the_best_wins(incumbent: str | None) -> None:
    assert choose(forecast(), trials_of(0.5), incumbent) == Choice("boosted")


def test_a_declared_model_is_never_replaced() -> None:
    assert choose(forecast(model="btyd"), trials_of(0.5), "boosted") == Choice("btyd")


def test_draws_do_not_depend_on_the_order_of_rows() -> None:
    tests, mixed = trials_of(0.02), []
    for test in tests:
        order = np.random.default_rng(test.as_of.month).permutation(len(test.people))
        mixed.append(Trial(test.model, test.as_of, test.people[order], test.happened[order], test.predicted[order]))
    shares = [win_share(forecast(), found, "boosted", "btyd") for found in (tests, mixed[::-1])]
    assert shares[0] == shares[1]
    assert win_share(forecast(), tests, "btyd", "boosted") == pytest.approx(1 - shares[0])


def test_losses_are_those_that_decide() -> None:
    test = trials_of(0.1)[0]
    assert losses(forecast(), test).mean() == pytest.approx(
        -np.mean(np.log(np.where(test.happened > 0, test.predicted, 1 - test.predicted)))
    )
    assert losses(forecast("count order_completed"), test) == pytest.approx((test.predicted - test.happened) ** 2)
