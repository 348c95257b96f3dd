"""Bands of a prediction, checked as they are later read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.bands import parse_bands
from profiles_assets.project.bands import band_problems


@pytest.mark.parametrize(
    ("bands", "problems"),
    [
        ({}, []),
        ({"high": "top 10%", "medium": "next 20%", "low": "rest"}, []),
        ({"high": "top 40%", "low": "Next 60 %"}, []),
        ({"high": ">= 0.7", "medium": "> 0.3", "low": "rest"}, []),
        ({"all": "rest"}, []),
        ({"low": "rest", "high": "top 10%"}, [("low", '"rest" belongs to the last band only')]),
        ({"high": "next 10%", "low": "rest"}, [("high", '"next 10%" should be "top 10%"')]),
        ({"high": "top 10%", "low": "top 90%"}, [("low", '"top 90%" should be "next 90%"')]),
        ({"high": "top 0%", "low": "rest"}, [("high", "holds nobody")]),
        ({"high": "top 10%"}, [("high", 'add up to 10%; add a last band "rest"')]),
        ({"high": "top 60%", "low": "next 60%"}, [("low", "add up to 120%")]),
        ({"high": "top 100%", "low": "rest"}, [("low", "add up to 100%, which leaves nobody")]),
        ({"high": ">= 0.3", "medium": ">= 0.7", "low": "rest"}, [("medium", "nobody can reach")]),
        ({"high": ">= 0.3", "medium": ">= 0.1"}, [("medium", "scores below the last threshold")]),
        ({"high": ">= 0.3", "low": "next 10%"}, [("high", '">= 0.3" is not a band')]),
        ({"high": "best"}, [("high", '"best" is not a band')]),
    ],
)
def test_bands(bands: dict[str, str], problems: list[tuple[str, str]]) -> None:
    found = list(band_problems(bands))
    assert [name for name, _ in found] == [name for name, _ in problems]
    assert all(words in fault for (_, fault), (_, words) in zip(found, problems, strict=True))


RULES = st.sampled_from(
    [
        "rest",
        "top 10%",
        "top 50 %",
        "next 20%",
        "next 90%",
        "top 0%",
        "next 50%",
        ">= 0.7",
        "> 0.7",
        ">= 0.3",
        "> 1e-2",
        "5",
    ]
)


@given(st.lists(RULES, min_size=1, max_size=4))
def test_what_passes_is_what_the_models_read(rules: list[str]) -> None:
    bands = {f"b{i}": rule for i, rule in enumerate(rules)}
    try:
        parse_bands(bands)
        readable = True
    except ValueError:
        readable = False
    assert readable == (not list(band_problems(bands)))
