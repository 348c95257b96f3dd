"""The resident watch: what it notices, coalesces and reports, and that it can be stopped, doubled and started again."""

import json
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from profiles_assets.definitions import build_defs
from profiles_assets.path import build
from profiles_assets.project.loader import load_project
from profiles_assets.watching import Batch, BusyError, Watch, only_watcher, watcher
from profiles_assets.watching_report import report_batch
from resources.kept import KeptLake
from tests.shop import command, lake_of
from tests.test_triggers import PROJECT, clicks, land, tick

WAIT = 120


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.fixture
def lake(root: Path) -> Iterator[KeptLake]:
    with KeptLake(root=str(root / ".lake"), threads=1) as lake:
        yield lake


def test_only_sources_with_something_new_are_loaded_and_their_days_reported(root: Path, lake: KeptLake) -> None:
    land(root, "2025-01-02", "a", "b")
    watch, never = Watch(lake, root), threading.Event()
    assert watch.changed() == ["clicks"]
    first = watch.refresh(["clicks"], never)
    assert (first.problem, clicks(root)) == ("", [("u1", 2)])
    assert watch.changed() == []
    land(root, "2025-01-03", "c")
    assert watch.changed() == ["clicks"]
    second = watch.refresh(["clicks"], never)
    assert clicks(root) == [("u1", 3)]
    with dg.DagsterInstance.ephemeral() as instance:
        assert report_batch(instance, first) > 4
        report_batch(instance, second)
        key = dg.AssetKey(["raw_events", "clicks"])
        assert instance.get_materialized_partitions(key) == {"2025-01-02", "2025-01-03"}
        told = instance.get_latest_materialization_event(dg.AssetKey(["profiles", "user"]))
        assert told
        assert told.asset_materialization
        assert told.asset_materialization.metadata["people"].value == 1


def test_many_files_at_once_are_one_batch(root: Path, lake: KeptLake) -> None:
    watch, stop = Watch(lake, root), threading.Event()
    batches: list[Batch] = []

    def landed(batch: Batch) -> None:
        batches.append(batch)
        if len(batches) == 1:
            threading.Thread(target=land_many).start()
        if clicks(root)[0][1] == 40:
            stop.set()

    def land_many() -> None:
        for number in range(40):
            file = root / "landing" / "2025-01-02" / f"{number}.jsonl"
            row = {"id": str(number), "at": "2025-01-02T10:00:00Z", "event": "click", "user": "u1"}
            file.write_text(json.dumps(row))

    land(root, "2025-01-02", "0")
    threading.Timer(WAIT, stop.set).start()
    watch.run(stop, landed, pytest.fail)
    assert clicks(root) == [("u1", 40)]
    assert len(batches) <= 4


def test_a_failing_step_is_told_and_tried_again(root: Path, lake: KeptLake, monkeypatch: pytest.MonkeyPatch) -> None:
    from profiles_assets import watching

    land(root, "2025-01-02", "a")
    watch, never = Watch(lake, root), threading.Event()
    with monkeypatch.context() as patched:
        patched.setattr(watching, "load_events", lambda *_: 1 / 0)
        assert watch.refresh(["clicks"], never).problem.startswith("raw_events/clicks: ZeroDivisionError")
    assert watch.refresh([], never).problem == ""
    assert clicks(root) == [("u1", 1)]


def test_what_is_declared_anew_is_taken_over_and_what_is_wrong_is_told(root: Path, lake: KeptLake) -> None:
    land(root, "2025-01-02", "a", "b")
    watch, never, problems = Watch(lake, root), threading.Event(), list[str]()
    watch.refresh(watch.changed(), never)
    (root / "traits" / "facts.yml").write_text("traits: {clicks: {cuont: click}}\n")
    watch._reload(problems.append)
    assert 'did you mean "count"' in problems[0]
    (root / "traits" / "facts.yml").write_text("traits: {clicks: {count: click}, seen: {exists: click}}\n")
    watch._reload(problems.append)
    assert len(problems) == 1
    watch.refresh(watch.changed(), never)
    with lake.read() as con:
        assert con.execute("SELECT clicks, seen FROM profiles.user").fetchall() == [(2, True)]


def test_two_do_not_fight_and_the_sensor_leaves_files_to_it(root: Path, lake: KeptLake) -> None:
    land(root, "2025-01-02", "a")
    definitions = build_defs(root)
    with only_watcher(lake):
        with pytest.raises(BusyError, match="watches this lake already"), only_watcher(lake_of(root)):
            pytest.fail("two watchers")
        assert watcher(lake) is not None
        assert tick(definitions, None) == ([], None)
    assert watcher(lake) is None
    assert len(tick(definitions, None)[0]) == 1


def test_as_a_process_it_is_stopped_by_a_signal_and_finds_what_landed_meanwhile(root: Path) -> None:
    land(root, "2025-01-02", "a")
    process = command(root, "watch", "--json")
    try:
        assert batch_of(process)["loaded"] == 1
        second = command(root, "watch")
        out, err = second.communicate(timeout=WAIT)
        assert second.returncode == 1
        assert f"process {process.pid} watches this lake already" in out + err
    finally:
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=WAIT)
    assert (process.returncode, err) == (0, "")
    land(root, "2025-01-03", "b", "c")
    build(lake_of(root), load_project(root))
    assert clicks(root) == [("u1", 3)]


def batch_of(process: "subprocess.Popen[str]") -> dict[str, int]:
    assert process.stdout
    found: dict[str, int] = json.loads(process.stdout.readline())
    return found
