"""What the lake knows about a source: its applied files, rejects, pinned columns and definitions."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from profiles_assets.events.ids import id_type_of, normalised_as
from profiles_assets.project.presets import KEYED_LISTS
from profiles_assets.project.project import Project
from resources import progress, tables

Con = duckdb.DuckDBPyConnection
TABLES = {
    "ops.files": "source VARCHAR, file VARCHAR, day DATE, hash VARCHAR, signature VARCHAR, "
    "records BIGINT, loaded BIGINT, rejected BIGINT, duplicates BIGINT, suppressed BIGINT",
    "ops.rejects": "source VARCHAR, day DATE, file VARCHAR, position BIGINT, reason VARCHAR, record VARCHAR",
    "ops.columns": "source VARCHAR, path VARCHAR, type VARCHAR",
    "ops.transformed": "source VARCHAR, file VARCHAR, position BIGINT, outcome VARCHAR, records BIGINT, error VARCHAR",
    "ops.uncast": "source VARCHAR, day DATE, file VARCHAR, path VARCHAR, rows BIGINT",
}
MEANING = (
    "time",
    "received",
    "event_id",
    "event",
    "event_is",
    "properties",
    "types",
    "identify_traits",
    "distinct",
    "not_before",
)


@dataclass(frozen=True)
class FileNote:
    """An applied file: its content hash and what became of its records; `day` is that of its path.

    `suppressed` counts those that are neither rows nor rejects because they are about erased people.
    """

    file: str
    day: date | None
    hash: str
    signature: str
    records: int
    loaded: int
    rejected: int
    duplicates: int
    suppressed: int = 0


def table_of(source_name: str) -> str:
    """Lake table with the rows of a source."""
    return f"raw_events.{tables.quote(source_name)}"


def rows_step(source_name: str) -> str:
    """Step whose partitions are the load days of a source."""
    return f"raw_events/{source_name}"


def files_step(source_name: str) -> str:
    """Step that moves whenever the notes about files, columns or definitions do."""
    return f"raw_files/{source_name}"


def create(con: Con) -> None:
    """Create the tables of notes."""
    for name, columns in TABLES.items():
        con.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
    if "suppressed" not in tables.columns(con, "ops.files"):
        con.execute("ALTER TABLE ops.files ADD COLUMN suppressed BIGINT")


def applied_files(con: Con, source_name: str) -> dict[str, FileNote]:
    """Notes of the files applied to a source, by path."""
    if not tables.exists(con, "ops.files"):
        return {}
    have = tables.columns(con, "ops.files")
    fields = (name for name in FileNote.__dataclass_fields__ if name in have)
    names = ", ".join(f"coalesce({name}, 0)" if name == "suppressed" else name for name in fields)
    rows = con.execute(f"SELECT {names} FROM ops.files WHERE source = ?", [source_name]).fetchall()
    return {row[0]: FileNote(*row) for row in rows}


def pinned_types(con: Con, source_name: str) -> dict[str, str]:
    """SQL types of the property columns of a source that were settled earlier, by path."""
    if not tables.exists(con, "ops.files"):
        return {}
    return dict(con.execute("SELECT path, type FROM ops.columns WHERE source = ?", [source_name]).fetchall())


def definitions(project: Project, source_name: str) -> dict[str, str]:
    """Hashes of the two parts of a definition: how files are read, and what their records mean."""
    source = project.sources[source_name]
    meaning = source.model_dump(mode="json", include=set(MEANING))
    meaning["ids"] = sorted([t, p, normalised_as(id_type_of(project.entities, t))] for t, p in source.ids.items())
    meaning["entities"] = [[name, *(t for t in e.ids if t in source.ids)] for name, e in project.entities.items()]
    meaning["timezone"] = project.timezone
    if source.kind == "records":
        meaning["records"] = [source.key, None if source.by_path_day else str(project.start)]
    if source.preset in KEYED_LISTS:
        meaning["keyed"] = KEYED_LISTS[source.preset]
    reading = [source.file_format, source.delimiter, source.max_record_bytes]
    if source.transform:
        reading.append([source.transform, sorted(source.code.items())])
    return {"meaning": hash_of(meaning), "reading": hash_of(reading)}


def applied_definitions(con: Con, source_name: str) -> dict[str, str]:
    """The hashes of definitions that the rows of a source were made with."""
    notes = progress.applied(con, files_step(source_name))
    return {part: notes[part] for part in ("meaning", "reading") if part in notes}


def fingerprint(files: Mapping[str, FileNote], types: Mapping[str, str]) -> str:
    """Hash of all notes about files and columns."""
    return hash_of([sorted(map(str, files.values())), sorted(types.items())])


def version_seed(definitions: Mapping[str, str]) -> str:
    """Text that is part of every version, so that rows made with another definition have another one."""
    return "/".join(definitions[part] for part in sorted(definitions))


def hash_of(value: object) -> str:
    """Hash of a value that JSON can express."""
    return hashlib.md5(json.dumps(value, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
