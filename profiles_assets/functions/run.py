"""Brings a published function up to its events, and builds a newly published version beside it."""

import hashlib
import os
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.events.load import newest_day
from profiles_assets.events.suppression import STEP as ERASURES
from profiles_assets.functions import inputs, versions
from profiles_assets.functions.feed import People, chunks
from profiles_assets.functions.frames import Answer
from profiles_assets.functions.jobs import job_of
from profiles_assets.functions.people import stage_pending, stage_people
from profiles_assets.functions.pool import BrokenFunctionError, Outcome, Pool
from profiles_assets.functions.results import MovedError, Writing, switch
from profiles_assets.functions.tables import ERRORS, RESULTS
from profiles_assets.project.functions import ProfileFunction
from profiles_assets.project.project import Project
from resources import progress
from resources.lake import Lake, memory_limit, transaction
from resources.tables import literal

Con = duckdb.DuckDBPyConnection
OnProgress = Callable[[str, int, int], None]
EVENTS_OF_SLICE = 2_000_000
BYTES_OF_EVENT, BYTES_OF_ROW = 2_000, 500  # of memory for sorting; rows of batches carry no payload
PEOPLE_OF_COMMIT = 20_000
SECONDS_OF_COMMIT = 15.0
ATTEMPTS = 3
EVENTS_PER_WORKER = 20_000
LINES_KEPT = 100


@dataclass
class FunctionReport:
    """What a run of a function did; `version` is what people see, `building` what is not complete yet."""

    as_of: date | None = None
    version: int | None = None
    building: int | None = None
    rows: int = 0
    computed: int = 0
    rebuilt: int = 0
    removed: int = 0
    errors: int = 0
    transform_errors: int = 0
    waiting: int = 0
    broken: str = ""
    lines: list[tuple[str, str]] = field(default_factory=list)
    dropped: int = 0


def update_function(
    lake: Lake,
    project: Project,
    name: str,
    *,
    budget: float | None = None,
    workers: int = 0,
    commit_every: int = PEOPLE_OF_COMMIT,
    on_progress: OnProgress | None = None,
    only_count: bool = False,
) -> FunctionReport:
    """Compute everybody whose events changed, then build what was published since, for `budget` seconds at most.

    With `only_count` nothing is computed or written.
    """
    run = Run(lake, project, name, workers or os.cpu_count() or 1, commit_every, on_progress or _silent)
    for attempt in range(ATTEMPTS):
        try:
            return run.counts() if only_count else run.all(budget)
        except MovedError:
            if attempt + 1 == ATTEMPTS:
                raise
    raise AssertionError("unreachable")


