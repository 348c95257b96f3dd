"""The landing sensor: which days it asks for, and that running them leads to profiles."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from profiles_assets.definitions import build_defs
from profiles_assets.events.checks import everything_is_applied
from profiles_assets.events.load import load_events
from profiles_assets.project.loader import load_project
from profiles_assets.triggers import JOB, RANGE_END, RANGE_START
from tests.shop import lake_of

GROUPS = (
    "events", "identity", "models", "traits", "functions", "metrics", "predictions", "profiles", "audiences", "views",
    "upkeep",
)  # fmt: skip
PROJECT = {
    "project.yml": "name: tiny\nstart: 2025-01-01\nentities: {user: {ids: {user_id: {}, device_id: {}}}}\n",
    "sources.yml": """
sources:
  clicks:
    files: landing/{day}/*.jsonl
    event_id: id
    time: at
    event: event
    events: [click]
    ids: {user_id: user, device_id: device}
""",
    "traits/facts.yml": "traits: {clicks: {count: click}}\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def land(root: Path, day: str, *ids: str) -> None:
    rows = [{"id": i, "at": f"{day}T10:00:00Z", "event": "click", "user": "u1", "device": "d1"} for i in ids]
    file = root / "landing" / day / "a.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(map(json.dumps, rows)))


def tick(definitions: dg.Definitions, cursor: str | None) -> tuple[list[dg.RunRequest], str | None]:
    sensor = definitions.resolve_sensor_def("landing_files")
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance, cursor=cursor)
        found = sensor.evaluate_tick(context)
    return list(found.run_requests or []), found.cursor


def days(requests: list[dg.RunRequest]) -> list[tuple[str, str]]:
    return [(request.tags[RANGE_START], request.tags[RANGE_END]) for request in requests]


def execute(definitions: dg.Definitions, request: dg.RunRequest) -> set[str]:
    with dg.DagsterInstance.ephemeral() as instance:
        result = definitions.resolve_job_def(JOB).execute_in_process(instance=instance, tags=request.tags)
        assert result.success
        return set(instance.get_materialized_partitions(dg.AssetKey(["raw_events", "clicks"])))


def clicks(root: Path) -> list[tuple[object, ...]]:
    with lake_of(root).read() as con:
        return con.execute("SELECT ids['user_id'][1], clicks FROM profiles.user").fetchall()


def test_files_lead_to_profiles_and_only_their_days_are_run(root: Path) -> None:
    definitions = build_defs(root)
    assert tick(definitions, None)[0] == []
    land(root, "2025-01-02", "a", "b")
    land(root, "2025-01-03", "c")
    land(root, "2025-01-07", "d")
    requests, cursor = tick(definitions, None)
    assert days(requests) == [("2025-01-02", "2025-01-03"), ("2025-01-07", "2025-01-07")]
    assert execute(definitions, requests[0]) == {"2025-01-02", "2025-01-03"}
    assert clicks(root) == [("u1", 3)]
    assert execute(definitions, requests[1]) == {"2025-01-07"}
    assert clicks(root) == [("u1", 4)]
    assert tick(definitions, cursor) == ([], cursor)


def test_a_changed_file_is_a_new_run_even_when_it_goes_back(root: Path) -> None:
    definitions = build_defs(root)
    land(root, "2025-01-02", "a")
    (first,), cursor = tick(definitions, None)
    execute(definitions, first)
    land(root, "2025-01-02", "a", "b")
    (second,), cursor = tick(definitions, cursor)
    execute(definitions, second)
    assert clicks(root) == [("u1", 2)]
    land(root, "2025-01-02", "a")
    (third,), _ = tick(definitions, cursor)
    execute(definitions, third)
    assert clicks(root) == [("u1", 1)]
    assert len({first.run_key, second.run_key, third.run_key}) == 3


def test_thousands_of_files_are_one_run_and_what_takes_too_long_is_left_to_the_next_tick(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    definitions = build_defs(root)
    for number in range(3_000):
        file = root / "landing" / f"2025-01-0{2 + number % 3}" / f"{number}.jsonl"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("{}")
    requests, cursor = tick(definitions, None)
    assert [request.tags["files"] for request in requests] == ["3000"]
    assert tick(definitions, cursor)[0] == []
    monkeypatch.setattr("profiles_assets.triggers.TICK_SECONDS", 0.0)
    requests, cursor = tick(definitions, None)
    assert (days(requests), cursor) == ([("2025-01-02", "2025-01-02")], None)


def test_the_check_compares_what_is_applied_with_what_lies_there(root: Path) -> None:
    project, lake = load_project(root), lake_of(root)
    land(root, "2025-01-02", "a")
    land(root, "2025-01-03", "b")
    both = [date(2025, 1, 2), date(2025, 1, 3)]
    load_events(lake, project, "clicks", both[:1])
    assert everything_is_applied(lake, project, "clicks", both[:1])[0]
    assert everything_is_applied(lake, project, "clicks", both) == (
        False,
        {"files": 2, "files_not_applied": 1, "first": "landing/2025-01-03/a.jsonl"},
    )
    load_events(lake, project, "clicks")
    assert everything_is_applied(lake, project, "clicks", both)[0]
    land(root, "2025-01-02", "a", "c")
    assert not everything_is_applied(lake, project, "clicks", both)[0]


def test_the_schedule_catches_up_whatever_no_run_has_applied(root: Path) -> None:
    definitions = build_defs(root)
    schedule = definitions.resolve_schedule_def("catch_up")
    land(root, "2025-01-02", "a")
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2025, 1, 4, 2, 30, tzinfo=UTC))
    (request,) = schedule.evaluate_tick(context).run_requests or []
    execute(definitions, request)
    assert clicks(root) == [("u1", 1)]
    assert not schedule.evaluate_tick(context).run_requests


def test_every_asset_has_a_description_a_schema_checks_and_a_picture(root: Path) -> None:
    definitions = build_defs(Path(__file__).parents[1] / "examples" / "shop")
    graph = definitions.resolve_asset_graph()
    keys = graph.get_all_asset_keys()
    checked = {check.asset_key for check in graph.asset_check_keys}
    assert len(keys) == 29
    assert checked == keys
    for key in keys:
        node = graph.get(key)
        assert "data:image/svg+xml" in (node.description or ""), key
        assert "dagster/column_schema" in node.metadata, key
        assert node.kinds, key
        assert node.group_name in GROUPS, key
