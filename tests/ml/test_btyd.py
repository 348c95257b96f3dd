"""Invariants of the buying models, and their agreement with slow oracles and with simulated customers."""

import json
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.btyd import BGNBD, MBGNBD, GammaGamma, ParetoNBD
from ml.btyd.gammagamma import log_density as spend_density
from tests.ml import simulated
from tests.oracles.btyd import GridBGNBD, GridGammaGamma, GridMBGNBD, GridParetoNBD

BUYING = [BGNBD, MBGNBD, ParetoNBD]
KNOWN = {BGNBD: (0.6, 5.0, 0.9, 2.5), MBGNBD: (0.6, 5.0, 0.9, 2.5), ParetoNBD: (0.8, 9.0, 0.7, 12.0)}
SIMULATE = {BGNBD: simulated.bg_nbd, MBGNBD: simulated.mbg_nbd, ParetoNBD: simulated.pareto_nbd}
PEOPLE = [(0, 0.0, 30.0), (0, 0.0, 0.0), (1, 2.5, 30.0), (1, 30.0, 30.0), (4, 28.0, 30.0), (25, 9.0, 30.0)]
ORACLES = [
    (BGNBD, GridBGNBD, (0.243, 4.414, 0.793, 2.426)),
    (BGNBD, GridBGNBD, (1.7, 20.0, 1.0, 0.6)),
    (BGNBD, GridBGNBD, (0.5, 2.0, 0.3, 0.7)),
    (MBGNBD, GridMBGNBD, (0.525, 6.183, 0.891, 1.614)),
    (MBGNBD, GridMBGNBD, (1.7, 20.0, 1.0, 0.6)),
    (MBGNBD, GridMBGNBD, (0.5, 2.0, 0.3, 0.7)),
    (ParetoNBD, GridParetoNBD, (0.553, 10.578, 0.606, 11.669)),
    (ParetoNBD, GridParetoNBD, (0.9, 25.0, 1.0, 3.0)),
    (ParetoNBD, GridParetoNBD, (2.5, 6.0, 0.4, 6.0)),
    (ParetoNBD, GridParetoNBD, (0.4, 0.5, 2.2, 80.0)),
]

positive = st.floats(0.02, 50.0)
parameters = st.tuples(positive, positive, positive, positive)


@st.composite
def history(draw):
    age = draw(st.floats(0.0, 100.0))
    x = draw(st.integers(0, 300)) if age > 0 else 0
    return x, draw(st.floats(0.0, age)) if x else 0.0, age


@cache
def population(model):
    return SIMULATE[model](15_000, *KNOWN[model], h=26.0, seed=3)


@cache
def fitted(model):
    people = population(model)
    return model.fit(people.frequency, people.recency, people.T)


def values(model):
    return np.array([getattr(model, name) for name in model.names])


@pytest.mark.parametrize(("model", "grid", "known"), ORACLES)
def test_equals_the_sum_over_all_rates_and_dropouts(model, grid, known):
    closed, slow = model(*known), grid(*known)
    x, tx, age = (np.array(column, float) for column in zip(*PEOPLE, strict=True))
    density = model.log_density(np.array(known), x, tx, age)
    assert density == pytest.approx([slow.log_density(*person) for person in PEOPLE], rel=1e-9)
    for h in (0.5, 12.0, 150.0):
        probability = closed.probability_of_purchase(h, x, tx, age)
        assert probability == pytest.approx([slow.probability(h, *person) for person in PEOPLE], rel=1e-8)
        expected = closed.expected_purchases(h, x, tx, age)
        assert expected == pytest.approx([slow.expected(h, *person) for person in PEOPLE], rel=1e-8)


@pytest.mark.parametrize("known", [(6.25, 3.74, 15.44), (1.2, 1.6, 40.0)])
def test_spend_equals_the_sum_over_all_scales(known):
    closed, slow = GammaGamma(*known), GridGammaGamma(*known)
    people = [(1, 12.0), (3, 80.0), (20, 33.0)]
    x, mean = (np.array(column, float) for column in zip(*people, strict=True))
    density = spend_density(np.array(known), x, mean)
    assert density == pytest.approx([slow.log_density(*person) for person in people], rel=1e-9)
    assert closed.expected_spend(x, mean) == pytest.approx([slow.expected(*person) for person in people])
    assert closed.expected_spend(0, 0)[0] == pytest.approx(slow.expected(0, 0))


