"""Funnels on a lake: steps, reports, assets."""

import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from profiles_assets.events.load import load_events
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.funnels import Funnel
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from profiles_assets.traits.funnel_assets import build_funnel_assets
from profiles_assets.traits.funnel_report import FunnelReport, read_report, update_funnel
from profiles_assets.traits.funnel_words import outline, rules, steps_picture, steps_table
from resources import progress
from resources.lake import Lake, snapshot_number
from tests.events.shop import OpenLake

FILES = {
    "project.yml": "name: small\nentities: {user: {ids: {user_id: {}}}}\n",
    "sources.yml": (
        "sources:\n  web: {files: 'landing/{day}/*.jsonl', time: at, event: name, event_id: id, ids: {user_id: user}}\n"
    ),
    "funnels/f.yml": (
        "owner: growth\nfunnels:\n  way:\n    steps: [viewed, added, {event: bought, where: {total: '>= 10'}}]\n"
        "    within: 2 days\n"
    ),
}
FIRST = [
    ("u1", "viewed", "2025-01-01T10:00:00Z"),
    ("u1", "added", "2025-01-01T11:00:00Z"),
    ("u2", "viewed", "2025-01-01T10:00:00Z"),
    ("u2", "added", "2025-01-01T13:00:00Z"),
    ("u2", "bought", "2025-01-01T14:30:00Z"),
    ("u3", "viewed", "2025-01-01T10:00:00Z"),
    ("u4", "left", "2025-01-01T10:00:00Z"),
]
SECOND = [("u1", "bought", "2025-01-02T10:00:00Z"), ("u5", "viewed", "2025-01-02T10:00:00Z")]
Events = Sequence[tuple[str, str, str]]


