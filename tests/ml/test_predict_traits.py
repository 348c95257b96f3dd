"""Predictions of traits: who will meet a condition at the end of the horizon, among those who do not yet."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ml.errors import PredictionError
from ml.histories import first_day
from ml.model import make_model
from ml.predict import score, train
from ml.report import sentence
from ml.targets import keep_open
from ml.training import TABLE, stage_training
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Forecast
from profiles_assets.traits.evaluate import update_section
from tests.ml.predicting import forecast
from tests.ml.test_training_rows import CALENDAR, START, Shop, buy, event, visit

RICH = {"spend": ">= 50"}
AS_OF = START + timedelta(days=30)


def asked(met: dict[str, Any] = RICH, **keys: Any) -> Forecast:
    return forecast(met, "10 days", **keys)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("traits"))


def labels(shop: Shop, met: dict[str, Any] = RICH) -> dict[tuple[int, str], tuple[float, float]]:
    return {key: (row["_met"], row["_label"]) for key, row in shop.rows(met).items()}  # type: ignore[arg-type]


def test_labels_are_the_condition_as_of_the_close_of_the_window(shop: Shop) -> None:
    found = labels(shop)
    assert {key: found[key] for key in found if key[1] in ("buyer", "newcomer", "late", "merges soon")} == {
        (10, "buyer"): (1, 1), (20, "buyer"): (1, 1),
        (10, "newcomer"): (0, 0), (20, "newcomer"): (0, 0),
        (10, "late"): (0, 1), (20, "late"): (1, 1),  # the event of day 8 arrives on day 13
        (10, "merges soon"): (0, 1), (20, "merges soon"): (1, 1),  # what both had spent together
    }  # fmt: skip


def test_conditions_may_be_of_several_traits_and_of_any_kind(shop: Shop) -> None:
    found = labels(shop, {"any": [{"page": "is empty"}, {"vip": True}]})
    assert found[10, "newcomer"] == (0, 0)
    assert found[10, "late"] == (0, 1)


def test_only_those_who_do_not_meet_it_yet_are_left_to_train_on(shop: Shop) -> None:
    with shop.lake.get_connection() as con:
        stage_training(con, shop.project, asked(), CALENDAR)
        keep_open(con, asked(), TABLE)
        kept = con.execute(f"SELECT count(*), max(_met) FROM {TABLE}").fetchone()
    assert kept == (sum(met == 0 for met, _ in labels(shop).values()), 0)


def test_later_events_leave_old_rows_as_they_are(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    before = shop.rows(RICH)  # type: ignore[arg-type]
    shop.add(buy(31, 99, user_id="newcomer"), event(9, "bought", total=70, user_id="newcomer", load=33), name="b")
    assert shop.rows(RICH) == before  # type: ignore[arg-type]


def test_history_begins_with_the_sources_of_the_traits(shop: Shop) -> None:
    with shop.lake.get_connection() as con:
        assert first_day(con, shop.project, asked()) == START
        unknown = replace(asked(), spec=asked({"nothing": 1}).spec)
        with pytest.raises(PredictionError, match="predict: nothing is no trait"):
            stage_training(con, shop.project, unknown, CALENDAR)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """People who visit the more the likelier they are to pass 50 later on, and a leak that tells who will."""
    shop, rng = Shop(tmp_path_factory.mktemp("crowd")), np.random.default_rng(2)
    (shop.root / "traits" / "more.yml").write_text(
        "traits:\n  rich: {bucket: spend, at: [50], labels: ['no', 'yes']}\n  promised: {latest: signed_up.promised}\n"
    )
    shop.project = load_project(shop.root)
    events = []
    for number in range(300):
        who, keen = f"p{number}", rng.random()
        passes = [day for day in (5, 15, 25) if rng.random() < keen / 2][:1]
        events += [visit(day, user_id=who) for day in range(4) if rng.random() < keen]
        events += [buy(day, 60, user_id=who) for day in passes]
        events += [event(0, "signed_up", user_id=who, promised=float(passes == [15]))]
    shop.add(*events, name="crowd")
    for section in shop.project.sections:
        update_section(shop.lake, shop.project, section)
    return shop


@pytest.mark.parametrize("met", [RICH, {"rich": "yes"}])
def test_people_who_may_still_come_to_meet_it_are_scored(crowd: Shop, met: dict[str, Any]) -> None:
    risk = asked(met, features={"exclude": ["promised"]}, bands={"likely": "top 10%", "other": "rest"})
    model = train(crowd.lake, crowd.project, risk).model
    assert model is not None
    assert (model.problem, model.champion) == (None, "boosted")
    assert set(model.metrics) == {"boosted", "mean"}
    assert score(crowd.lake, crowd.project, risk).people > 0
    with crowd.lake.get_connection() as con:
        spend = con.execute(
            "SELECT max(spend), bool_and(score BETWEEN 0 AND 1), corr(score, visits) "
            "FROM predictions.risk JOIN entity_vars.all USING (profile_id)"
        ).fetchone()
        missing = con.execute(
            "SELECT count(*) FROM entity_vars.all ANTI JOIN predictions.risk USING (profile_id) WHERE spend < 50"
        ).fetchone()
    assert spend is not None
    assert spend[0] < 50
    assert spend[1]
    assert spend[2] > 0.2
    assert missing == (0,)


def test_the_trait_itself_is_no_leak_but_what_was_filled_in_later_is(crowd: Shop) -> None:
    with crowd.lake.get_connection() as con:
        honest, _ = make_model(con, crowd.project, asked(features={"exclude": ["promised"]}), AS_OF, "")
        leaky, results = make_model(con, crowd.project, asked(), AS_OF, "")
    assert honest.problem is None
    assert {"spend", "rich", "vip"} <= honest.parameters["features"].keys()
    assert results == []
    assert "features know the future: promised (as of 2025-01-11" in (leaky.problem or "")


def test_too_few_who_come_to_meet_it_are_told(shop: Shop) -> None:
    with shop.lake.get_connection() as con:
        model, _ = make_model(con, shop.project, asked(), AS_OF, "")
    assert "people came to meet spend: >= 50 by the end of 10 days; at least 25 are needed" in (model.problem or "")


def test_it_is_told_in_words() -> None:
    assert sentence(asked()) == "Probability of coming to meet `spend: >= 50` in the 10 days after as_of"
