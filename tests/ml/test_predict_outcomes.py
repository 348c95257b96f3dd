"""Published scores are held against what happened once their horizon has closed."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest

from ml import metrics
from ml.backtest import Trial
from ml.checks import keeps_promise
from ml.metrics import WeightedGini
from ml.outcomes import Outcome, bias_error, broken_promises, deciding_error, measured, newest_outcomes
from ml.predict import score, train
from ml.promotion import draws
from ml.published import published_table
from ml.report import outcome_table
from profiles_assets.traits.evaluate import update_section
from tests.ml.predicting import forecast
from tests.ml.test_training_rows import START, Event, Shop, buy, visit

ASKED = forecast("bought", "6 days", model="btyd")
PEOPLE = 80


def happenings(first: int, last: int) -> list[Event]:
    """Visits and purchases of everybody from one day to another, the same whichever days are asked for."""
    events = []
    for day in range(first, last + 1):
        chance = np.random.default_rng(day)
        for number in range(PEOPLE):
            if chance.random() < 0.03 + 0.15 * number / PEOPLE:
                events.append(buy(day, 5 + number, user_id=f"p{number:02}"))
        events.append(visit(day, user_id="somebody"))
    return events


def build(shop: Shop) -> None:
    for section in shop.project.sections:
        update_section(shop.lake, shop.project, section)
    train(shop.lake, shop.project, ASKED)
    score(shop.lake, shop.project, ASKED)


def add(shop: Shop, first: int, last: int, *more: Event) -> None:
    shop.add(*happenings(first, last), *more, name=f"from{first}")
    build(shop)


def published(shop: Shop) -> dict[str, dict[str, float]]:
    with shop.lake.get_connection() as con:
        rows = con.execute(f"SELECT as_of, profile_id, score FROM {published_table('risk')}").fetchall()
    found: dict[str, dict[str, float]] = {}
    for day, who, value in rows:
        found.setdefault(str(day), {})[who] = value
    return found


def outcomes(shop: Shop) -> list[tuple[object, ...]]:
    with shop.lake.get_connection() as con:
        return con.execute("FROM ops.outcomes ORDER BY ALL").fetchall()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Scored on days 32, 33 and 40; the horizon of the first two has closed by then."""
    shop = Shop(tmp_path_factory.mktemp("outcomes"))
    add(shop, 0, 32, visit(0, anonymous_id="stray"))
    add(shop, 33, 33)
    return shop


def test_they_are_measured_as_of_the_close_whatever_comes_later(shop: Shop) -> None:
    said = published(shop)
    assert set(said) == {"2025-02-02", "2025-02-03"}
    add(shop, 34, 37, visit(36, user_id="p79", anonymous_id="stray"))
    assert set(published(shop)) == {*said, "2025-02-07"}
    add(shop, 38, 40)
    assert set(published(shop)) == {"2025-02-07", "2025-02-10"}
    with shop.lake.get_connection() as con:
        found = newest_outcomes(con, "risk")
        people = dict(
            con.execute("SELECT value, profile_id FROM identity.stitched_ids WHERE profile_id IS NOT NULL").fetchall()
        )
    assert {o.as_of for o in found} == {date(2025, 2, 3)}
    assert found[0].closes == date(2025, 2, 9)
    bought = {e["user_id"] for e in happenings(34, 39) if e["event"] == "bought"}
    names = {people[f"p{n:02}"]: f"p{n:02}" for n in range(PEOPLE) if f"p{n:02}" in people}
    assert people["p79"] == people["stray"]
    mine = {who: value for who, value in said["2025-02-03"].items() if who in people.values()}
    assert len(mine) == len(said["2025-02-03"]) - 1, "people who merge within the horizon count once"
    happened = np.array([names.get(who, "") in bought for who in mine], dtype=float)
    given = {o.metric: o for o in found}
    assert given["log_loss"].value == pytest.approx(metrics.log_loss(happened, np.array(list(mine.values()))))
    assert given["log_loss"].people == len(mine)
    assert given["log_loss"].backtest is not None


def test_figures_are_a_record_that_later_data_leaves_alone(shop: Shop) -> None:
    before = outcomes(shop)
    assert before
    add(shop, 41, 42, buy(36, 1000, user_id="p01") | {"load": 42})
    after = outcomes(shop)
    assert [row for row in after if row in before] == before


def test_a_changed_question_forgets_what_was_said(shop: Shop) -> None:
    other = replace(ASKED, spec=ASKED.spec.model_copy(update={"over": 5}))
    train(shop.lake, shop.project, other)
    score(shop.lake, shop.project, other)
    assert list(published(shop)) == ["2025-02-12"]


def trial(scale: float = 1.0, people: int = 2000, seed: int = 0) -> Trial:
    rng = np.random.default_rng(seed)
    p = rng.beta(2, 6, people)
    happened = (rng.random(people) < p).astype(float)
    who = np.arange(people).astype(str).astype(object)
    return Trial("id", START, who, happened, np.clip(p * scale, 0.001, 0.999))


CLOSES = START + timedelta(days=6)


@pytest.mark.parametrize(
    ("scale", "people", "broken"), [(1.0, 2000, []), (1.6, 2000, ["log_loss", "bias"]), (1.6, 8, [])]
)
def test_worse_than_promised_is_told_when_it_is_sure(scale: float, people: int, broken: list[str]) -> None:
    promised = {o.metric: o.value for o in measured(ASKED, trial(seed=1), CLOSES, {})}
    found = measured(ASKED, trial(scale, people), CLOSES, promised)
    assert broken_promises(ASKED, found) == broken
    passed, told = keeps_promise(ASKED, found)
    assert passed is not bool(broken)
    assert told["log_loss"]["backtest"] == promised["log_loss"]
    assert f"scores of {START}" in outcome_table(found)
    assert keeps_promise(ASKED, []) == (True, {})


def test_a_lower_gini_of_money_is_worse() -> None:
    asked = forecast("sum bought.total")
    rows = [Outcome("id", START, CLOSES, "gini", value, 0.6, 0.02, 100) for value in (0.5, 0.58, 0.7)]
    assert [broken_promises(asked, [row]) for row in rows] == [["gini"], [], []]


@pytest.mark.parametrize("predict", ["bought", "count bought", "sum bought.total"])
def test_errors_are_those_of_a_bootstrap(predict: str) -> None:
    asked, test = forecast(predict), trial(people=1500)
    weights = list(draws(1500))
    loss = {
        "bought": lambda w: metrics.log_loss(*(np.repeat(c, w.astype(int)) for c in (test.happened, test.predicted))),
        "count bought": lambda w: metrics.rmse(*(np.repeat(c, w.astype(int)) for c in (test.happened, test.predicted))),
        "sum bought.total": WeightedGini.of(test.happened, test.predicted).at,
    }[predict]
    assert deciding_error(asked, test) == pytest.approx(np.std([loss(w) for w in weights]), rel=0.25)
    totals = [(w @ test.predicted) / (w @ test.happened) - 1 for w in weights]
    assert bias_error(test) == pytest.approx(np.std(totals), rel=0.25)
