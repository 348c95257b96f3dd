"""SIGKILL at any instant, then the same command again: the same tables as an undisturbed run."""

import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.shop import command, copy_shop, land, profiles, small, tables

Tables = dict[str, tuple[object, ...]]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Tables, float]:
    """A landed shop that no run has touched, the tables of an undisturbed run, and how long that took."""
    root = copy_shop(tmp_path_factory.mktemp("kill") / "shop")
    land(root, small(people=150, days=95))
    pristine = root.parent / "pristine"
    shutil.copytree(root, pristine)
    started = time.monotonic()
    profiles(root, "run")
    return pristine, tables(root), time.monotonic() - started


def killed_then_run(pristine: Path, folder: Path, seconds: float) -> Tables:
    root = Path(shutil.copytree(pristine, folder / "shop"))
    process = command(root, "run")
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    profiles(root, "run")
    return tables(root)


@pytest.mark.long
@pytest.mark.parametrize("part", [0.6])
def test_a_killed_run_leaves_no_trace(part: float, undisturbed: tuple[Path, Tables, float], tmp_path: Path) -> None:
    pristine, expected, seconds = undisturbed
    assert killed_then_run(pristine, tmp_path, seconds * part) == expected


@pytest.mark.long
@pytest.mark.parametrize("seed", range(20))
def test_runs_killed_at_random_leave_no_trace(
    seed: int, undisturbed: tuple[Path, Tables, float], tmp_path: Path
) -> None:
    pristine, expected, seconds = undisturbed
    assert killed_then_run(pristine, tmp_path, seconds * random.Random(seed).uniform(0.2, 1.0)) == expected
