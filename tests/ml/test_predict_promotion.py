"""A challenger is promoted only when it wins."""

from datetime import date

import numpy as np
import pytest

from ml.backtest import Trial
from ml.promotion import Choice, choose, incumbent, losses, win_share
from tests.ml.predicting import forecast

DAYS = (date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1))
BTYD_FIRST = (0.1, 0.1, 1.0)  # how far off the purchase model is on each date
Offs = tuple[float, ...]


def trials_of(btyd: Offs = BTYD_FIRST, boosted: Offs = (0.2, 0.2, 0.1), people: int = 400) -> list[Trial]:
    """Predictions of two models that are so far off the truth on each date."""
    rng, found = np.random.default_rng(0), []
    for day, *offs in zip(DAYS, btyd, boosted, strict=True):
        who = np.array([f"p{n % (people // 2)}" for n in range(people)], dtype=object)
        truth = rng.random(people)
        happened = (rng.random(people) < truth).astype(float)
        for name, off in zip(("btyd", "boosted"), offs, strict=True):
            predicted = np.clip(truth + rng.normal(0, off, people), 0.02, 0.98)
            found.append(Trial(name, day, who, happened, predicted))
    return found


def test_a_clearly_better_challenger_is_promoted() -> None:
    tests = trials_of()
    assert incumbent(forecast(), tests) == "btyd"
    assert choose(forecast(), tests) == Choice("boosted", wins=1.0)


def test_a_barely_better_one_waits() -> None:
    choice = choose(forecast(), trials_of((0.1, 0.18, 0.6), (0.2, 0.2, 0.4)))
    assert (choice.champion, choice.challenger) == ("btyd", "boosted")
    assert choice.wins is not None
    assert 0.5 < choice.wins < 0.95


@pytest.mark.parametrize("dates", [1, 2, 3])
def test_the_best_of_all_dates_that_was_the_best_before_stays(dates: int) -> None:
    tests = [test for test in trials_of((0.3,) * 3, (0.1,) * 3) if test.as_of in DAYS[:dates]]
    assert choose(forecast(), tests) == Choice("boosted")


def test_nothing_but_the_dates_matters() -> None:
    """A rebuild, which knows of no training before it, chooses what the lake chose that was trained each week."""
    tests = trials_of()
    weekly = [choose(forecast(), [test for test in tests if test.as_of <= day]).champion for day in DAYS]
    assert weekly == ["btyd", "btyd", "boosted"]
    assert weekly[-1] == choose(forecast(), tests[::-1]).champion


def test_a_declared_model_is_never_replaced() -> None:
    assert choose(forecast(model="btyd"), trials_of()) == Choice("btyd")


def test_money_is_promoted_by_gini() -> None:
    """The order of people decides, on any draw of them."""
    rng, tests = np.random.default_rng(1), []
    for day, off in zip(DAYS, (9.0, 9.0, 0.1), strict=True):
        who, truth = np.array([f"p{n}" for n in range(300)], dtype=object), rng.gamma(1.0, 10.0, 300)
        tests.append(Trial("btyd", day, who, truth, truth * np.exp(rng.normal(0, 1.0, 300))))
        tests.append(Trial("boosted", day, who, truth, truth * np.exp(rng.normal(0, off, 300))))
    asked = forecast("sum order_completed.total")
    assert incumbent(asked, tests) == "btyd"
    assert choose(asked, tests[-2:]) == Choice("boosted")
    assert win_share(asked, tests[-2:], "boosted", "btyd") == 1


def test_draws_do_not_depend_on_the_order_of_rows() -> None:
    tests, mixed = trials_of((0.12,) * 3, (0.1,) * 3), []
    for test in tests:
        order = np.random.default_rng(test.as_of.month).permutation(len(test.people))
        mixed.append(Trial(test.model, test.as_of, test.people[order], test.happened[order], test.predicted[order]))
    shares = [win_share(forecast(), found, "boosted", "btyd") for found in (tests, mixed[::-1])]
    assert shares[0] == shares[1]
    assert win_share(forecast(), tests, "btyd", "boosted") == pytest.approx(1 - shares[0])


def test_losses_are_those_that_decide() -> None:
    test = trials_of()[0]
    assert losses(forecast(), test).mean() == pytest.approx(
        -np.mean(np.log(np.where(test.happened > 0, test.predicted, 1 - test.predicted)))
    )
    assert losses(forecast("count order_completed"), test) == pytest.approx((test.predicted - test.happened) ** 2)
