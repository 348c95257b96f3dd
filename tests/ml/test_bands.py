import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import percentileofscore

from ml.bands import parse_bands, percentile_ranks

SHARES = {"high": "top 10%", "medium": "next 20%", "low": "rest"}
THRESHOLDS = {"high": ">= 0.7", "medium": "> 0.3", "low": "rest"}
scores = st.lists(st.integers(0, 6), min_size=1, max_size=60)


@given(scores)
def test_percentile_is_the_mean_of_strictly_and_weakly_below(values):
    brute = [np.mean([percentileofscore(values, v, "strict"), percentileofscore(values, v, "weak")]) for v in values]
    assert percentile_ranks(values) == pytest.approx(brute)


def test_missing_scores_have_missing_percentiles_and_no_band():
    assert percentile_ranks([3.0, np.nan, 1.0]) == pytest.approx([75, np.nan, 25], nan_ok=True)
    assert parse_bands(SHARES).labels([np.nan, 1.0]).tolist() == [None, "low"]
    assert parse_bands(THRESHOLDS).labels([np.nan, 1.0]).tolist() == [None, "high"]
    assert np.isnan(percentile_ranks([np.nan])).all()


def test_nobody_in_nobody_out():
    assert percentile_ranks([]).shape == parse_bands(SHARES).labels([]).shape == (0,)


@pytest.mark.parametrize("n", [10, 20, 200, 1_000])
def test_distinct_scores_fill_the_shares_exactly(n):
    labels = parse_bands(SHARES).labels(np.random.default_rng(0).permutation(n))
    assert [(labels == name).sum() for name in SHARES] == [n // 10, n // 5, n - n // 10 - n // 5]


@given(scores)
def test_equal_scores_share_a_band_and_higher_ones_are_never_lower(values):
    labels = parse_bands(SHARES).labels(values)
    places = {value: set() for value in sorted(values, reverse=True)}
    for value, label in zip(values, labels, strict=True):
        places[value].add(list(SHARES).index(label))
    assert all(len(place) == 1 for place in places.values())
    order = [place.pop() for place in places.values()]
    assert order == sorted(order)


def test_tied_scores_stand_in_the_middle_of_their_places():
    assert set(parse_bands(SHARES).labels([0.5] * 40)) == {"low"}
    labels = parse_bands(SHARES).labels([9.0] * 4 + list(range(6)))
    assert labels.tolist() == ["medium"] * 4 + ["low"] * 6


def test_bands_do_not_depend_on_the_order_of_rows():
    values, order = np.random.default_rng(2).integers(0, 30, 100), np.random.default_rng(3).permutation(100)
    bands = parse_bands(SHARES)
    assert (bands.labels(values)[order] == bands.labels(values[order])).all()


def test_thresholds_include_their_edge_as_written():
    labels = parse_bands(THRESHOLDS).labels([0.9, 0.7, 0.69, 0.3, -1.0])
    assert labels.tolist() == ["high", "high", "medium", "low", "low"]


def test_shares_may_add_up_to_everybody():
    labels = parse_bands({"top": "TOP 50 %", "bottom": "next 50%"}).labels([1, 2, 3, 4])
    assert labels.tolist() == ["bottom", "bottom", "top", "top"]


def test_everybody_may_be_the_rest():
    assert parse_bands({"all": "rest"}).labels([1, 2]).tolist() == ["all", "all"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "no bands are declared: write shares"),
        ({"high": "upper 10%", "low": "rest"}, 'band high: cannot read "upper 10%": write shares'),
        ({"high": "top 10%", "mid": ">= 0.3", "low": "rest"}, 'band mid: cannot read ">= 0.3"'),
        ({"high": "top 10%", "mid": "top 20%", "low": "rest"}, 'should be "next 20%"'),
        ({"high": "next 10%", "low": "rest"}, 'should be "top 10%"'),
        ({"high": "top 0%", "low": "rest"}, "above 0%"),
        ({"high": "top 60%", "mid": "next 50%"}, "add up to 110%; they must stay within 100%"),
        ({"high": "top 100%", "low": "rest"}, "already add up to 100%"),
        ({"high": "top 60%", "mid": "next 20%"}, 'add up to 80%; add a last band "rest"'),
        ({"low": "rest", "high": "top 10%"}, "belongs to one band, the last one"),
        ({"a": "rest", "b": "rest"}, "belongs to one band, the last one, not to a, b"),
        ({"high": ">= 0.7", "mid": ">= 0.3"}, 'add a last band "rest"'),
        ({"high": ">= 0.3", "mid": ">= 0.7", "low": "rest"}, 'band mid: nobody can reach ">= 0.7"'),
        ({"high": ">= 0.3", "mid": "> 0.3", "low": "rest"}, "nobody can reach"),
    ],
)
def test_wrong_bands_are_told_what_would_be_right(spec, message):
    with pytest.raises(ValueError, match=message):
        parse_bands(spec)


def test_a_threshold_may_add_only_its_edge():
    bands = parse_bands({"above": "> 0.3", "at": ">= 0.3", "below": "rest"})
    assert bands.labels([0.4, 0.3, 0.2]).tolist() == ["above", "at", "below"]
