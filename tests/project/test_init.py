"""The starter project and the JSON Schemas beside it."""

import json
from pathlib import Path
from typing import Any

import pytest

from profiles_assets.project.init import init_project, project_name
from profiles_assets.project.loader import load_project
from profiles_assets.project.schema import FILES, file_schema, write_schemas
from profiles_assets.project.traits import VERBS


def test_the_starter_project_loads(tmp_path: Path) -> None:
    files = init_project(tmp_path, "Süße Shop-Welt 2")
    assert all(file.is_file() for file in files)
    project = load_project(tmp_path)
    assert project.name == "s_e_shop_welt_2"
    assert list(project.predictions) == ["churn_risk"]


def test_every_file_names_its_schema(tmp_path: Path) -> None:
    for file in init_project(tmp_path, "shop"):
        if file.suffix == ".yml":
            modeline = file.read_text().splitlines()[0].removeprefix("# yaml-language-server: $schema=")
            assert (file.parent / modeline).is_file()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "traits").mkdir()
    (tmp_path / "traits" / "basics.yml").write_text("mine")
    with pytest.raises(FileExistsError, match=r"basics.yml is there already"):
        init_project(tmp_path, "shop")
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["basics.yml"]


@pytest.mark.parametrize(
    ("text", "name"), [("Shop", "shop"), ("2nd shop", "project_2nd_shop"), ("", "project"), ("x" * 80, "x" * 60)]
)
def test_names_of_projects(text: str, name: str) -> None:
    assert project_name(text) == name


def test_schemas_are_written_for_every_kind_of_file(tmp_path: Path) -> None:
    files = write_schemas(tmp_path / "schemas")
    assert [file.name for file in files] == [f"{kind}.json" for kind in FILES]
    assert all(json.loads(file.read_text())["additionalProperties"] is False for file in files)


def _definition(kind: str, name: str) -> dict[str, Any]:
    definition: dict[str, Any] = file_schema(kind)["$defs"][name]
    return definition


def test_schemas_describe_what_users_write() -> None:
    trait = _definition("traits", "Trait")["properties"]
    assert "from" in trait
    assert "from_" not in trait
    assert any("days" in str(option.get("pattern")) for option in trait["within"]["anyOf"])
    prediction = _definition("predictions", "Prediction")["properties"]
    assert [form["type"] for form in prediction["predict"]["anyOf"]] == ["string", "object"]
    assert prediction["among"]["properties"].keys() == {"any", "all", "none"}


def test_schemas_want_exactly_one_verb() -> None:
    assert _definition("traits", "Trait")["oneOf"] == [{"required": [verb]} for verb in VERBS]


@pytest.mark.parametrize("kind", FILES)
def test_every_key_is_described(kind: str) -> None:
    schema = file_schema(kind)
    for name, model in {"": schema, **schema["$defs"]}.items():
        for key, field in model["properties"].items():
            assert field.get("description"), (name, key)
            assert "title" not in field
