"""The commands about rules and history, on a shop."""

import json
import shutil
from pathlib import Path

import pytest

from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.loader import load_project
from resources.lake import Lake
from tests.shop import command, profiles


@pytest.fixture(scope="module")
def mine(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop of its own, which rules may change."""
    return Path(shutil.copytree(shop, tmp_path_factory.mktemp("rules") / "shop"))


def two_people(lake: Lake) -> list[tuple[str, str]]:
    with lake.get_connection() as con:
        return con.execute(
            "SELECT 'user_id:' || value, profile_id FROM identity.stitched_ids "
            "WHERE id_type = 'user_id' AND status = 'ok' ORDER BY value LIMIT 2"
        ).fetchall()


def test_a_rule_added_by_command_is_applied_by_the_next_run_and_can_be_taken_back(mine: Path) -> None:
    lake, project = Lake(root=str(mine / ".lake")), load_project(mine)
    (one, id_one), (other, id_other) = two_people(lake)
    assert "rule 1 of user added" in profiles(mine, "rules", "add", "link", one, other, "--why", "told us")
    (listed,) = json.loads(profiles(mine, "rules", "--json"))
    assert (listed["action"], listed["state"], listed["why"]) == ("link", "applied by the next run", "told us")
    report = update_stitched(lake, project, "user")
    assert (report.full, report.merged) == (False, 1)
    lake.publish("user", "linked")
    entries = json.loads(profiles(mine, "history", one, "--json"))
    (merge,) = [e for e in entries["log"] if e["change"] == "merged"]
    assert {merge["profile_id"], entries["profile_id"]} == {id_one, id_other}
    assert set(merge["because"]) == {one, other}
    shown = profiles(mine, "show", merge["profile_id"])
    assert f"{merge['profile_id']} is {entries['profile_id']} now" in shown
    assert "in force" in profiles(mine, "rules")
    profiles(mine, "rules", "remove", "1")
    assert update_stitched(lake, project, "user").split == 1
    assert two_people(lake) == [(one, id_one), (other, id_other)]
    assert "no manual rules" in profiles(mine, "rules")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("link", "email:a@b.c", "user_di:4"), 'did you mean "user_id"'),
        (("link", "email:a@b.c"), "link is about two ids, not 1"),
        (("allow", "kiosk"), '"kiosk" is not an id; write type:value'),
    ],
)
def test_a_wrong_rule_is_refused(mine: Path, words: tuple[str, ...], told: str) -> None:
    process = command(mine, "rules", "add", *words)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert told in err


def test_removing_a_rule_that_is_not_there_is_refused(mine: Path) -> None:
    process = command(mine, "rules", "remove", "99")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "no rule 99" in err
