"""The special function against numeric integration, also where scipy overflows."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import hyp2f1

from ml.btyd.hypergeometric import hyp2f1_one, mean_of_lifetime_purchases
from tests.oracles.btyd import beta_grid


def euler(b, c, z):
    edges = [0, *np.geomspace(1e-6, 3e3, 40)]
    pieces = [
        quad(
            lambda u: (c - 1) * np.exp(-(c - 1) * u - b * np.log(1 - z + z * np.exp(-u))),
            low,
            high,
            epsabs=1e-14,
        )[0]
        for low, high in pairwise(edges)
    ]
    return sum(pieces)


@pytest.mark.parametrize("b", [0.05, 1.0, 30.0, 900.0])
@pytest.mark.parametrize("z", [0.0, 0.3, 0.9, 0.999])
def test_equals_the_integral(b, z):
    found = hyp2f1_one(np.array([b]), np.array([b + 1.8]), np.array([z]))
    assert found[0] == pytest.approx(euler(b, b + 1.8, z), rel=1e-8)


def test_next_to_one_it_still_equals_scipy():
    b, c, z = np.array([0.4, 0.4, 1e-3]), np.array([2.0, 2.0, 1.0011]), np.array([1 - 1e-9, 0.5, 0.99999])
    assert hyp2f1_one(b, c, z) == pytest.approx(hyp2f1(1, b, c, z), rel=1e-10)


def test_more_rows_than_one_chunk():
    b, z = np.linspace(0.5, 20, 5_000), np.full(5_000, 0.9995)
    assert hyp2f1_one(b, b + 1.7, z) == pytest.approx(hyp2f1(1, b, b + 1.7, z), rel=1e-9)


@pytest.mark.parametrize("a", [1e-4, 0.4, 2.0, 400.0])
@pytest.mark.parametrize("b", [1e-3, 0.6, 5.0, 900.0])
def test_lifetime_purchases_equal_a_sum_over_the_beta_distribution(a, b):
    k, w = 2.6, np.array([0.01, 3.0, 1e4])
    drop, _, weights = beta_grid(a, b, step=0.005 if a >= 1 and b >= 1 else 0.2)
    with np.errstate(invalid="ignore"):
        values = [-np.expm1(-k * np.log1p(drop * x)) / drop for x in w]
    exact = [np.where(drop < 1e-250, k * x, value) @ weights for x, value in zip(w, values, strict=True)]
    full = np.ones(3)
    assert mean_of_lifetime_purchases(k * full, w, a * full, b * full) == pytest.approx(exact, rel=1e-8)


def test_nothing_in_nothing_out():
    assert hyp2f1_one(np.array([]), np.array([]), np.array([])).shape == (0,)