@dataclass
class Run:
    """One run of one function."""

    lake: Lake
    project: Project
    name: str
    workers: int
    commit_every: int
    on_progress: OnProgress
    report: FunctionReport = field(default_factory=FunctionReport)
    _free: Con | None = None
    _pool: Pool | None = None
    _building: bool = False

    def all(self, budget: float | None) -> FunctionReport:
        """New events first, then the version that is being built. Raises MovedError."""
        self.report = FunctionReport()
        with self.lake.get_connection() as con:
            self._free = con
            state = versions.state_of(con, self.name)
            if state is None:
                return self.report
            inputs.update_inputs(self.lake, self.project)
            as_of = self.report.as_of = newest_day(con, self.project)
            if as_of is None:
                return self.report
            mark = self._mark(con, state, as_of)
            if progress.applied(con, f"function_runs/{self.name}").get("all") != mark:
                self._versions(con, state, as_of, budget)
            return self._counted(con, mark)

    def counts(self) -> FunctionReport:
        """What there is, as it is."""
        with self.lake.get_connection() as con:
            state = versions.state_of(con, self.name)
            self.report = FunctionReport(newest_day(con, self.project) if state else None)
            return self._numbers(con, state) if state else self.report

    def _write(self, action: Callable[[Con], None]) -> None:
        """One transaction; on our connection, unless the stream of events is on it."""
        self.lake.write(action, self._free)

    def _versions(self, con: Con, state: versions.State, as_of: date, budget: float | None) -> None:
        deadline = None if budget is None else time.monotonic() + budget
        try:
            if state.visible is not None:
                self._bring_up(con, state.visible, as_of, None)
            if state.building:
                self._bring_up(con, state.target, as_of, deadline)
        except BrokenFunctionError as error:
            self.report.broken = str(error)

    def _bring_up(self, con: Con, version: int, as_of: date, deadline: float | None) -> None:
        """Compute the people of a version who are not as they should be, slice by slice; then let it be seen."""
        function = versions.published(con, self.project, self.name, version)
        building = version != (versions.state_of(con, self.name) or versions.State(None, 0)).visible
        after, first, self._pool, self._building = -(2**63), True, None, building
        staged = ""
        with ExitStack() as stack:
            while True:
                with transaction(con):
                    writing = Writing(function, version, progress.fingerprint(con, [ERASURES]), as_of)
                    seen = progress.fingerprint(con, _inputs(function))
                    if seen != staged:  # events may have come while a slice was computed
                        stage_people(con, self.project, function, as_of)
                        stage_pending(con, self.name, version, skip_errors=ERRORS if building else "")
                        staged = seen
                    gone = _gone(con, writing) if first else []
                    counts = _counts(con)
                    slice_ = self._slice(con, after, _most_events(con, function))
                if first:
                    self._begin(writing, building, gone, counts)
                if not slice_.people:
                    break
                self._compute(con, writing, slice_, stack)
                after, first = slice_.last, False
                if deadline is not None and time.monotonic() > deadline:
                    break
        if building and not self._left(con, version):
            self._write(lambda inner: switch(inner, writing))

    def _begin(self, writing: Writing, building: bool, gone: list[str], counts: tuple[int, int]) -> None:
        """Remove people who are gone, and note how many there are to build."""
        if gone:
            self._write(lambda inner: writing.remove(inner, gone))
            self.report.removed += len(gone)
        if building:
            self._write(lambda inner: writing.begin(inner, counts[0] - counts[1], counts[0]))

    def _slice(self, con: Con, after: int, events: int) -> "Slice":
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE function_slice AS SELECT * EXCLUDE (before) FROM (
                SELECT *, sum(events) OVER (ORDER BY person_key) - events AS before
                FROM function_pending WHERE person_key > {after})
            WHERE before < {events}"""
        )
        row = con.execute("SELECT count(*), max(person_key), coalesce(sum(events), 0) FROM function_slice").fetchone()
        assert row is not None
        return Slice(row[0], row[1] or 0, int(row[2]))

    def _compute(self, con: Con, writing: Writing, slice_: "Slice", stack: ExitStack) -> None:
        function = writing.function
        what, done, held, since = f"{self.name} version {writing.version}", 0, list[Answer](), time.monotonic()

        def commit() -> None:
            nonlocal held, since, done
            answers, seconds = held, time.monotonic() - since
            self._write(lambda inner: writing.answers(inner, answers, seconds))
            done, held, since = done + len(answers), [], time.monotonic()
            self._count(answers, self._building)
            self.on_progress(what, done, slice_.people)

        self._free = None
        with transaction(con):
            held += _too_large(con, function)
            job = job_of(function, writing.version, writing.as_of, self.lake, con)
            chosen = People("function_slice", writing.version)
            workers = max(1, min(self.workers, slice_.events // EVENTS_PER_WORKER + 1))
            self._pool = self._pool or stack.enter_context(Pool(job, workers))
            for outcome in self._pool.outcomes(chunks(con, self.project, function, writing.as_of, chosen)):
                held += outcome.answers
                self._keep_lines(outcome)
                if len(held) >= self.commit_every or time.monotonic() - since > SECONDS_OF_COMMIT:
                    commit()
        self._free = con
        if held:
            commit()

    def _keep_lines(self, outcome: Outcome) -> None:
        room = LINES_KEPT - len(self.report.lines)
        self.report.lines += outcome.lines[:room]
        self.report.dropped += outcome.dropped + len(outcome.lines[room:])

    def _count(self, answers: Iterable[Answer], building: bool) -> None:
        for answer in answers:
            self.report.computed += not building
            self.report.rebuilt += building
            self.report.errors += bool(answer.kind)
            self.report.transform_errors += answer.transform_errors

    def _left(self, con: Con, version: int) -> int:
        """How many people of a version being built have neither a result nor an error."""
        return stage_pending(con, self.name, version, skip_errors=ERRORS)

    def _counted(self, con: Con, mark: str) -> FunctionReport:
        state = versions.state_of(con, self.name)
        assert state is not None
        self._numbers(con, state)
        if not self.report.errors and not self.report.broken and not state.building:
            version = self._mark(con, state, self.report.as_of) if self.report.rebuilt else mark
            self._write(lambda inner: progress.record(inner, f"function_runs/{self.name}", {"all": version}))
        return self.report

    def _numbers(self, con: Con, state: versions.State) -> FunctionReport:
        self.report.version = state.visible
        self.report.building = state.target if state.building else None
        self.report.waiting = max(state.total - state.done, 0) if state.building else 0
        mine = f"function = {literal(self.name)} AND version = {state.visible or 0}"
        row = con.execute(
            f"SELECT (SELECT count(*) FROM {RESULTS} WHERE {mine} AND traits IS NOT NULL), "
            f"(SELECT count(*) FROM {ERRORS} WHERE {mine} AND kind <> 'transform')"
        ).fetchone()
        assert row is not None
        self.report.rows, self.report.errors = row
        return self.report

    def _mark(self, con: Con, state: versions.State, as_of: date | None) -> str:
        """Hash of all that decides whether there is anything to do."""
        function = versions.published(con, self.project, self.name, state.target)
        seen = progress.fingerprint(con, _inputs(function))
        parts = (seen, as_of, state.visible, state.target, *self.project.sources)
        return hashlib.md5("|".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


@dataclass(frozen=True)
class Slice:
    """People who are computed from one sorted stream."""

    people: int
    last: int
    events: int


def _most_events(con: Con, function: ProfileFunction) -> int:
    """Events that are sorted at once: more in more memory, since each time all of them are read."""
    fitting = memory_limit(con) // (BYTES_OF_ROW if function.batch else BYTES_OF_EVENT)
    return min(EVENTS_OF_SLICE, fitting)


def _inputs(function: ProfileFunction) -> list[str]:
    return [inputs.STEP, f"stitched_ids/{function.entity}", ERASURES]


def _gone(con: Con, writing: Writing) -> list[str]:
    rows = con.execute(
        f"SELECT _person FROM {RESULTS} WHERE {writing.mine} AND _person NOT IN (SELECT _person FROM function_people) "
        "ORDER BY 1"
    ).fetchall()
    return [row[0] for row in rows]


def _counts(con: Con) -> tuple[int, int]:
    row = con.execute("SELECT (SELECT count(*) FROM function_people), (SELECT count(*) FROM function_pending)")
    people, pending = row.fetchone() or (0, 0)
    return people, pending


def _too_large(con: Con, function: ProfileFunction) -> list[Answer]:
    """Answers for people with too many events, who are taken out of the slice."""
    most = function.config.max_events
    rows = con.execute(f"SELECT _person, fingerprint FROM function_slice WHERE events > {most} ORDER BY 1").fetchall()
    con.execute(f"DELETE FROM function_slice WHERE events > {most}")
    return [Answer(who, mark, kind="events", error=f"more than {most:,} events (max_events)") for who, mark in rows]


def _silent(_what: str, _done: int, _total: int) -> None:
    pass