@pytest.mark.parametrize("model", BUYING)
def test_predictions_meet_what_simulated_customers_do(model):
    people, truth = population(model), model(*KNOWN[model])
    x = people.frequency
    probability = truth.probability_of_purchase(26, x, people.recency, people.T)
    expected = truth.expected_purchases(26, x, people.recency, people.T)
    for group in (x == 0, x == 1, (x > 1) & (people.recency < people.T / 2), x > 3):
        bought = people.later[group]
        error = 4 / np.sqrt(group.sum())
        assert probability[group].mean() == pytest.approx((bought > 0).mean(), abs=error / 2)
        assert expected[group].mean() == pytest.approx(bought.mean(), abs=error * bought.std())


@pytest.mark.parametrize("model", BUYING)
def test_fit_recovers_the_parameters(model):
    people, found = population(model), fitted(model)
    at_truth = model.log_density(np.array(KNOWN[model]), people.frequency, people.recency, people.T).sum()
    assert found.log_likelihood >= at_truth
    assert found.log_likelihood - at_truth < 10, "four parameters gain about two on the truth"
    assert values(found) == pytest.approx(KNOWN[model], rel=0.25)


def test_spend_recovers_the_parameters():
    x, mean = simulated.gamma_gamma(15_000, 4.0, 3.0, 30.0)
    found = GammaGamma.fit(x, mean)
    assert (found.p, found.q, found.v) == pytest.approx((4.0, 3.0, 30.0), rel=0.1)
    assert found.n == (x > 0).sum()


@pytest.mark.parametrize("model", BUYING)
def test_fit_does_not_depend_on_the_order_of_rows(model):
    people = SIMULATE[model](800, *KNOWN[model], h=1.0)
    order = np.random.default_rng(1).permutation(800)
    columns = (people.frequency, people.recency, people.T)
    assert model.fit(*columns) == model.fit(*(column[order] for column in columns))


def test_spend_does_not_depend_on_the_order_of_rows():
    x, mean = simulated.gamma_gamma(800, 4.0, 3.0, 30.0)
    order = np.random.default_rng(1).permutation(800)
    assert GammaGamma.fit(x, mean) == GammaGamma.fit(x[order], mean[order])


@pytest.mark.parametrize("model", BUYING)
def test_the_unit_of_time_does_not_matter(model):
    people, weekly = population(model), fitted(model)
    daily = model.fit(people.frequency, people.recency * 7, people.T * 7)
    scale = [7 if name in model.times else 1 for name in model.names]
    assert values(daily) == pytest.approx(values(weekly) * scale, rel=1e-3)


