"""SIGKILL at any moment of an erasure, then the same command again: nothing is left, and nothing else has changed."""

import random
import signal
import time
from pathlib import Path

import pytest

from profiles_assets.identity.erasure import unfinished
from tests.identity.erasing import EMAIL, Town, land
from tests.shop import command, profiles

ERASE = ("erase", f"email:{EMAIL}", "--yes", "--json")
SALTED = {"ops.salt", "identity.suppressions", "identity.suppressed_records"}
Contents = dict[str, list[str]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Town, Contents, float]:
    """A lake that nobody was erased from, what is in it after an undisturbed erasure, and how long that took."""
    town = land(tmp_path_factory.mktemp("kill") / "town")
    town.build()
    copy = town.copy(town.root.parent / "copy")
    started = time.monotonic()
    profiles(copy.root, *ERASE)
    seconds = time.monotonic() - started
    return town, contents(copy), seconds


def contents(town: Town) -> Contents:
    return {table: rows for table, rows in town.contents().items() if table not in SALTED}


def killed_then_erased(town: Town, folder: Path, seconds: float) -> Town:
    copy = town.copy(folder / "town")
    process = command(copy.root, *ERASE)
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    profiles(copy.root, *ERASE)
    return copy


def check(town: Town, expected: Contents) -> None:
    assert town.scan() == []
    assert contents(town) == expected
    with town.lake.get_connection() as con:
        assert unfinished(con) == []


@pytest.mark.long
@pytest.mark.parametrize("part", [0.75])
def test_a_killed_erasure_is_finished(part: float, undisturbed: tuple[Town, Contents, float], tmp_path: Path) -> None:
    town, expected, seconds = undisturbed
    check(killed_then_erased(town, tmp_path, seconds * part), expected)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_erasures_killed_at_random_are_finished(
    seed: int, undisturbed: tuple[Town, Contents, float], tmp_path: Path
) -> None:
    town, expected, seconds = undisturbed
    check(killed_then_erased(town, tmp_path, seconds * random.Random(seed).uniform(0.3, 1.0)), expected)
