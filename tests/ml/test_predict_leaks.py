"""Features that know the future are refused, others are not."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ml.errors import PredictionError
from ml.leaks import check_leaks, leaks, separation
from ml.model import make_model
from ml.rows import Rows
from profiles_assets.project.loader import load_project
from tests.ml.predicting import calendar, forecast, training_set
from tests.ml.test_training_rows import CALENDAR, START, Shop, buy, event

GOALS = ("no order_completed", "order_completed", "count order_completed", "sum order_completed.total")


def rows_of(predict: str, **more: Any) -> Rows:
    rows = training_set(forecast(predict), calendar(), 400).rows
    return replace(rows, frame=rows.frame.assign(**more), features=rows.features | dict.fromkeys(more, "DOUBLE"))


@pytest.mark.parametrize("predict", GOALS)
def test_honest_features_pass(predict: str) -> None:
    check_leaks(rows_of(predict), forecast(predict))


@pytest.mark.parametrize("predict", GOALS)
def test_traits_of_a_later_day_on_past_labels_are_refused(predict: str) -> None:
    label = rows_of(predict).label
    later = label + np.random.default_rng(0).normal(size=len(label)) * 0.1 * label.std()
    with pytest.raises(PredictionError, match=r"features know the future: later \(as of .* exclude them"):
        check_leaks(rows_of(predict, later=later), forecast(predict))


def test_a_leak_may_hide_in_what_is_missing_or_in_texts() -> None:
    label = rows_of("order_completed").label
    gaps = np.where(label > 0, np.random.default_rng(0).random(len(label)), np.nan)
    texts = np.where(label > 0, "won", "lost").astype(object)
    rows = rows_of("order_completed", gaps=gaps, texts=texts)
    found = leaks(replace(rows, features=rows.features | {"texts": "VARCHAR"}), forecast("order_completed"))
    assert {leak.feature for leak in found} == {"gaps", "texts"}


def test_a_feature_that_tells_the_past_as_well_is_honest() -> None:
    """Whoever always buys: the last horizon tells the next one, and a count of it tells both."""
    rows = rows_of("order_completed")
    steady = rows.label
    frame = rows.frame.assign(_recent=steady * 50, steady=steady)
    check_leaks(replace(rows, frame=frame, features=rows.features | {"steady": "DOUBLE"}), forecast("order_completed"))


@pytest.mark.parametrize("seed", range(5))
def test_separation_is_the_better_of_both_ways(seed: int) -> None:
    rng = np.random.default_rng(seed)
    happened, values = rng.random(200) < 0.5, rng.normal(size=200)
    pairs = values[happened][:, None] - values[~happened][None, :]
    above = (pairs > 0).mean()
    assert separation(pd.Series(values), happened) == pytest.approx(max(above, 1 - above))


def test_a_property_filled_in_afterwards_is_refused(tmp_path: Path) -> None:
    """A file of the first day already says who will buy later on: the training says so, and makes no model."""
    shop = Shop(tmp_path)
    (tmp_path / "traits" / "leak.yml").write_text("traits: {promised: {latest: signed_up.promised}}\n")
    shop.project = load_project(tmp_path)
    rng = np.random.default_rng(1)
    people = [(f"p{number}", *rng.random(3)) for number in range(160)]
    told = [event(0, "signed_up", user_id=who, promised=float(second > 0.5)) for who, _, second, _ in people]
    early = [buy(5, 5, user_id=who) for who, first, _, _ in people if first > 0.5]
    later = [buy(15, 5, user_id=who) for who, _, second, _ in people if second > 0.5]
    last = [buy(25, 5, user_id=who) for who, _, _, third in people if third > 0.5]
    shop.add(*told, *early, *later, *last, name="leak")
    asked = forecast("bought", "10 days")
    with shop.lake.get_connection() as con:
        model, results = make_model(con, shop.project, asked, START + timedelta(days=30), "")
        exclude = forecast("bought", "10 days", features={"exclude": ["promised"]})
        honest, _ = make_model(con, shop.project, exclude, START + timedelta(days=30), "")
    assert CALENDAR.as_of == START + timedelta(days=30)
    assert model.model_id is None
    assert results == []
    assert "features know the future: promised (as of 2025-01-11 AUC 0.97" in (model.problem or "")
    assert honest.problem is None