def land(root: Path, day: str, events: Events) -> None:
    folder = root / "landing" / day
    folder.mkdir(parents=True)
    records = [
        {"id": f"{day}-{n}", "user": user, "name": name, "at": at, "total": 20}
        for n, (user, name, at) in enumerate(events)
    ]
    (folder / "events.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))


def identify(lake: Lake, project: Project) -> None:
    load_events(lake, project, "web")
    update_evidence(lake, project)
    update_stitched(lake, project, "user")


def build(lake: Lake, project: Project) -> FunnelReport:
    identify(lake, project)
    return update_funnel(lake, project, "way")


def query(lake: Lake, sql: str) -> list[Any]:
    with lake.get_connection() as con:
        return con.execute(sql).fetchall()


@pytest.fixture(scope="module")
def identified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with its lake, loaded and stitched; tests work on copies."""
    root = tmp_path_factory.mktemp("funnels") / "small"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    land(root, "2025-01-01", FIRST)
    identify(Lake(root=str(root / ".lake"), threads=1), load_project(root))
    return root


@pytest.fixture
def project(identified: Path, tmp_path: Path) -> Project:
    return load_project(shutil.copytree(identified, tmp_path / "small"))


@pytest.fixture
def lake(project: Project) -> Iterator[Lake]:
    lake = OpenLake(root=str(project.root / ".lake"), threads=1)
    yield lake
    lake.close()


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Lake]:
    lake = OpenLake(root=str(tmp_path / "empty"), threads=1)
    yield lake
    lake.close()


def changed(project: Project, **keys: Any) -> Project:
    funnel = project.funnels["way"]
    spec = Funnel.model_validate(funnel.spec.model_dump() | keys)
    return replace(project, funnels={"way": replace(funnel, spec=spec)})


def test_days_arrive_and_only_changed_people_are_rewritten(lake: Lake, project: Project) -> None:
    first = update_funnel(lake, project, "way")
    assert (first.as_of, first.people, first.started, first.completed) == (date(2025, 1, 1), 4, 3, 1)
    assert query(lake, "SELECT way_step, way_hours FROM funnels.way ORDER BY ALL") == [
        (0, None), (1, None), (2, None), (3, 4.5),
    ]  # fmt: skip
    land(project.root, "2025-01-02", SECOND)
    second = build(lake, project)
    assert (second.people, second.started, second.completed) == (5, 4, 2)
    assert (second.change.inserted, second.change.updated, second.change.deleted) == (1, 1, 0)
    assert query(
        lake, "SELECT as_of::VARCHAR, step, title, people, median_hours FROM funnels.way_report ORDER BY ALL"
    ) == [
        ("2025-01-01", 1, "viewed", 3, 0.0),
        ("2025-01-01", 2, "added", 2, 2.0),
        ("2025-01-01", 3, "bought", 1, 4.5),
        ("2025-01-02", 1, "viewed", 4, 0.0),
        ("2025-01-02", 2, "added", 2, 2.0),
        ("2025-01-02", 3, "bought", 2, (4.5 + 24) / 2),
    ]
    with lake.get_connection() as con:
        steps = read_report(con, "way")
    assert [(s.step_conversion, s.conversion) for s in steps] == [(1.0, 1.0), (0.5, 0.5), (1.0, 0.5)]


def test_running_again_writes_nothing_and_says_the_same(lake: Lake, project: Project) -> None:
    first = update_funnel(lake, project, "way")
    with lake.get_connection() as con:
        before = snapshot_number(con)
    again = update_funnel(lake, project, "way")
    assert again.change.total == 0
    assert replace(again, change=first.change) == first
    with lake.get_connection() as con:
        assert snapshot_number(con) == before


def test_a_rebuild_gives_the_same_rows(lake: Lake, project: Project, empty: Lake) -> None:
    update_funnel(lake, project, "way")
    land(project.root, "2025-01-02", SECOND)
    build(lake, project)
    build(empty, project)
    rows = "FROM funnels.way ORDER BY ALL"
    assert query(lake, rows) == query(empty, rows)
    newest = "FROM funnels.way_report WHERE as_of = '2025-01-02' ORDER BY ALL"
    assert query(lake, newest) == query(empty, newest)


def test_a_changed_definition_replaces_the_rows_of_the_day(lake: Lake, project: Project) -> None:
    update_funnel(lake, project, "way")
    assert update_funnel(lake, changed(project, title="Another title"), "way").change.total == 0
    update_funnel(lake, changed(project, steps=["viewed", "added"]), "way")
    assert query(lake, "SELECT step, people FROM funnels.way_report ORDER BY ALL") == [(1, 3), (2, 2)]
    update_funnel(lake, changed(project, steps=["viewed", "added"], order="any"), "way")
    titles = query(lake, "SELECT title, people FROM funnels.way_report ORDER BY step")
    assert titles == [("1 of 2", 3), ("2 of 2", 2)]


def test_rows_report_and_note_commit_together(lake: Lake, project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(progress, "record", killed)
        with pytest.raises(KeyboardInterrupt):
            update_funnel(lake, project, "way")
    assert query(lake, "SELECT count(*) FROM duckdb_tables() WHERE schema_name = 'funnels'") == [(0,)]
    assert update_funnel(lake, project, "way").completed == 1


def test_a_report_of_nobody(lake: Lake, project: Project) -> None:
    nobody = changed(project, steps=["left", "bought"], unless="left")
    update_funnel(lake, nobody, "way")
    with lake.get_connection() as con:
        steps = read_report(con, "way")
    assert [(s.people, s.step_conversion, s.conversion, s.median_hours) for s in steps] == [
        (1, 1.0, 1.0, 0.0),
        (0, 0.0, 0.0, None),
    ]
    assert "| 2 | bought | 0 | 0.0% | 0.0% |  |" in steps_table(steps)
    assert steps_picture(steps).startswith("![people by step](data:image/svg+xml;base64,")


def test_assets(lake: Lake, project: Project) -> None:
    assets = build_funnel_assets(project)
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize(assets, resources={"lake": lake}, instance=instance)
    assert result.success
    assert [e.passed for e in result.get_asset_check_evaluations()] == [True, True]
    person, report = (
        result.asset_materializations_for_node(f"funnels__{n}")[0].metadata for n in ("way", "way_report")
    )
    assert (person["people"].value, person["completed"].value, person["dagster/row_count"].value) == (4, 1, 4)
    assert report["as_of"].value == "2025-01-01"
    assert "| 3 | bought | 1 | 50.0% | 33.3% | 4.5 hours |" in str(report["steps"].value)
    assert str(report["funnel"].value).startswith("![people by step](data:image/svg+xml;base64,")


def test_before_any_event(empty: Lake, project: Project) -> None:
    assert update_funnel(empty, project, "way") == FunnelReport(None)
    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize(build_funnel_assets(project), resources={"lake": empty}, instance=instance).success


def test_assets_know_what_they_come_from(project: Project) -> None:
    person, report = build_funnel_assets(project)
    assert report.asset_deps[report.key] == {person.key}
    assert person.asset_deps[person.key] == {dg.AssetKey("stitched_ids")}
    spec = person.specs_by_key[person.key]
    assert set(spec.owners) == {"team:growth"}
    columns = spec.metadata["dagster/column_schema"].columns
    assert [c.name for c in columns] == ["profile_id", "way_step", "way_completed_at", "way_hours"]
    assert columns[1].description == "way: furthest step reached"


def test_rules_in_words() -> None:
    keys = {"within": "90 minutes", "same": ["sku", "shop"], "unless": ["x", {"event": "y", "where": {"a": 1}}]}
    funnel = Funnel.model_validate({"steps": ["view", "buy_now"], **keys, "during": "4 weeks", "order": "strict"})
    assert rules(funnel) == (
        "Steps in this order, no other step between; repeats of the step just taken are fine. "
        "The last at most 90 minutes after the first. All with the same `sku` and `shop`. "
        "Broken by `x` or `y` where `a: 1` between the steps. Only events of the last 4 weeks."
    )
    assert "| 2 | buy now | `buy_now` |" in outline(funnel)
