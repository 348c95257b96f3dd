"""The page on traits: every example runs on the events shown and gives the value shown; every key is there."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from profiles_assets.events.load import load_events
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from profiles_assets.project.traits import VERBS, Trait
from profiles_assets.traits.compile import select_all_traits
from profiles_assets.traits.evaluate import stage_people, stage_section
from resources.lake import Con, Lake

DOC = (Path(__file__).parents[2] / "docs" / "traits.md").read_text()
AS_OF = date(2025, 1, 31)
BLOCKS = [block for block in re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL) if not block.startswith("# traits/")]
PROJECT = "name: docs\nentities: {user: {ids: {user_id: {}}}}\n"
SHOP = {
    "files": "landing/*.jsonl",
    "time": "at",
    "event": "event",
    "events": ["order", "view", "refund"],
    "ids": {"user_id": "user"},
}


def events() -> Iterator[dict[str, Any]]:
    """Records of the table of events."""
    rows = re.findall(r"^\| (\w+) \| ([\d-]{10}) \| ([\d:]{5}) \| (.*) \|$", DOC, re.MULTILINE)
    for event, day, time, more in rows:
        yield {"event": event, "at": f"{day}T{time}", "user": "u1", **yaml.safe_load(f"{{{more}}}")}


def shown(block: str) -> dict[str, Any]:
    """Values in the comments of an example, by trait."""
    found: dict[str, Any] = {}
    for name, comment in re.findall(r"^  (\w+):.*?# (.*)$", block, re.MULTILINE):
        several = re.fullmatch(r"(\w+: [\w.]+)(, \w+: [\w.]+)*", comment)
        found |= yaml.safe_load(f"{{{comment}}}") if several else {name: yaml.safe_load(comment)}
    return found


def project_of(folder: Path, block: str) -> Project:
    """The project that an example stands for, over the source of the events shown."""
    told = yaml.safe_load(block)
    source = SHOP | told.pop("sources", {"shop": {}})["shop"] | {"files": SHOP["files"]}
    (folder / "traits").mkdir(parents=True)
    (folder / "project.yml").write_text(PROJECT)
    (folder / "sources.yml").write_text(yaml.safe_dump({"sources": {"shop": source}}))
    (folder / "traits" / "facts.yml").write_text(yaml.safe_dump(told, sort_keys=False))
    return load_project(folder)


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Con, list[Project]]]:
    """The examples as projects, and a lake with the events loaded for all of them."""
    root = tmp_path_factory.mktemp("docs")
    projects = [project_of(root / str(number), block) for number, block in enumerate(BLOCKS)]
    columns = {name: column for p in projects for name, column in p.sources["shop"].columns.items()}
    source = projects[0].sources["shop"].model_copy(update={"columns": columns})
    sections = {str(number): p.sections["facts"] for number, p in enumerate(projects)}
    everything = replace(projects[0], root=root, sources={"shop": source}, sections=sections)
    (root / "landing").mkdir()
    (root / "landing" / "events.jsonl").write_text("".join(f"{json.dumps(e)}\n" for e in events()))
    lake = Lake(root=str(root / ".lake"))
    load_events(lake, everything, "shop")
    update_evidence(lake, everything)
    update_stitched(lake, everything, "user")
    with lake.get_connection() as con:
        stage_people(con, "user")
        create_attribution(con, everything, "user")
        yield con, projects


@pytest.mark.parametrize("number", range(len(BLOCKS)))
def test_an_example_gives_the_values_shown(examples: tuple[Con, list[Project]], number: int) -> None:
    con, project = examples[0], examples[1][number]
    stage_section(con, project, "facts", AS_OF, "staged_facts")
    result = con.sql(select_all_traits(project, "user", ["staged_facts"], "people", f"DATE '{AS_OF}'"))
    rows = result.fetchall()
    assert len(rows) == 1
    values = dict(zip(result.columns, rows[0], strict=True))
    expected = {name: None if value == "none" else value for name, value in shown(BLOCKS[number]).items()}
    untold = {"orders", "coupon_orders", "spend", "first_order", "last_order"} - expected.keys()
    assert {name: readable(values[name], value) for name, value in expected.items()} == expected
    assert values.keys() - {"profile_id", *untold} == expected.keys()


def readable(ours: Any, expected: Any) -> Any:
    return json.loads(ours) if isinstance(expected, dict) else ours


def test_there_are_examples_of_every_verb() -> None:
    used = {verb for block in BLOCKS for verb in VERBS if re.search(rf"\b{verb}: ", block)}
    assert used == set(VERBS) - {"percentile", "function"}


def test_every_verb_and_key_is_named() -> None:
    named = set(re.findall(r"`(\w+)`", DOC))
    assert set(VERBS) <= named
    assert {field.alias or name for name, field in Trait.model_fields.items()} <= named
    assert len(DOC.splitlines()) <= 300
