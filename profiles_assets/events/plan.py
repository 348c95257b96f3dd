"""What a load has to do: which files to read, which to derive again, which are gone."""

from collections.abc import Collection
from dataclasses import dataclass
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
    """Files of one source by what happens to them; `numbered` gives each concerned file a number.

    `again` are applied files whose rows must be derived anew, from stored payloads where no reading does it.
    """

    known: dict[str, FileNote]
    changed: set[str]
    numbered: list[tuple[int, str, date | None]]
    readings: list[Reading]
    again: list[str]
    gone: list[str]

    @property
    def numbers(self) -> dict[str, int]:
        """File number of each path."""
        return {path: number for number, path, _ in self.numbered}

    @property
    def idle(self) -> bool:
        """True when neither files nor definitions ask for anything."""
        return not self.numbered and not self.changed

    def derived_again(self) -> list[str]:
        """Files to derive from stored payloads, since no reading replaces them."""
        read = {reading.file.path for reading in self.readings if reading.applied}
        return [path for path in self.again if path not in read]

    def replaced(self) -> list[str]:
        """Files whose stored rows give way: read, derived again or gone."""
        return [r.file.path for r in self.readings if r.applied] + self.derived_again() + self.gone


def make_plan(
    con: Con,
    project: Project,
    source_name: str,
    days: Collection[date] | None,
    allow_shrink: bool,
    *,
    lake_root: str = "",
) -> Plan:
    """Compare the landing files, or those of some load days, with the notes of what has been applied.

    `lake_root` is the folder of the lake, where the files of sources made from models are.
    """
    known = notes.applied_files(con, source_name)
    listed = {file.path: file for file in landing_files(project, source_name, lake_root)}
    changed = _changed_parts(con, project, source_name)
    missing = [path for path, note in known.items() if path not in listed and _asked_for(note.day, days)]
    gone = missing if allow_shrink else []
    stale = [path for path, note in known.items() if "meaning" in changed or _moved(listed.get(path), note)]
    again = [path for path in stale if path not in gone]
    to_read = [file for file in listed.values() if _to_read(file, known.get(file.path), changed, days)]
    paths = sorted({*again, *gone, *(file.path for file in to_read)})
    numbered = [(n, path, _day(listed.get(path), known.get(path))) for n, path in enumerate(paths)]
    number_of = {path: n for n, path, _ in numbered}
    readings = [Reading(number_of[f.path], f, _skippable(known.get(f.path), changed)) for f in to_read]
    return Plan(known, changed, numbered, readings, again, gone)


def _changed_parts(con: Con, project: Project, source_name: str) -> set[str]:
    applied = notes.applied_definitions(con, source_name)
    current = notes.definitions(project, source_name)
    return {part for part, hash_ in applied.items() if current[part] != hash_}


def _to_read(file: LandingFile, note: FileNote | None, changed: Collection[str], days: Collection[date] | None) -> bool:
    asked = _asked_for(file.day, days)
    if note is None or (asked and note.signature != file.signature):
        return asked
    return "reading" in changed or bool(changed and note.rejected)


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
