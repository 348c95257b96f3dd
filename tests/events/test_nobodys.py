"""Events that are nobody's, from a source without ids: they load, outlive erasures, and are in every sample."""

from datetime import timedelta
from pathlib import Path

import pytest

from profiles_assets.path import build
from profiles_assets.project.loader import load_project
from profiles_assets.replay.check import replay
from resources.kept import KeptLake
from tests.cli.in_process import profiles
from tests.ml.test_training_rows import EVENTS, FILES, START, write

COSTS = """
  costs:
    files: landing/costs/{day}/*.csv
    time: day
    event_is: ad_spend
    ids: {}
    types: {cost: number}
"""
CREDITS = """
attribution:
  channels:
    touchpoints: [{event: visited, channel: page}]
    conversion: bought
    value: total
    costs: [{event: ad_spend, channel: page, amount: cost}]
"""


def spend(root: Path, day: int, cost: int) -> None:
    folder = root / "landing" / "costs" / str(START + timedelta(days=day))
    folder.mkdir(parents=True)
    (folder / "a.csv").write_text(f"day,page,cost,by\n{START + timedelta(days=day)},home,{cost},soon and others\n")


@pytest.fixture(params=["erase", "anonymise"])
def root(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    files = FILES | {"sources.yml": FILES["sources.yml"] + COSTS, "attribution/all.yml": CREDITS}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    write(tmp_path, EVENTS)
    spend(tmp_path, 3, 10)
    spend(tmp_path, 4, 20)
    with KeptLake(root=str(tmp_path / ".lake"), threads=1) as lake:
        build(lake, load_project(tmp_path))
    profiles(tmp_path, "erase", "user_id:soon", "--yes", *(["--anonymise"] if request.param == "anonymise" else []))
    spend(tmp_path, 20, 30)
    return tmp_path


def test_costs_stay_when_people_are_erased_and_are_in_every_sample(root: Path, request: pytest.FixtureRequest) -> None:
    project = load_project(root)
    with KeptLake(root=str(root / ".lake"), threads=1) as lake:
        build(lake, project)
        with lake.get_connection() as con:
            spent = con.execute(
                "SELECT day, cost FROM attribution.channels WHERE cost > 0 AND model = 'last' ORDER BY 1"
            ).fetchall()
            people = con.execute("SELECT count(*) FROM attribution.channels__people").fetchone()
    assert [((day - START).days, cost) for day, cost in spent] == [(3, 10), (4, 20), (20, 30)]
    assert people == (3,)
    if "erase" in request.node.callspec.params.values():  # the same for both, and not cheap
        assert replay(lake, project, None, 0.5, lambda _: None).equal
