"""Times in five fields."""

import pytest

from profiles_assets.project.cron import cron_fault


@pytest.mark.parametrize("text", ["* * * * *", "30 2 * * *", "*/15 0-6,22 1 1-12/3 0,7", "0 0 31 12 5"])
def test_times_are_fine(text: str) -> None:
    assert cron_fault(text) == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "tells no times"),
        ("@daily", "tells no times"),
        ("60 * * * *", '"60" is no minute, which goes from 0 to 59'),
        ("0 5-3 * * *", '"5-3" is no hour'),
        ("0 0 0 * *", '"0" is no day'),
        ("0 0 1 jan *", '"jan" is no month'),
        ("0 0 1 1 */0", '"*/0" is no weekday'),
        ("0 0 1 1 1,", '"1," is no weekday'),
    ],
)
def test_others_are_told(text: str, words: str) -> None:
    assert words in cron_fault(text)
