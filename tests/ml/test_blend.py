import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.blend import geometric_mean, logit_average

probability = st.floats(0, 1)
money = st.floats(0, 1e9)


def test_log_odds_are_averaged():
    assert logit_average([0.2, 0.9], [0.2, 0.5]) == pytest.approx([0.2, 0.75])


@given(probability, probability)
def test_probability_lies_between_the_two(one, two):
    blended = logit_average([one], [two])[0]
    assert min(one, two) - 1.1e-6 <= blended <= max(one, two) + 1.1e-6
    assert blended == logit_average([two], [one])[0]


def test_certainty_does_not_silence_the_other():
    assert logit_average([0.0], [0.999999])[0] == pytest.approx(0.5)


@given(money, money)
def test_amount_lies_between_the_two(one, two):
    blended = geometric_mean([one], [two])[0]
    assert min(one, two) * (1 - 1e-9) <= blended <= max(one, two) * (1 + 1e-9)


def test_geometric_mean():
    assert geometric_mean([4.0, 0.0], [9.0, 5.0]) == pytest.approx([6.0, 0.0])


@pytest.mark.parametrize("bad", [[1.2], [-0.1], [np.nan], [0.1, 0.2]])
def test_bad_probabilities_are_refused(bad):
    with pytest.raises(ValueError, match=r"probabilities must lie|differ in shape"):
        logit_average(bad, [0.5])


@pytest.mark.parametrize("bad", [[-1.0], [np.inf], [np.nan], [1.0, 2.0]])
def test_bad_amounts_are_refused(bad):
    with pytest.raises(ValueError, match=r"amounts must be|differ in shape"):
        geometric_mean(bad, [0.5])
