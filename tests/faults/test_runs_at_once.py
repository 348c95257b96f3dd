"""Several runs at once over any ranges of days, killed ones, and a full disk: in the end as if built at once."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from profiles_assets.path import build
from profiles_assets.project.loader import load_project
from profiles_assets.replay.compare import compare
from resources.kept import KeptLake
from resources.lake import Lake
from tests.shop import environment
from tests.test_triggers import PROJECT

DAYS = [f"2025-01-{day:02d}" for day in range(2, 14)]
CODE = """
import sys
from datetime import date
from pathlib import Path
from profiles_assets.path import build
from profiles_assets.project.loader import load_project
from resources.lake import Lake
root, lake, *days = sys.argv[1:]
build(Lake(root=lake, threads=1), load_project(Path(root)), [date.fromisoformat(day) for day in days] or None)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Twelve days of clicks of people who share devices, so that days join people of other days."""
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    rng = random.Random(7)
    for day in DAYS:
        rows = [
            {"id": f"{day}-{n}", "at": f"{day}T10:00:00Z", "event": "click", "user": f"u{rng.randrange(15)}",
             "device": f"d{rng.randrange(20)}"} for n in range(20)
        ]  # fmt: skip
        (tmp_path / "landing" / day).mkdir(parents=True)
        (tmp_path / "landing" / day / "a.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def started(root: Path, lake: Path, *days: str) -> "subprocess.Popen[str]":
    """A process that applies these days, or all, and refreshes what follows."""
    words = [sys.executable, "-c", CODE, str(root), str(lake), *days]
    return subprocess.Popen(words, env=environment(root), text=True, stderr=subprocess.PIPE)


def require_same(root: Path, lake: Path) -> None:
    """After one more run the lake holds what one has that was built at once, and everything is published."""
    project = load_project(root)
    with KeptLake(root=str(lake), threads=1) as one, KeptLake(root=str(root / "whole"), threads=1) as whole:
        build(one, project)
        build(whole, project)
        found = compare(one, whole)
        assert [(d.table, d.columns, d.rows) for d in found.differences] == []
        assert "profiles.user_rows" in found.tables
        with one.read() as con, whole.read() as other:
            total = "SELECT sum(clicks) FROM profiles.user"
            assert con.execute(total).fetchall() == other.execute(total).fetchall()


def parts(seed: int, count: int) -> list[list[str]]:
    """Ranges of days that overlap, in any order."""
    rng = random.Random(seed)
    found = []
    for at in range(count):
        first = at * len(DAYS) // count
        found.append(DAYS[max(0, first - rng.randrange(2)) : (at + 1) * len(DAYS) // count])
    rng.shuffle(found)
    return found


@pytest.mark.parametrize("writers", [2, pytest.param(4, marks=pytest.mark.long)])
def test_writers_at_once_over_ranges_of_days(root: Path, tmp_path: Path, writers: int) -> None:
    lake = tmp_path / "lake"
    running = [started(root, lake, *days) for days in parts(writers, writers)]
    for process in running:
        _, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
    require_same(root, lake)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(8))
def test_incremental_runs_killed_at_random(root: Path, tmp_path: Path, seed: int) -> None:
    lake, rng = tmp_path / "lake", random.Random(seed)
    begun = time.monotonic()
    started(root, lake, *DAYS[:3]).communicate(timeout=600)
    seconds = time.monotonic() - begun
    for days in parts(seed, 3):
        process = started(root, lake, *days)
        time.sleep(rng.uniform(0.2, 1.0) * seconds)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=600)
    require_same(root, lake)


@pytest.mark.long
def test_a_reader_in_the_middle_always_sees_a_whole_publication(root: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    started(root, lake, *DAYS[:4]).communicate(timeout=600)
    running = [started(root, lake, *days) for days in parts(3, 3)]
    reader = Lake(root=str(lake), threads=1)
    while any(process.poll() is None for process in running):
        with reader.read() as con:
            people, days, rows = con.execute(
                "SELECT (SELECT count(*) FROM profiles.user_rows), (SELECT count(*) FROM ops.as_of), "
                "(SELECT count(*) FROM entity_vars.facts)"
            ).fetchone() or (0, 0, 0)
        assert (days, rows) == (1, people)
    for process in running:
        _, err = process.communicate(timeout=600)
        assert process.returncode == 0, err
    require_same(root, lake)


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("mount"), reason="only root mounts a small disk")
@pytest.mark.parametrize("size", ["200k", "300k", "400k"])
def test_a_full_disk_loses_nothing(root: Path, tmp_path: Path, size: str) -> None:
    with small_disk(tmp_path / "disk", size) as disk:
        lake = disk / "lake"
        process = started(root, lake)
        _, err = process.communicate(timeout=600)
        assert process.returncode != 0, "the disk is too large for this test"
        assert err
        subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
        require_same(root, lake)
