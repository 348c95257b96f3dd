"""The YAML in the page about sources is valid, its table says what the presets fill in, and no key is left out."""

import re
from pathlib import Path

import pytest

from profiles_assets.project.loader import load_project
from profiles_assets.project.presets import PRESETS
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source

DOC = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
FILES = dict(re.findall(r"```(?:yaml|python)\n# (\S+)\n(.*?)```", DOC, re.DOTALL))
ROWS = re.findall(r"^\| `(\w+)` \|.*\| (.*), ids (.*) \|$", DOC, re.MULTILINE)
PROJECT = "name: docs\nentities: {user: {ids: {user_id: {}, email: {}, anonymous_id: {}, device_id: {}}}}\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    for name, text in {"project.yml": PROJECT, **FILES}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return load_project(tmp_path)


def test_every_block_is_valid(project: Project) -> None:
    assert len(FILES) == len(re.findall("```", DOC)) / 2
    assert project.sources.keys() == {
        "web",
        "crm",
        "calls",
        "identifies",
        "site",
        "accounts",
        "orders",
        "counters",
        "app",
    }
    assert project.sources["crm"].event_is == "crm"
    assert project.sources["identifies"].ids["email"] == "email"
    assert project.sources["accounts"].event_id is None


def test_the_table_says_what_presets_fill_in() -> None:
    assert [name for name, _, _ in ROWS] == list(PRESETS)
    for name, keys, ids in ROWS:
        assert set(re.findall(r"`(\w+)`", keys)) == PRESETS[name].keys() - {"ids"}
        assert set(re.findall(r"`(\w+)`", ids)) == PRESETS[name]["ids"].keys()


@pytest.mark.parametrize("name", Source.model_fields)
def test_every_key_is_mentioned(name: str) -> None:
    assert re.search(rf"(`|^ *|[{{ ]){name}(`|:)", DOC, re.MULTILINE)


def test_it_is_short() -> None:
    assert len(DOC.splitlines()) <= 185
