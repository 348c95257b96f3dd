import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.btyd.fitting import maximise, unique_rows


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1))
def test_unique_rows_are_those_of_numpy_with_their_counts(rows):
    table = np.array(rows, float)
    expected, counts = np.unique(table, axis=0, return_counts=True)
    found, weights = unique_rows(*table.T)
    assert (np.column_stack(found) == expected).all()
    assert (weights == counts).all()


def test_the_maximum_is_found_within_bounds():
    rows, weights = [np.array([2.0, 8.0])], np.array([1.0, 3.0])
    density = lambda parameters, x: -((np.log(parameters[0]) - np.log(x)) ** 2)  # noqa: E731
    best = np.exp((np.log(2) + 3 * np.log(8)) / 4)
    assert maximise(density, rows, weights, [(1.0,)]) == pytest.approx([best], rel=1e-5)
    assert maximise(density, rows, weights, [(1.0,)], lower=(7.0,)) == pytest.approx([7.0])
    assert 1 < maximise(density, rows, weights, [(1.0,)], penalty=1.0)[0] < best


def test_the_best_of_several_starts_is_kept():
    def hills(parameters, x):
        place = np.log(parameters[0])
        return x * (np.exp(-((place + 1) ** 2) * 4) + 2 * np.exp(-((place - 7) ** 2) / 4))

    found = maximise(hills, [np.ones(1)], np.ones(1), [(np.exp(6.0),), (np.exp(-0.9),)])
    assert np.log(found) == pytest.approx([7.0], abs=1e-3)


def test_no_parameters_at_all_are_an_error():
    with pytest.raises(ValueError, match="no parameters explain"):
        maximise(lambda parameters, x: x * np.nan, [np.ones(2)], np.ones(2), [(1.0,), (2.0,)])
