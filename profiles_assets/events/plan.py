"""What a load has to do: which files to read, which to derive again, which are gone."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.events import notes
from profiles_assets.events.discover import LandingFile, landing_files
from profiles_assets.events.notes import FileNote
from profiles_assets.events.read import Reading
from profiles_assets.project.project import Project

Con = duckdb.DuckDBPyConnection


@dataclass
class Plan:
    """Files of one source by what happens to them; file numbers are positions in `numbered`."""

    known: dict[str, FileNote]
    listed: dict[str, LandingFile]
    numbered: list[tuple[int, str, date | None]]
    readings: list[Reading]
    again: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    @property
    def numbers(self) -> dict[str, int]:
        """File number of each path."""
        return {path: number for number, path, _ in self.numbered}

    def derived_again(self) -> list[str]:
        """Applied files to derive from stored payloads, since no reading of this run replaces them."""
        read = {r.file.path for r in self.readings if r.applied}
        return [path for path in self.again if path not in read]


def make_plan(con: Con, project: Project, source_name: str, days: Collection[date] | None, allow_shrink: bool) -> Plan:
    """Compare the landing files, or those of some load days, with the notes of what has been applied."""
    known = notes.applied_files(con, source_name)
    all_listed = {file.path: file for file in landing_files(project, source_name)}
    listed = {path: file for path, file in all_listed.items() if _asked_for(file.day, days)}
    changed = _changed_parts(con, project, source_name)
    again = [p for p, note in known.items() if "meaning" in changed or _moved(all_listed.get(p), note)]
    gone = (
        [p for p, note in known.items() if p not in all_listed and _asked_for(note.day, days)] if allow_shrink else []
    )
    to_read = [f for f in all_listed.values() if _to_read(f, known.get(f.path), changed, f.path in listed)]
    paths = sorted({*again, *gone, *(file.path for file in to_read)})
    numbered = [(n, path, _day(all_listed.get(path), known.get(path))) for n, path in enumerate(paths)]
    number_of = {path: n for n, path, _ in numbered}
    readings = [Reading(number_of[f.path], f, _skippable(known.get(f.path), changed)) for f in to_read]
    return Plan(known, listed, numbered, readings, [p for p in again if p not in gone], gone)


def _changed_parts(con: Con, project: Project, source_name: str) -> set[str]:
    applied = notes.applied_definitions(con, source_name)
    current = notes.definitions(project, source_name)
    return {part for part, hash_ in applied.items() if current[part] != hash_}


def _to_read(file: LandingFile, note: FileNote | None, changed: Collection[str], asked: bool) -> bool:
    if note is None:
        return asked
    return (asked and note.signature != file.signature) or "reading" in changed or bool(changed and note.rejected)


def _skippable(note: FileNote | None, changed: Collection[str]) -> str:
    return "" if note is None or changed else note.hash


def _moved(file: LandingFile | None, note: FileNote) -> bool:
    return file is not None and file.day != note.day


def _asked_for(day: date | None, days: Collection[date] | None) -> bool:
    return day is None or days is None or day in days


def _day(file: LandingFile | None, note: FileNote | None) -> date | None:
    if file is not None:
        return file.day
    return note.day if note else None
