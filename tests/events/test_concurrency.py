"""Loads at the same time, and loads that are killed, leave a correct table."""

import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from profiles_assets.events.load import load_events, reconcile
from profiles_assets.events.report import LoadReport
from profiles_assets.project.project import Project
from resources.lake import Lake
from tests.events.shop import Shop, a_source, event

DAYS = 5
WORKER = """
import sys
from pathlib import Path
from tests.events.test_concurrency import load_all
load_all(Path(sys.argv[1]))
"""


def a_lake(root: Path) -> Lake:
    return Lake(root=str(root / "lake"), threads=1)


def landing(shop: Shop, records: int = 20) -> None:
    for day in range(1, DAYS + 1):
        shop.put(f"landing/2024-01-0{day}/a.jsonl", [event(n, f"2024-01-0{day}") for n in range(records)])


def project_of(root: Path) -> Project:
    shop = Shop(root, a_lake(root))
    sources = {"tracks": a_source(), "copies": a_source(event_id=None)}
    return Project(root, "shop", shop.entities, sources)


def load(root: Path, source: str) -> LoadReport:
    return load_events(a_lake(root), project_of(root), source)


def load_all(root: Path) -> None:
    for source in project_of(root).sources:
        load(root, source)


def check(root: Path, records: int) -> None:
    """Both tables hold all records once, and a further load finds nothing to do."""
    for source in ("tracks", "copies"):
        assert load(root, source).files == 0
    with a_lake(root).get_connection() as con:
        for source, duplicates in (("tracks", records * (DAYS - 1)), ("copies", 0)):
            found = reconcile(con, source)
            assert found["rows"] == found["records"] == records * DAYS
            assert found["flagged"] == found["duplicates"] == duplicates
            rows = con.execute(f"SELECT count(DISTINCT (file, position)) FROM raw_events.{source}").fetchone()
            assert rows == (records * DAYS,)
        notes = con.execute("SELECT step, partition FROM ops.progress WHERE step LIKE 'raw_events/%'").fetchall()
        assert len(notes) == len(set(notes)) == 2 * DAYS


def test_loads_at_the_same_time(tmp_path: Path) -> None:
    shop = Shop(tmp_path, a_lake(tmp_path))
    landing(shop)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(load, [tmp_path] * 4, ["tracks", "copies", "tracks", "copies"]))
    check(tmp_path, 20)


def kill_and_finish(root: Path, seconds: float, records: int) -> None:
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(root)], stderr=subprocess.PIPE)
    time.sleep(seconds)
    worker.kill()
    worker.communicate()
    load_all(root)
    check(root, records)


def test_killed_load(tmp_path: Path) -> None:
    landing(Shop(tmp_path, a_lake(tmp_path)), 2_000)
    kill_and_finish(tmp_path, 1.5, 2_000)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(25))
def test_loads_killed_at_any_time(tmp_path: Path, seed: int) -> None:
    landing(Shop(tmp_path, a_lake(tmp_path)), 20_000)
    kill_and_finish(tmp_path, random.Random(seed).uniform(0.8, 6), 20_000)
