"""Against scikit-learn where it has the metric, against brute force where it has not."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import given, settings
from hypothesis import strategies as st

from ml import metrics

scored = st.lists(st.tuples(st.booleans(), st.integers(0, 8)), min_size=2, max_size=40).filter(
    lambda rows: len({happened for happened, _ in rows}) == 2
)
amounts = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 12)), min_size=2, max_size=60)


def columns(rows, divisor=1.0):
    first, second = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    return first, second / divisor


@settings(max_examples=60, deadline=None)
@given(scored)
def test_probability_metrics_equal_scikit_learn(rows):
    label, p = columns(rows, 8)
    clipped = np.clip(p, 1e-15, 1 - 1e-15)
    assert metrics.log_loss(label, p) == pytest.approx(sklearn.metrics.log_loss(label, clipped))
    assert metrics.auc(label, p) == pytest.approx(sklearn.metrics.roc_auc_score(label, p))
    assert metrics.brier(label, p) == pytest.approx(sklearn.metrics.brier_score_loss(label, p))


@settings(max_examples=60, deadline=None)
@given(scored, st.integers(1, 12))
def test_ece_equals_a_loop_over_bins(rows, bins):
    label, p = columns(rows, 8)
    total = 0.0
    for index in range(bins):
        last = index == bins - 1
        inside = (p * bins >= index) & ((p * bins < index + 1) | last)
        if inside.any():
            total += inside.mean() * abs(p[inside].mean() - label[inside].mean())
    assert metrics.ece(label, p, bins) == pytest.approx(total, abs=1e-12)


@settings(max_examples=60, deadline=None)
@given(amounts)
def test_money_metrics_equal_scikit_learn(rows):
    y, p = columns(rows)
    assert metrics.mae(y, p) == pytest.approx(sklearn.metrics.mean_absolute_error(y, p))
    assert metrics.rmse(y, p) == pytest.approx(sklearn.metrics.root_mean_squared_error(y, p))


def area_under_lorenz(y, order):
    return (np.cumsum(y[order]) / y.sum()).mean()


def gini(y, score):
    """Mean over many orders of the tied, of the area between the Lorenz curve and the diagonal."""
    rng = np.random.default_rng(0)
    orders = [np.lexsort((rng.random(len(y)), score)) for _ in range(3_000)]
    return (len(y) + 1) / (2 * len(y)) - np.mean([area_under_lorenz(y, order) for order in orders])


@pytest.mark.parametrize("seed", [1, 2])
def test_normalised_gini_is_the_ratio_of_lorenz_areas(seed):
    rng = np.random.default_rng(seed)
    y, score = rng.gamma(0.5, 10, 60), rng.integers(0, 20, 60)
    assert metrics.normalised_gini(y, score) == pytest.approx(gini(y, score) / gini(y, y), abs=0.01)


@given(amounts.flatmap(lambda rows: st.tuples(st.just(rows), st.lists(st.integers(0, 3), min_size=60, max_size=60))))
def test_a_weighted_gini_is_that_of_rows_as_often_as_they_weigh(given_):
    rows, counts = given_
    (y, p), weights = columns(rows), np.array(counts[: len(rows)])
    again = np.repeat(np.arange(len(rows)), weights)
    found = metrics.WeightedGini.of(y, p).at(weights.astype(float))
    if len(set(y[again])) < 2:
        assert np.isnan(found)
    else:
        assert found == pytest.approx(metrics.normalised_gini(y[again], p[again]))


@given(amounts)
def test_normalised_gini_is_one_for_the_truth_and_turns_with_the_order(rows):
    y, p = columns(rows)
    if y.min() == y.max():
        assert np.isnan(metrics.normalised_gini(y, p))
    else:
        assert metrics.normalised_gini(y, 3 * y + 1) == pytest.approx(1)
        assert metrics.normalised_gini(y, -p) == pytest.approx(-metrics.normalised_gini(y, p))
        assert abs(metrics.normalised_gini(y, p)) <= 1 + 1e-12


def test_bias_is_relative_to_the_total():
    assert metrics.bias([10, 0, 10], [12, 5, 5]) == pytest.approx(0.1)
    assert np.isnan(metrics.bias([0, 0], [1, 1]))


def test_decile_mape_compares_totals_of_ten_groups():
    y = np.repeat(np.arange(10.0), 5)
    assert metrics.decile_mape(y, y * 1.2) == pytest.approx(0.2)
    assert metrics.decile_mape([5.0, 3.0], [5.0, 6.0]) == pytest.approx(0.5)
    assert np.isnan(metrics.decile_mape([0, 0], [1, 2]))


def test_auc_of_one_class_is_unknown():
    assert np.isnan(metrics.auc([1, 1], [0.2, 0.3]))


PROBABILITY = [metrics.log_loss, metrics.brier, metrics.ece]


@pytest.mark.parametrize("metric", [*PROBABILITY, metrics.auc, metrics.mae, metrics.normalised_gini])
@pytest.mark.parametrize("rows", [([], []), ([1], [1, 0]), ([1], [np.nan]), ([[1]], [[1]])])
def test_unequal_empty_or_missing_values_are_refused(metric, rows):
    with pytest.raises(ValueError, match=r"needed|missing"):
        metric(*rows)


@pytest.mark.parametrize("metric", PROBABILITY)
@pytest.mark.parametrize("rows", [([2], [0.5]), ([1], [1.5])])
def test_outcomes_and_probabilities_have_a_range(metric, rows):
    with pytest.raises(ValueError, match=r"0 or 1|between 0 and 1"):
        metric(*rows)


def test_bins_are_at_least_one():
    with pytest.raises(ValueError, match="at least 1"):
        metrics.ece([1], [0.5], 0)


@pytest.mark.parametrize("seed", range(20))
def test_lift_is_the_mean_over_all_orders_of_the_tied(seed: int) -> None:
    rng = np.random.default_rng(seed)
    score, happened = rng.integers(0, 5, 30).astype(float), rng.integers(0, 2, 30).astype(float)
    draws = []
    for _ in range(4000):
        mixed = rng.permutation(30)
        draws.append(happened[mixed][np.argsort(-score[mixed], kind="stable")[:3]].mean() / happened.mean())
    assert metrics.lift(happened, score) == pytest.approx(np.mean(draws), abs=0.08)


def test_reliability_has_everybody_once() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(500)
    happened = (rng.random(500) < p).astype(float)
    found = metrics.reliability(happened, p)
    assert sum(people for *_, people in found) == 500
    assert sum(share * people for _, share, people in found) == pytest.approx(happened.sum())
    assert sum(abs(mean - share) * people for mean, share, people in found) / 500 == pytest.approx(
        metrics.ece(happened, p)
    )
