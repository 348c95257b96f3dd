"""The walk: preview, publish, build through Dagster, edit, difference, publish, progress, go back, erase."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from profiles_assets.definitions import build_defs
from profiles_assets.functions.assets import function_key
from profiles_assets.functions.run import update_function
from profiles_assets.path import build
from profiles_assets.project.loader import load_project
from tests.cli.in_process import answers, profiles
from tests.functions.world import World, event
from tests.shop import lake_of

DRAFT = """
config = {"window": 365, "env": {"KEY": "$SHOP_KEY"}}

def profile(events, user, context):
    counts = {}
    for event in events:
        counts[event["event"]] = counts.get(event["event"], 0) + 1
    context.log.info("built", user["user_id"], context.env["KEY"])
    return {"traits": counts}
"""


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    world = World(tmp_path_factory.mktemp("walk") / "shop")
    world.function("walk_counts", DRAFT)
    for day in range(3):
        world.land(day, *(event(day, n, f"u{n % 40}", "viewed" if n % 3 else "clicked") for n in range(100)))
    build(world.lake, world.project)
    world.close()
    return world.root


def test_from_the_draft_to_a_version_and_back(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "s3cret-key")
    seen = json.loads(profiles(root, "preview", "walk_counts", "--sample", "3", "--json"))
    assert [one["published"] for one in seen] == [None] * 3
    assert json.loads(profiles(root, "publish", "walk_counts", "--json"))["version"] == 1
    state = functions(root)
    assert (state["visible"], state["building"]) == (None, 1)

    result = materialised(root)
    assert result.success
    found = result.asset_materializations_for_node(function_key("walk_counts").to_python_identifier())[0].metadata
    people = found["dagster/row_count"].value
    assert (found["rebuilt"].value, found["errors"].value, found["version"].value) == (people, 0, 1)
    assert "s3cret-key" not in str(found)
    assert all(check.passed for check in result.get_asset_check_evaluations())
    assert functions(root)["visible"] == 1

    draft = root / "functions" / "walk_counts.py"
    draft.write_text(DRAFT.replace('"traits": counts', '"traits": {"all": sum(counts.values())}'))
    edited = json.loads(profiles(root, "preview", "walk_counts", "--sample", "3", "--json"))
    assert [one["person"] for one in edited] == [one["person"] for one in seen]
    for before, after in zip(seen, edited, strict=True):
        assert after["published"] == before["row"]
        assert after["difference"]["all"] == [None, after["row"]["traits"]["all"]]
    answer = json.loads(profiles(root, "publish", "walk_counts", "--json"))
    assert (answer["version"], answer["visible"]) == (2, None)
    monkeypatch.setattr("profiles_assets.functions.run.EVENTS_OF_SLICE", 150)
    update_function(lake_of(root), load_project(root), "walk_counts", budget=-1.0, workers=1)
    state = functions(root)
    assert (state["visible"], state["building"], state["total"]) == (1, 2, people)
    assert 0 < state["done"] < people
    assert state["seconds_left"] > 0
    shown = json.loads(profiles(root, "preview", "walk_counts", "--sample", "3", "--json"))
    assert [one["published"] for one in shown] == [one["row"] for one in seen], "the old version is seen meanwhile"
    assert materialised(root).success
    assert functions(root)["visible"] == 2
    assert json.loads(profiles(root, "publish", "walk_counts", "--version", "1", "--build", "--json"))["visible"] == 1
    listed = json.loads(profiles(root, "versions", "walk_counts", "--json"))
    assert [(v["version"], v["state"]) for v in listed] == [(1, "visible"), (2, "")]
    code, said = answers(root, "publish", "walk_counts", "--version", "1")
    assert (code, "version 1" in said) == (1, True)


@pytest.mark.long
def test_an_erased_person_is_gone_from_functions_too(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "s3cret-key")
    with lake_of(root).get_connection() as con:
        row = con.execute(
            "SELECT s.value, s.profile_id FROM identity.stitched_ids s JOIN functions.walk_counts f "
            "ON f._person = s.profile_id WHERE s.id_type = 'user_id' ORDER BY 1 LIMIT 1"
        ).fetchone()
    assert row is not None
    profiles(root, "erase", f"user_id:{row[0]}", "--yes", "--json")
    with lake_of(root).get_connection() as con:
        for table in ("results", "store", "errors"):
            left = f"SELECT count(*) FROM ops.function_{table} WHERE _person = ?"
            assert con.execute(left, [row[1]]).fetchone() == (0,)


def materialised(root: Path) -> dg.ExecuteInProcessResult:
    """The asset of the function, through its job."""
    definitions = build_defs(root, lake_of(root))
    job = definitions.resolve_job_def("build_functions")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(instance=instance, asset_selection=[function_key("walk_counts")])


def functions(root: Path) -> dict[str, Any]:
    """What `profiles status` says of the function."""
    told = json.loads(profiles(root, "status", "--json"))["functions"]
    return next(one for one in told if one["function"] == "walk_counts")
