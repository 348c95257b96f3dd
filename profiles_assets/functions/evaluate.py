"""Runs a function over the people of a chunk, inside a worker."""

import asyncio
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pyarrow as pa

from profiles_assets.events.masks import last_lines, masked, told_by
from profiles_assets.events.transforms import Chain, ResultError, Transform, loaded, with_context
from profiles_assets.functions.context import AnyContext, Change, Context, Line, Log, Store, Warehouse
from profiles_assets.functions.contract import Row, row_of
from profiles_assets.functions.frames import Answer, Job
from profiles_assets.functions.people_rows import PersonRow, events_of, people_in
from resources.limits import TimeLimitExceeded, time_limit

LINES_PER_CHUNK = 200
SECONDS_OF_CHUNK = 5.0  # so that the progress of slow functions shows
Rows = tuple[list[str], list[str | None], list[str | None]]


@dataclass
class Evaluation:
    """A loaded function and what it said while it ran; `on_person` is told the number of the person under way."""

    job: Job
    on_person: Callable[[int], None]
    log: Log = field(default_factory=Log)
    lines: list[Line] = field(default_factory=list)
    dropped: int = 0
    out_of_memory: bool = False

    def __post_init__(self) -> None:
        self.warehouse = Warehouse(self.job)
        self.module = loaded(self.job.file, self.job.code)
        self.function: Callable[..., Any] = getattr(self.module, "profile_batch" if self.job.batch else "profile")
        modules = {file: loaded(file, text) for file, text in self.job.files.items()}
        self.context: AnyContext = self._context(Store({}, date.fromisoformat(self.job.as_of)))
        self.transforms: list[Transform] = [
            with_context(getattr(modules[file], name), lambda: self.context) for file, name in self.job.transforms
        ]
        self.loop = asyncio.new_event_loop()

    def chunk(self, table: pa.Table) -> list[Answer]:
        """Answers for the people of a chunk, in order; fewer when memory has run out, or when it takes long."""
        people, began = people_in(table), time.monotonic()
        texts, names, times = (table[name].to_pylist() for name in ("payload", "event", "timestamp"))
        answers = []
        for number, person in enumerate(people):
            self.on_person(number)
            rows = slice(person.at + 1, person.end)
            answers.append(self.person(person, (texts[rows], names[rows], times[rows])))
            if self.out_of_memory or time.monotonic() - began > SECONDS_OF_CHUNK:
                break
        return answers

    def person(self, person: PersonRow, rows: Rows) -> Answer:
        """The answer for one person."""
        self.log = Log()
        store = Store(person.store, date.fromisoformat(self.job.as_of))
        self.context, chain = self._context(store), Chain(self.transforms)
        try:
            with time_limit(self.job.seconds):
                events = events_of(*rows)
                events = chain.all(events) if self.transforms else events
                user = {**person.user, "traits": dict(person.user["traits"])}
                row = row_of(self.called(events, user, self.context), person.user["traits"])
            answer = answered(person, row, store.changes)
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            kind, text = self.failure(error)
            answer = Answer(person.person, person.fingerprint, kind=kind, error=self._masked(text, person, rows))
        listed = self._masked(last_lines(chain.first_error, self.job.file), person, rows) if chain.first_error else ""
        self._keep_lines(lambda line: self._masked(line, person, rows))
        return Answer(**{**vars(answer), "transform_errors": chain.errors, "transform_error": listed})

    def called(self, *arguments: Any) -> Any:
        """What the function gives back, awaited where it is async."""
        result = self.function(*arguments)
        if inspect.isawaitable(result):
            try:
                return self.loop.run_until_complete(result)
            except BaseException:
                self.loop = asyncio.new_event_loop()  # the old one may still think that it runs
                raise
        return result

    def failure(self, error: BaseException) -> tuple[str, str]:
        """Kind and text of what went wrong."""
        if isinstance(error, TimeLimitExceeded):
            return "time", f"it took longer than {self.job.seconds:g} seconds"
        if isinstance(error, MemoryError):
            self.out_of_memory = True
            return "memory", f"it took more than {self.job.memory_mb} MB"
        if isinstance(error, ResultError) and error.__traceback__ is not None:
            return "result", str(error)
        return "exception", last_lines(error, self.job.file)

    def _context(self, store: Store) -> Context:
        return Context(self.job, self.warehouse, self.log, store)

    def _keep_lines(self, mask: Callable[[str], str]) -> None:
        self.dropped += self.log.dropped
        for level, line in self.log.lines:
            if len(self.lines) < LINES_PER_CHUNK:
                self.lines.append((level, mask(line)))
            else:
                self.dropped += 1

    def _masked(self, text: str, person: PersonRow, rows: Rows) -> str:
        """A text without secrets and without anything that the person's events and traits tell."""
        told = told_by(person.user, person.store, events_of(*rows))
        return masked(text, {*self.job.secrets, *told, person.person}, told_by(person.user.get("ids")))


def answered(person: PersonRow, row: Row | None, stored: list[Change]) -> Answer:
    """The answer of a person who succeeded."""
    if row is None:
        return Answer(person.person, person.fingerprint, stored=stored)
    return Answer(
        person.person,
        person.fingerprint,
        profile_id=row.profile_id or person.person,
        table=row.table,
        destination=row.destination,
        traits=row.traits,
        stored=stored,
    )
