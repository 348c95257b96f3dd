"""A resident look at what lands: new files are loaded, and all that follows is refreshed, without Dagster."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import Any

from filelock import FileLock, Timeout

from profiles_assets.events.arrivals import source_listing
from profiles_assets.events.load import load_events
from profiles_assets.events.table_database import TableError
from profiles_assets.events.table_source import new_rows
from profiles_assets.path import sources_of_files, steps
from profiles_assets.project.loader import load_project
from profiles_assets.project.problems import ProjectError
from resources.lake import Lake

POLL, SETTLED, RETRY, TABLES_EVERY = 0.1, 1.0, 30.0, 2.0  # seconds
DECLARED = ("*.yml", "*.yaml", "*.sql", "*.py", "rules.csv")


class BusyError(Exception):
    """Another process watches the lake."""


@dataclass
class Batch:
    """One refresh: the sources that had something new, and what each step reported; `problem` where one failed."""

    sources: Sequence[str]
    reports: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    problem: str = ""


@contextmanager
def only_watcher(lake: Lake) -> Iterator[None]:
    """Hold the place of the one process that watches a lake. Raises BusyError with the other one's number."""
    Path(lake.root).mkdir(parents=True, exist_ok=True)
    lock = _lock(lake)
    try:
        lock.acquire()
    except Timeout:
        raise BusyError(f"process {_number(lake) or 'of another machine'} watches this lake already") from None
    try:
        _note(lake).write_text(str(os.getpid()))
        yield
    finally:
        _note(lake).unlink(missing_ok=True)
        lock.release()


def watcher(lake: Lake) -> int | None:
    """Number of the process that watches a lake; None when there is none, -1 when it is not known."""
    if not _note(lake).exists():
        return None
    try:
        with _lock(lake):
            return None
    except Timeout:
        return _number(lake) or -1


class Watch:
    """Notices what is new in the sources of a project folder, and brings the lake up to it."""

    def __init__(self, lake: Lake, root: Path) -> None:
        self.lake, self.root = lake, root
        self.project = load_project(root)
        self._declared = declarations(root)
        self._seen: dict[str, str] = {}
        self._asked: dict[str, float] = {}
        self._retry_at = float("inf")

    def run(self, stop: Event, on_batch: Callable[[Batch], None], on_problem: Callable[[str], None]) -> None:
        """Refresh now, and then whenever something is new, until told to stop; a step under way is finished."""
        while not stop.is_set():
            self._reload(on_problem)
            changed = self.changed()
            if changed or time.monotonic() >= self._retry_at:
                batch = self.refresh(self._settled(changed, stop), stop)
                self._retry_at = time.monotonic() + RETRY if batch.problem else float("inf")
                on_batch(batch)
            stop.wait(POLL)

    def changed(self) -> list[str]:
        """Sources whose listing is another one than at the last look; all of them at the first."""
        now = {name: self._listing(name) for name in sources_of_files(self.project)}
        changed = [name for name, listing in now.items() if self._seen.get(name) != listing]
        self._seen = now
        return changed

    def _listing(self, name: str) -> str:
        """Text that is another one when a source has something new; tables are asked every few seconds."""
        if not self.project.sources[name].table:
            return source_listing(self.project, name)
        if time.monotonic() >= self._asked.get(name, 0.0) + TABLES_EVERY or name not in self._seen:
            self._asked[name] = time.monotonic()
            try:
                with self.lake.get_connection() as con:
                    found = new_rows(con, self.project, name)
            except TableError:
                return self._seen.get(name, "")  # the load tells what is wrong with it
            return found.key if found.rows else self._seen.get(name, found.key)
        return self._seen[name]

    def refresh(self, sources: Sequence[str], stop: Event) -> Batch:
        """Load these sources and refresh all that follows; a failing step ends the batch and is told in it."""
        batch, started = Batch(sources), time.monotonic()
        for name, update in self._steps(sources or sources_of_files(self.project)):
            if stop.is_set():
                break
            try:
                batch.reports[name] = update()
            except Exception as error:  # whatever it is, the next batch tries again
                batch.problem = f"{name}: {type(error).__name__}: {error}"
                break
        batch.seconds = time.monotonic() - started
        return batch

    def _steps(self, sources: Sequence[str]) -> Iterator[tuple[str, Callable[[], object]]]:
        for name in sources:
            yield f"raw_events/{name}", lambda name=name: load_events(self.lake, self.project, name)  # type: ignore[misc]
        yield from steps(self.lake, self.project)

    def _settled(self, changed: list[str], stop: Event) -> list[str]:
        """What is new once nothing more comes for a moment, so that many small files are one batch."""
        found, until = dict.fromkeys(changed), time.monotonic() + SETTLED
        while changed and time.monotonic() < until and not stop.wait(POLL):
            changed = self.changed()
            found |= dict.fromkeys(changed)
        return list(found)

    def _reload(self, on_problem: Callable[[str], None]) -> None:
        """Take over what is declared anew, if it is right; else tell what is wrong and go on as before."""
        declared = declarations(self.root)
        if declared == self._declared:
            return
        self._declared = declared
        try:
            self.project = load_project(self.root)
            self._seen = {}
        except ProjectError as error:
            on_problem(str(error))


def declarations(root: Path) -> str:
    """Hash of the names, sizes and times of the files that declare a project."""
    files = [path for pattern in DECLARED for where in (pattern, f"*/{pattern}") for path in root.glob(where)]
    told = sorted(f"{path}|{stat.st_size}|{stat.st_mtime_ns}" for path in files if (stat := _stat(path)))
    return hashlib.md5("\n".join(told).encode(), usedforsecurity=False).hexdigest()


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except OSError:
        return None


def _lock(lake: Lake) -> FileLock:
    return FileLock(Path(lake.root) / "watch.lock", timeout=0)


def _note(lake: Lake) -> Path:
    return Path(lake.root) / "watch.process"


def _number(lake: Lake) -> int | None:
    try:
        return int(_note(lake).read_text())
    except (OSError, ValueError):
        return None
