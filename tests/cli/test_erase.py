import json
import shutil
from pathlib import Path

import pytest

from profiles_assets.definitions import build_defs
from profiles_assets.path import steps
from profiles_assets.project.funnels import REPORT
from profiles_assets.project.loader import load_project
from resources.purge_scan import scan_for
from tests.cli.test_commands import fails
from tests.shop import lake_of, profiles


def somebody(root: Path) -> dict[str, list[str]]:
    with lake_of(root).read() as con:
        row = con.execute(
            "SELECT ids FROM profiles.user_unmasked WHERE orders > 0 AND len(ids['email']) > 0 "
            "AND len(ids['device_id']) > 0 AND ids['user_id'] IS NOT NULL AND profile_id IN "
            "(SELECT profile_id FROM predictions.churn_risk__rows) ORDER BY profile_id LIMIT 1"
        ).fetchone()
    assert row
    found: dict[str, list[str]] = row[0]
    return found


@pytest.mark.long
def test_a_person_is_erased_from_the_whole_shop(shop: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(shop, tmp_path / "shop"))
    ids = somebody(root)
    values = [value for several in ids.values() for value in several]
    home, who = root / ".dagster", f"email:{ids['email'][0]}"
    told = profiles(root, "erase", who, "--dry-run")
    assert "Would be erased" in told
    code, said = fails(root, "erase", who, "--json")
    assert code == 1
    assert "--yes" in said
    assert all(scan_for(lake_of(root), [value]) for value in values)
    report = json.loads(profiles(root, "erase", who, "--yes", "--verify", "--json"))
    assert scan_for(lake_of(root), values, also=[home]) == []
    assert report["verified"]["before"] > len(values)
    assert report["verified"]["after"] == []
    assert report["deleted"]["raw_events.orders"] > 0
    assert report["deleted"]["predictions.churn_risk__rows"] > 0
    assert report["landing_files"]
    assert not [value for value in values if value in Path(report["file"]).read_text()]
    assert json.loads(profiles(root, "query", "SELECT count(*) AS n FROM profiles.user", "--json"))[0]["n"] > 100
    assert "wait to be applied" not in profiles(root, "status")
    assert "nothing waits" in profiles(root, "erase")
    noted = json.loads(profiles(root, "query", "SELECT mode, status FROM ops.erasures", "--json"))
    assert noted == [{"mode": "erase", "status": "done"}]


@pytest.mark.parametrize(("asked", "answer"), [("email:noreply@shop.example", "blocked"), ("4711", "no profile id")])
def test_what_cannot_be_erased_is_told(shop: Path, asked: str, answer: str) -> None:
    code, said = fails(shop, "erase", asked, "--dry-run")
    assert code == 1
    assert answer in said


def test_every_asset_is_brought_in_line(shop: Path) -> None:
    project = load_project(shop)
    known = {name for name, _ in steps(lake_of(shop), project)}
    files = {f"raw_events/{name}" for name, source in project.sources.items() if source.files}
    reports = {"identity_audit", "cleanup"}  # numbers about the whole at some time, none of a person
    assets = {key.to_user_string() for key in build_defs(shop).resolve_asset_graph().get_all_asset_keys()}
    assert {key.removesuffix(REPORT) for key in assets - files - reports} <= known
