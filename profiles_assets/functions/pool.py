"""Worker processes: started once, fed with chunks, replaced when they die."""

import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

import orjson
import pyarrow as pa

from profiles_assets.functions.context import Line
from profiles_assets.functions.frames import PLACE, Answer, Job, read_frame, write_frame
from profiles_assets.functions.people_rows import as_message, people_in, starts

ROOT = Path(__file__).parents[2]
GRACE_SECONDS = 5.0
START_SECONDS = 60.0
LOOK_SECONDS = 0.25


class BrokenFunctionError(Exception):
    """A function that cannot even be loaded; the text is that of its exception, masked."""


@dataclass(frozen=True)
class Outcome:
    """Answers for some people, and what the function said meanwhile."""

    answers: list[Answer]
    lines: list[Line] = field(default_factory=list)
    dropped: int = 0


class Worker:
    """One process and the chunk that it has; the progress file tells who is under way."""

    def __init__(self, job: Job, folder: Path, number: int) -> None:
        self.chunk: pa.Table | None = None
        self._file = folder / f"worker-{number}"
        self._file.write_bytes(PLACE.pack(0, 0))
        path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
        self.process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", "profiles_assets.functions.worker", str(self._file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | {"PYTHONPATH": path, "PYTHONHASHSEED": "0"},
        )
        self._limit = job.seconds + GRACE_SECONDS
        self.ready = False
        self._beat, self._since = 0, time.monotonic()
        self._say(job.to_bytes())

    @property
    def answers(self) -> IO[bytes]:
        """Where its answers come from."""
        assert self.process.stdout is not None
        return self.process.stdout

    def give(self, chunk: pa.Table) -> None:
        """Send a chunk."""
        self.chunk, self._since = chunk, time.monotonic()
        self._say(as_message(chunk))

    def stuck(self) -> bool:
        """True when the person under way should have been done for long."""
        _, beat = self.place()
        now = time.monotonic()
        if beat != self._beat:
            self._beat, self._since = beat, now
        return now - self._since > (self._limit if self.ready else START_SECONDS)

    def place(self) -> tuple[int, int]:
        """Number of the person under way, and the count that grows."""
        number, beat = PLACE.unpack(self._file.read_bytes())
        return number, beat

    def end(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue
        self._file.unlink(missing_ok=True)

    def _say(self, message: bytes | memoryview) -> None:
        assert self.process.stdin is not None
        try:
            write_frame(self.process.stdin, message)
        except BrokenPipeError:
            return  # it died; the end of its answers tells


class Pool:
    """Workers of one function; a context manager, so that none outlives its run."""

    def __init__(self, job: Job, workers: int) -> None:
        self._job, self._number = job, 0
        self._folder = tempfile.TemporaryDirectory(prefix="functions-")
        self._selector = selectors.DefaultSelector()
        self._workers: list[Worker] = []
        self._wanted = workers
        self._waiting: deque[pa.Table] = deque()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        for worker in list(self._workers):
            self._drop(worker)
        self._selector.close()
        self._folder.cleanup()

    def outcomes(self, chunks: Iterator[pa.Table]) -> Iterator[Outcome]:
        """Outcomes of all chunks, in the order in which they are ready. Raises BrokenFunctionError."""
        exhausted = False
        while True:
            if not exhausted and not self._waiting:
                chunk = next(chunks, None)
                exhausted = chunk is None
                self._waiting += [] if chunk is None else [chunk]
            if self._waiting and (worker := self._idle()):
                worker.give(self._waiting.popleft())
                continue
            if exhausted and not self._waiting and not any(worker.chunk is not None for worker in self._workers):
                return
            yield from self._collected()

    def _idle(self) -> Worker | None:
        """A worker with nothing to do; starts another where there may be more."""
        found = next((worker for worker in self._workers if worker.ready and worker.chunk is None), None)
        if found is None and len(self._workers) < self._wanted:
            self._number += 1
            worker = Worker(self._job, Path(self._folder.name), self._number)
            self._workers.append(worker)
            self._selector.register(worker.answers, selectors.EVENT_READ, worker)
        return found

    def _collected(self) -> Iterator[Outcome]:
        ready = [key.data for key, _ in self._selector.select(LOOK_SECONDS)]
        for worker in ready:
            message = read_frame(worker.answers)
            if message is None:
                yield from self._dead(worker, "the worker was ended, most likely for its memory")
            else:
                yield from self._answered(worker, orjson.loads(message))
        for worker in [w for w in self._workers if w not in ready]:
            if (worker.chunk is not None or not worker.ready) and worker.stuck():
                yield from self._dead(worker, f"it took longer than {self._job.seconds:g} seconds and had to be ended")

    def _answered(self, worker: Worker, said: dict[str, Any]) -> Iterator[Outcome]:
        if "broken" in said:
            raise BrokenFunctionError(said["broken"])
        if "ready" in said:
            worker.ready = True
            return
        answers = [Answer(**told) for told in said["answers"]]
        chunk, worker.chunk = worker.chunk, None
        places = starts(chunk)
        if len(answers) < len(places):
            assert chunk is not None
            self._waiting.append(chunk.slice(places[len(answers)]))
        if any(answer.kind == "memory" for answer in answers):
            self._drop(worker)
        yield Outcome(answers, [tuple(line) for line in said["lines"]], said["dropped"])

    def _dead(self, worker: Worker, why: str) -> Iterator[Outcome]:
        """Whoever was under way is an error; the others of the chunk go to another worker."""
        chunk, ready, (number, _) = worker.chunk, worker.ready, worker.place()
        self._drop(worker)
        if not ready:
            raise BrokenFunctionError(f"{self._job.file} cannot be loaded: {why}")
        if chunk is None:
            return
        people = people_in(chunk)
        one = people[min(number, len(people) - 1)]
        self._waiting += [part for part in (chunk.slice(0, one.at), chunk.slice(one.end)) if part.num_rows]
        yield Outcome([Answer(one.person, one.fingerprint, kind="killed", error=why)])

    def _drop(self, worker: Worker) -> None:
        self._selector.unregister(worker.answers)
        self._workers.remove(worker)
        worker.end()
