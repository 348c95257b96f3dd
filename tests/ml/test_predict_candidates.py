import json

import numpy as np
import pytest

from ml import metrics
from ml.btyd import BGNBD, MBGNBD, ParetoNBD
from ml.candidates import BuyTillYouDie, Trees, fit_purchases, fitted_models
from ml.rows import Rows
from tests.ml import simulated
from tests.ml.predicting import calendar, forecast, training_set

CALENDAR = calendar()


@pytest.mark.parametrize("predict", ["no order_completed", "order_completed"])
def test_probabilities_rank_people_and_add_up(predict: str) -> None:
    asked = forecast(predict)
    data = training_set(asked, CALENDAR)
    for name, model in fitted_models(asked, data.rows, data.histories_at(CALENDAR.as_of)).items():
        predicted = model.predict(data.rows)
        assert metrics.auc(data.rows.label, predicted) > 0.7, name
        assert abs(predicted.mean() - data.rows.label.mean()) < 0.06, name


@pytest.mark.parametrize("predict", ["count order_completed", "sum order_completed.total"])
def test_amounts_rank_people_and_add_up(predict: str) -> None:
    asked = forecast(predict)
    data = training_set(asked, CALENDAR)
    models = fitted_models(asked, data.rows, data.histories_at(CALENDAR.as_of))
    for name in ("btyd", "boosted"):
        predicted = models[name].predict(data.rows)
        assert (predicted >= 0).all()
        assert metrics.normalised_gini(data.rows.label, predicted) > 0.5, name


def test_the_probability_is_of_no_purchase_rather_than_of_having_left() -> None:
    """One-time buyers are surely alive to a purchase model; they differ all the same in when they come back."""
    asked = forecast()
    data = training_set(asked, CALENDAR)
    model = BuyTillYouDie(asked).fit(data.rows, data.histories_at(CALENDAR.as_of))
    once = data.rows.frame[data.rows.frame._frequency == 0]
    predicted = model.predict(Rows(once, data.rows.features))
    assert predicted.min() > 0.2
    assert predicted.max() < 1
    assert np.corrcoef(predicted, once._age)[0, 1] > 0.9


def test_who_never_bought_gets_the_mean_of_such_people() -> None:
    asked = forecast()
    data = training_set(asked, CALENDAR)
    model = BuyTillYouDie(asked).fit(data.rows, data.histories_at(CALENDAR.as_of))
    strangers = ~data.rows.has_bought
    assert set(model.predict(data.rows)[strangers]) == {data.rows.label[strangers].mean()}


def test_where_nobody_bought_again_everybody_gets_the_mean() -> None:
    asked = forecast("sum order_completed.total")
    data = training_set(asked, CALENDAR)
    once = data.histories[data.histories._frequency == 0]
    model = BuyTillYouDie(asked).fit(data.rows, once)
    assert model.purchases is None
    assert len(set(model.predict(data.rows))) == 1


@pytest.mark.parametrize("predict", ["no order_completed", "count order_completed", "sum order_completed.total"])
def test_purchase_models_go_to_json_and_back(predict: str) -> None:
    asked = forecast(predict)
    data = training_set(asked, CALENDAR)
    model = BuyTillYouDie(asked).fit(data.rows, data.histories_at(CALENDAR.as_of))
    again = BuyTillYouDie.from_dict(asked, json.loads(json.dumps(model.to_dict())))
    assert (again.predict(data.rows) == model.predict(data.rows)).all()


def test_trees_fit_the_same_way_every_time() -> None:
    asked = forecast()
    data = training_set(asked, CALENDAR)
    first, second = (Trees(asked).fit(data.rows, data.histories).predict(data.rows) for _ in range(2))
    assert first.tobytes() == second.tobytes()


@pytest.mark.parametrize("model", ["btyd", "boosted", "blend"])
def test_the_spec_chooses_the_model(model: str) -> None:
    asked = forecast(model=model)
    data = training_set(asked, CALENDAR)
    assert list(fitted_models(asked, data.rows, data.histories_at(CALENDAR.as_of))) == [model]


def test_the_likeliest_purchase_model_is_taken() -> None:
    people = simulated.mbg_nbd(4000, 0.6, 5.0, 1.5, 1.0, h=1.0, seed=5)
    history = people.frequency, people.recency, people.T
    found = fit_purchases(*history)
    assert isinstance(found, MBGNBD)
    assert all(found.log_likelihood >= model.fit(*history).log_likelihood - 0.1 for model in (BGNBD, MBGNBD, ParetoNBD))
    assert fit_purchases(*(column[people.frequency == 0] for column in history)) is None