@pytest.mark.parametrize("model", BUYING)
@settings(max_examples=80, deadline=None)
@given(known=parameters, person=history(), near=st.floats(0, 200), more=st.floats(0, 200))
def test_probability_and_expectation_grow_with_the_horizon(model, known, person, near, more):
    truth = model(*known)
    soon, late = (truth.probability_of_purchase(h, *person)[0] for h in (near, near + more))
    few, many = (truth.expected_purchases(h, *person)[0] for h in (near, near + more))
    assert 0 <= soon <= late + 1e-12
    assert late <= 1
    assert late <= many * (1 + 1e-9) + 1e-9, "the chance of any purchase is at most the expected number"
    assert few <= many * (1 + 1e-9) + 1e-9
    assert truth.probability_of_purchase(0, *person)[0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("model", BUYING)
@settings(max_examples=60, deadline=None)
@given(known=parameters, people=st.lists(history(), min_size=1, max_size=20))
def test_rows_do_not_influence_each_other(model, known, people):
    truth, columns = model(*known), [np.array(column, float) for column in zip(*people, strict=True)]
    together = truth.probability_of_purchase(5, *columns)
    assert together == pytest.approx([truth.probability_of_purchase(5, *one)[0] for one in people], abs=1e-12)
    assert np.isfinite(model.log_density(np.array(known), *columns)).all()


@pytest.mark.parametrize("model", BUYING)
def test_a_loyal_customer_with_hundreds_of_purchases_has_finite_answers(model):
    truth = model(*KNOWN[model])
    assert truth.probability_of_purchase(30, 2_000, 365, 365)[0] > 0.99
    assert np.isfinite(truth.expected_purchases(30, 2_000, 365, 365)).all()


@pytest.mark.parametrize("a", [1 - 3e-5, 1 - 5e-6, 1.0, 1 + 5e-6, 1 + 3e-5])
def test_expectation_is_smooth_where_a_is_one(a):
    exact = GridBGNBD(0.5, 5.0, 1.0, 2.0).expected(10, 3, 20.0, 30.0)
    assert BGNBD(0.5, 5.0, a, 2.0).expected_purchases(10, 3, 20, 30)[0] == pytest.approx(exact, rel=1e-4)


@pytest.mark.parametrize(
    "model", [BGNBD(0.2, 4.4, 0.8, 2.4, -9.5, 12), ParetoNBD(0.5, 10, 0.6, 11), GammaGamma(6, 3, 15)]
)
def test_json_and_back(model):
    assert type(model).from_dict(json.loads(json.dumps(model.to_dict()))) == model


def test_json_of_something_else_is_refused():
    with pytest.raises(ValueError, match="needs exactly"):
        BGNBD.from_dict({"r": 1.0})
    with pytest.raises(ValueError, match="alpha is -1"):
        BGNBD(1.0, -1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("people", "message"),
    [
        ([], "no customers"),
        ([(0, 0, 5), (0, 0, 6)], "nobody bought again"),
        ([(1, 0, 0)], "T is 0 for every customer"),
        ([(1, 6, 5)], "recency is after T: row 0"),
        ([(2, 1, 5), (-1, 1, 5)], "frequency must be finite and not negative; row 1 has -1.0"),
        ([(2, 1, 5), (2, np.nan, 5)], "recency must be finite"),
        ([(1.5, 1, 5)], "whole number"),
        ([(0, 1, 5)], "recency must be 0"),
    ],
)
@pytest.mark.parametrize("model", BUYING)
def test_impossible_histories_are_refused(model, people, message):
    columns = zip(*people, strict=True) if people else ([], [], [])
    with pytest.raises(ValueError, match=message):
        model.fit(*(np.array(column, float) for column in columns))


@pytest.mark.parametrize("model", BUYING)
def test_bad_questions_are_refused(model):
    truth = model(*KNOWN[model])
    with pytest.raises(ValueError, match="h must be finite and not negative"):
        truth.probability_of_purchase(-1, 1, 2, 3)
    with pytest.raises(ValueError, match="differ in length: 2, 1, 1"):
        truth.expected_purchases(1, [1, 1], 2, 3)
    with pytest.raises(ValueError, match="one-dimensional"):
        truth.expected_purchases(1, [[1]], 2, 3)


@pytest.mark.parametrize(
    ("x", "mean", "message"),
    [
        ([0, 0], [0, 0], "nobody has both"),
        ([1, 2], [3], "differ in shape"),
        ([1, 2], [3, -4], "monetary must be finite and not negative; row 1"),
    ],
)
def test_bad_spending_is_refused(x, mean, message):
    with pytest.raises(ValueError, match=message):
        GammaGamma.fit(x, mean)


def test_spend_of_a_first_time_buyer_is_the_mean_over_customers():
    model = GammaGamma(6.25, 3.74, 15.44)
    first, loyal = model.expected_spend([0, 500], [np.nan, 80.0])
    assert first == pytest.approx(6.25 * 15.44 / 2.74)
    assert loyal == pytest.approx(80, rel=0.01)
    with pytest.raises(ValueError, match="infinite"):
        GammaGamma(6.25, 0.9, 15.44).expected_spend([0], [0])


@pytest.mark.parametrize("model", BUYING)
def test_a_penalty_pulls_wild_parameters_back(model):
    x, tx, age = np.array([1.0, 1, 1, 1]), np.array([5.0, 5, 5, 5]), np.array([10.0, 10, 10, 10])
    free, held = model.fit(x, tx, age), model.fit(x, tx, age, penalty=0.1)
    assert np.abs(np.log(values(held))).max() < np.abs(np.log(values(free))).max()


@pytest.mark.parametrize("model", BUYING)
def test_customers_whom_no_model_made_still_get_finite_answers(model):
    rng = np.random.default_rng(8)
    age = rng.uniform(0, 300, 60) * (rng.random(60) < 0.9)
    x = np.floor(10 ** rng.uniform(0, 2.5, 60)) * (rng.random(60) < 0.3) * (age > 0)
    people = x, age * (x > 0), age
    loyal = model.fit(*people)
    for h in (1e-3, 30.0, 1e4):
        probability, expected = loyal.probability_of_purchase(h, *people), loyal.expected_purchases(h, *people)
        assert np.isfinite(expected).all()
        assert (probability <= expected * (1 + 1e-7) + 1e-9).all()
