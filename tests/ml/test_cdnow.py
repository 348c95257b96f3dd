"""The published figures of the CDNOW data, from its raw log."""

import warnings

import numpy as np
import pytest

from ml.btyd import BGNBD, MBGNBD, GammaGamma, ParetoNBD
from ml.metrics import auc, log_loss
from tests.ml import cdnow


@pytest.fixture(scope="module")
def sample():
    return cdnow.sample()


def histories(people):
    return people.frequency, people.recency, people.T


def test_the_log_is_the_published_one(sample):
    log = cdnow.purchases()
    assert (len(log), log["customer"].nunique(), (log["dollars"] == 0).sum()) == (69_659, 23_570, 80)
    assert (len(sample.T), (sample.frequency > 0).sum()) == (2_357, 946)


def test_bgnbd_reaches_the_published_maximum(sample):
    model = BGNBD.fit(*histories(sample))
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.243, 4.414, 0.793, 2.426), abs=6e-4)
    assert model.log_likelihood == pytest.approx(-9582.4, abs=0.05)
    assert model.n == 2_357


def test_mbgnbd_is_that_of_lifetimes(sample):
    """`ModifiedBetaGeoFitter` of lifetimes 0.11.3 on the same histories."""
    model = MBGNBD.fit(*histories(sample))
    assert (model.r, model.alpha, model.a, model.b) == pytest.approx((0.52484, 6.18308, 0.89136, 1.61400), abs=5e-5)
    assert model.log_likelihood == pytest.approx(-9582.1357, abs=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import ModifiedBetaGeoFitter

        theirs = ModifiedBetaGeoFitter()
        theirs.params_ = {name: getattr(model, name) for name in model.names}
        expected = theirs.conditional_expected_number_of_purchases_up_to_time(39, *histories(sample))
        alive = theirs.conditional_probability_alive(*histories(sample))
    assert model.expected_purchases(39, *histories(sample)) == pytest.approx(np.asarray(expected), rel=1e-9)
    assert model.probability_of_purchase(1e9, *histories(sample)) == pytest.approx(np.asarray(alive), rel=1e-3)


def test_paretonbd_reaches_the_published_maximum(sample):
    model = ParetoNBD.fit(*histories(sample))
    assert (model.r, model.alpha) == pytest.approx((0.553, 10.578), abs=6e-4)
    assert (model.s, model.beta) == pytest.approx((0.606, 11.669), abs=6e-4)
    assert model.log_likelihood == pytest.approx(-9595.0, abs=0.05)


def test_gammagamma_reaches_the_published_maximum(sample):
    model = GammaGamma.fit(sample.frequency, sample.monetary)
    assert (model.p, model.q, model.v) == pytest.approx((6.25, 3.74, 15.44), abs=6e-3)
    assert model.log_likelihood == pytest.approx(-4055.92, abs=0.006)
    assert model.n == 946


@pytest.mark.parametrize(("model", "published"), [(BGNBD, 0.626), (MBGNBD, 0.627), (ParetoNBD, 0.630)])
def test_expectations_correlate_with_the_holdout_as_published(sample, model, published):
    expected = model.fit(*histories(sample)).expected_purchases(39, *histories(sample))
    assert np.corrcoef(expected, sample.later)[0, 1] == pytest.approx(published, abs=6e-4)


@pytest.mark.parametrize("model", [BGNBD, MBGNBD, ParetoNBD])
def test_probabilities_tell_who_buys_in_the_holdout(sample, model):
    probability = model.fit(*histories(sample)).probability_of_purchase(39, *histories(sample))
    bought = sample.later > 0
    assert auc(bought, probability) > 0.75
    assert log_loss(bought, probability) < 0.9 * log_loss(bought, np.full(len(bought), bought.mean()))
    assert probability[sample.frequency == 0].max() < 0.5, "a customer who bought once is no certain buyer"


@pytest.mark.parametrize("model", [BGNBD, MBGNBD, ParetoNBD])
def test_everybody_of_the_log_fits_too(model):
    everybody = cdnow.customers(cdnow.purchases())
    fitted = model.fit(*histories(everybody))
    of_sample = model.fit(*histories(cdnow.sample()))
    here = of_sample.log_density(np.array([of_sample.to_dict()[name] for name in model.names]), *histories(everybody))
    assert fitted.n == 23_570
    assert fitted.log_likelihood >= here.sum()
