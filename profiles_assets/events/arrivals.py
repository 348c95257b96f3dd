"""Which landing files the lake has not applied yet, and the load days they concern."""

import hashlib
import math
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from profiles_assets.events.discover import LandingFile, content_hash, landing_files, local_copy
from profiles_assets.events.table_database import TableError
from profiles_assets.events.table_source import new_rows
from profiles_assets.project.project import Project
from resources.lake import Lake
from resources.tables import exists


@dataclass(frozen=True)
class Arrival:
    """Unapplied files of consecutive load days, and a key that tells their contents apart."""

    first: date
    last: date
    files: int
    key: str


def listing_hash(project: Project) -> str:
    """Hash of names, sizes and modification times of all landing files; cheap, and equal when nothing moved."""
    return _hash([f"{name}|{source_listing(project, name)}" for name in sorted(project.sources)])


def source_listing(project: Project, source: str) -> str:
    """Hash of names, sizes and modification times of the landing files of a source."""
    return _hash([f"{file.path}|{file.signature}" for file in landing_files(project, source)])


def arrivals(lake: Lake, project: Project, seconds: float = math.inf) -> list[Arrival]:
    """Unapplied files grouped by runs of consecutive days, oldest first.

    Their contents are read for no more than some `seconds`; files after that are left for another time.
    """
    waiting: dict[date, list[str]] = {}
    until = time.monotonic() + seconds
    for source, file in unapplied(lake, project):
        if waiting and time.monotonic() > until:
            break
        waiting.setdefault(concerned_day(project, file), []).append(content_key(lake, source, file))
    return [
        Arrival(
            days[0], days[-1], sum(len(waiting[d]) for d in days), _hash(sorted(k for d in days for k in waiting[d]))
        )
        for days in consecutive(waiting)
    ]


def unapplied(lake: Lake, project: Project) -> list[tuple[str, LandingFile]]:
    """Files that are new or have changed, each with its source, by load day."""
    found = []
    for source in project.sources:
        known = applied_signatures(lake, source)
        files = landing_files(project, source)
        found += [(source, file) for file in files if known.get(file.path) != file.signature]
    return sorted(found, key=lambda one: concerned_day(project, one[1]))


def table_arrivals(lake: Lake, project: Project, on_problem: Callable[[str], None] = lambda _: None) -> list[Arrival]:
    """Tables with rows that the lake does not have; one that cannot be read is told and left out."""
    found = []
    day = newest_landing_day(project) or project.end or date.today()
    for name in [name for name, source in project.sources.items() if source.table]:
        try:
            with lake.get_connection() as con:
                new = new_rows(con, project, name)
        except TableError as error:
            on_problem(f"{name}: {error}")
        else:
            if new.rows:
                found.append(Arrival(day, day, new.rows, _hash([name, str(new.state.batches), new.key])))
    return found


def applied_signatures(lake: Lake, source: str) -> dict[str, str]:
    """Signature of each file of a source as the lake last applied it."""
    with lake.get_connection() as con:
        if not exists(con, "ops.files"):
            return {}
        return dict(con.execute("SELECT file, signature FROM ops.files WHERE source = ?", [source]).fetchall())


def content_key(lake: Lake, source: str, file: LandingFile) -> str:
    """Text that is never the same for two contents of a file, or for the same content put back later."""
    try:
        with local_copy(file, f"{lake.root}/spill") as path:
            content = content_hash(path)
    except OSError:
        content = "gone"
    return f"{source}|{file.path}|{file.signature}|{content}"


def concerned_day(project: Project, file: LandingFile) -> date:
    """Load day in the path; a file without one concerns any day, so the project's last one stands for it."""
    return file.day or project.end or date.today()


def newest_landing_day(project: Project) -> date | None:
    """Newest load day that any landing file concerns."""
    days = [concerned_day(project, file) for source in project.sources for file in landing_files(project, source)]
    return max(days, default=None)


def consecutive(days: Iterable[date]) -> list[Sequence[date]]:
    """Days in order, cut where one is missing."""
    groups: list[list[date]] = []
    for day in sorted(days):
        if groups and day - groups[-1][-1] == timedelta(days=1):
            groups[-1].append(day)
        else:
            groups.append([day])
    return groups  # type: ignore[return-value]


def _hash(parts: Sequence[str]) -> str:
    return hashlib.md5("\n".join(parts).encode(), usedforsecurity=False).hexdigest()
