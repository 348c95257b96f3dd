"""One run of the whole path in this process: start it, watch it, and say what it did."""

import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import event
from sqlalchemy.engine import Engine

from profiles_assets.triggers import JOB, range_tags

PROCESS = "profiles/process"
QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
Kind = dg.DagsterEventType
FINISHED = {Kind.STEP_SUCCESS, Kind.STEP_FAILURE, Kind.STEP_SKIPPED}


@dataclass(frozen=True)
class RunOutcome:
    """What a run did; `changes` has the numbers that each asset reported."""

    run_id: str
    success: bool
    first: date
    last: date
    steps: int
    failures: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    changes: dict[str, dict[str, int]] = field(default_factory=dict)


@contextmanager
def local_instance(home: Path) -> Iterator[dg.DagsterInstance]:
    """The Dagster instance in a folder, its SQLite event log written without waiting for the disk.

    A year of load days is some thousand events with two commits each. The log is no record of what is applied
    (the lake is), so a power cut may cost its last rows; a killed process costs none.
    """
    os.environ |= {"DAGSTER_HOME": str(home), "DAGSTER_EVENT_BATCH_SIZE": "1000"}
    event.listen(Engine, "connect", _without_waiting)
    try:
        with dg.DagsterInstance.get() as instance:
            close_dead_runs(instance)
            yield instance
    finally:
        event.remove(Engine, "connect", _without_waiting)


def _without_waiting(connection: Any, _: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")


class Execution:
    """A run of the job over a stretch of load days, executing in a thread of its own."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance, first: date, last: date) -> None:
        self.instance, self.first, self.last = instance, first, last
        self.job = definitions.resolve_job_def(JOB)
        self.run_id = str(uuid.uuid4())
        self.steps = len(self.job.graph.node_dict)
        self._failed: list[BaseException] = []
        self._read_to: str | None = None
        self._finished, self._doing = 0, ""

    def watch(self) -> Iterator[tuple[int, str]]:
        """Execute, and give the number of finished steps and the one under way twice a second."""
        thread = threading.Thread(target=self._work, name="run", daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(0.5)
            yield self._where()
        if self._failed:
            raise self._failed[0]

    def outcome(self) -> RunOutcome:
        """What the finished run did, from the events it left."""
        run = self.instance.get_run_by_id(self.run_id)
        success = run is not None and run.status == dg.DagsterRunStatus.SUCCESS
        failures = {str(e.step_key): f"{e.step_key}: {_cause(e)}" for e in self._events({Kind.STEP_FAILURE})}
        warned = [text for e in self._events({Kind.ASSET_CHECK_EVALUATION}) if (text := _unmet(e))]
        return RunOutcome(self.run_id, success, self.first, self.last, self.steps, failures, warned, self._changes())

    def _work(self) -> None:
        tags = range_tags(self.first.isoformat(), self.last.isoformat()) | {PROCESS: str(os.getpid())}
        try:
            self.job.execute_in_process(
                QUIET, instance=self.instance, run_id=self.run_id, tags=tags, raise_on_error=False
            )
        except BaseException as error:
            self._failed.append(error)

    def _where(self) -> tuple[int, str]:
        if self._read_to is None and not self.instance.has_run(self.run_id):
            return 0, ""
        kinds = FINISHED | {Kind.STEP_START}
        new = self.instance.get_records_for_run(self.run_id, cursor=self._read_to, of_type=kinds)
        self._read_to = new.cursor
        for one in _told(new.records):
            if one.event_type == Kind.STEP_START and one.step_key:
                self._doing = one.step_key.replace("__", "/")
            self._finished += one.event_type in FINISHED
        return self._finished, self._doing

    def _changes(self) -> dict[str, dict[str, int]]:
        found = {}
        for made in self._events({Kind.ASSET_MATERIALIZATION}):
            metadata = made.step_materialization_data.materialization.metadata
            numbers = {name: entry.value for name, entry in metadata.items() if type(entry.value) is int}
            if made.asset_key:
                found[made.asset_key.to_user_string()] = numbers
        return found

    def _events(self, kinds: set[dg.DagsterEventType]) -> list[dg.DagsterEvent]:
        if not self.instance.has_run(self.run_id):
            return []
        return _told(self.instance.get_records_for_run(self.run_id, of_type=kinds).records)


def _told(records: Sequence[dg.EventLogRecord]) -> list[dg.DagsterEvent]:
    return [r.event_log_entry.dagster_event for r in records if r.event_log_entry.dagster_event]


def close_dead_runs(instance: dg.DagsterInstance) -> None:
    """Mark runs of this command as failed whose process is gone, so that they don't look like running for ever."""
    started = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.STARTING])
    for run in instance.get_runs(started):
        if PROCESS in run.tags and not Path(f"/proc/{run.tags[PROCESS]}").exists():
            instance.report_run_failed(run, "the process was killed")


def _unmet(evaluated: dg.DagsterEvent) -> str:
    check = evaluated.asset_check_evaluation_data
    if check.passed:
        return ""
    return f"{check.severity.value.lower()}: {check.asset_key.to_user_string()}: {check.check_name} does not hold"


def _cause(failed: dg.DagsterEvent) -> str:
    error: Any = failed.step_failure_data.error
    while error is not None and error.cause is not None:
        error = error.cause
    return str(error.message).strip() if error else "failed"
