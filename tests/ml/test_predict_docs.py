"""The walks of docs/predictions.md, on a built shop."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml
from dagster.components.testing import create_defs_folder_sandbox

from profiles_assets.component import ProfilesComponent
from profiles_assets.definitions import build_defs
from profiles_assets.path import refresh
from profiles_assets.project.loader import load_project
from profiles_assets.project.predictions import Prediction
from resources.kept import KeptLake
from tests.cli.in_process import profiles
from tests.shop import lake_of

DOC = (Path(__file__).parents[2] / "docs" / "predictions.md").read_text()
FILES = dict(re.findall(r"```(?:yaml|python)\n# (\S+)\n(.*?)```", DOC, re.DOTALL))
LONGER = re.compile(r"^(?!.*first_order)(.*)over: 14 days", re.MULTILINE)


@pytest.fixture(scope="module")
def walked(shop: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(shutil.copytree(shop, tmp_path_factory.mktemp("walk") / "shop"))
    for name, text in FILES.items():
        if "/" in name:
            (root / name).write_text(re.sub(LONGER, r"\1over: 30 days", text))  # fewer past dates, less to fit
    with KeptLake(root=str(root / ".lake"), threads=2) as lake:
        refresh(lake, load_project(root))
    return root


def test_every_key_of_a_prediction_is_mentioned() -> None:
    assert {name.split("/")[0] for name in FILES} == {"predictions", "models", "audiences", "defs.yaml"}
    for name in Prediction.model_fields:
        assert name in {"title", "description"} or re.search(rf"\b{name}\b", DOC), name


def test_a_block_and_a_file_become_assets_and_traits(walked: Path) -> None:
    assets = {key.to_user_string() for key in build_defs(walked).resolve_all_asset_keys()}
    assert {f"predictions/{name}{part}" for name in ("buys_again", "hurried") for part in ("", "_model")} <= assets
    with lake_of(walked).get_connection() as con:
        for name in ("buys_again", "hurried", "first_order"):
            row = con.execute(f"SELECT count({name}), min({name}), max({name}) FROM profiles.user").fetchone()
            assert row is not None
            assert row[0] > 50
            assert 0 <= row[1] < row[2] <= 1
        told = con.execute(
            """SELECT count(*) FILTER (hooked <> (buys_again_band = 'likely' AND
                list_contains(buys_again_reasons, 'active_days_30d'))), count(DISTINCT buys_again_version),
                max(len(hurried_reasons)) FROM profiles.user WHERE buys_again IS NOT NULL"""
        ).fetchone()
        assert told == (0, 1, 3)
        met = con.execute("SELECT min(orders), max(orders) FROM profiles.user WHERE first_order IS NOT NULL").fetchone()
        assert met == (0, 0)
        kinds = dict(con.execute("SELECT prediction, champion FROM ops.models WHERE current").fetchall())
        tested = con.execute("SELECT DISTINCT model FROM ops.backtests WHERE prediction = 'hurried'").fetchall()
    assert kinds["hurried"] == "models/hurried.py"
    assert {model for (model,) in tested} == {"models/hurried.py", "btyd", "boosted", "blend", "mean"}


def test_they_show_on_a_person(walked: Path) -> None:
    found = profiles(
        walked, "query", "SELECT profile_id FROM profiles.user WHERE hurried IS NOT NULL LIMIT 1", "--json"
    )
    person = re.findall(r'"profile_id": "(.*?)"', found)[0]
    shown = json.loads(profiles(walked, "show", person, "--json"))["predictions"]
    assert {"buys_again", "hurried"} <= shown.keys()
    assert shown["buys_again"]["band"] in ("likely", "other")


@pytest.mark.filterwarnings("ignore")  # of Dagster, about its own loader
def test_a_component_adds_predictions(walked: Path) -> None:
    told = yaml.safe_load(FILES["defs.yaml"])
    told["attributes"] |= {"project": str(walked), "lake": str(walked / ".lake")}
    with create_defs_folder_sandbox() as sandbox:
        path = sandbox.scaffold_component(component_cls=ProfilesComponent, defs_yaml_contents=told)
        with sandbox.load_component_and_build_defs(defs_path=path) as (_, defs):
            keys = {key.to_user_string() for key in defs.resolve_all_asset_keys()}
    assert {"predictions/lapses", "predictions/lapses_model", "predictions/churn_risk", "profiles/user"} <= keys
