from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ml.dates import plan_dates
from ml.errors import PredictionError

FIRST = date(2025, 1, 1)


@given(st.integers(1, 400), st.integers(0, 2000))
def test_label_windows_close_by_as_of_and_never_overlap_what_is_predicted(horizon: int, days: int) -> None:
    as_of = FIRST + timedelta(days=days)
    if days + 1 < 3 * horizon:
        with pytest.raises(PredictionError):
            plan_dates(FIRST, as_of, horizon)
        return
    calendar = plan_dates(FIRST, as_of, horizon)
    assert 2 <= len(calendar.cuts) <= 4
    assert calendar.closes(calendar.cuts[-1]) == as_of
    assert list(calendar.days) == sorted(calendar.days)
    assert all(calendar.closes(cut) == after for cut, after in zip(calendar.cuts, calendar.days[1:], strict=True))
    assert calendar.cuts[0] - FIRST >= timedelta(days=horizon - 1)
    for test in calendar.tests:
        assert calendar.closed_by(test)
        assert all(calendar.closes(cut) <= test for cut in calendar.closed_by(test))


def test_there_are_three_test_dates_where_the_history_allows() -> None:
    assert len(plan_dates(FIRST, date(2025, 12, 31), 30).tests) == 3
    assert len(plan_dates(FIRST, date(2025, 12, 31), 90).tests) == 2


def test_too_little_history_is_told_with_numbers() -> None:
    with pytest.raises(
        PredictionError, match=r"90 days ahead takes at least 270 days .* there are 120, from 2025-01-01"
    ):
        plan_dates(FIRST, date(2025, 4, 30), 90)
