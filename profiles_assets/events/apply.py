"""The one short transaction of a load: staged rows and notes go into the lake."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from profiles_assets.events import notes
from profiles_assets.events.columns import cast_sql
from profiles_assets.events.dedupe import in_days
from profiles_assets.events.derive import property_column
from profiles_assets.events.lines import CUT
from profiles_assets.events.normalised import write_normalised
from profiles_assets.events.notes import FileNote
from profiles_assets.events.report import LoadReport
from profiles_assets.events.stage import REPLACED
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from resources import progress, tables
from resources.tables import quote

Con = duckdb.DuckDBPyConnection
UNREADABLE = "file cannot be read"
SAME_ROW = "stored.day = new.day AND stored.file = new.file AND stored.position = new.position"


@dataclass(frozen=True)
class Outcome:
    """What a load computed beside its temporary tables; without `work` there is nothing to write."""

    source_name: str
    report: LoadReport
    work: bool = False
    records: bool = False
    renewed: Mapping[str, FileNote] = field(default_factory=dict)
    replaced: bool = False
    gone: Sequence[str] = ()
    failed: Sequence[tuple[str, date | None, str]] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    emptied: Sequence[str] = ()
    old_days: Sequence[date] = ()
    types: Mapping[str, str] = field(default_factory=dict)
    filled: Sequence[str] = ()
    timezone: str = "UTC"
    uncast: Sequence[tuple[date, str, str, int]] = ()
    read: Sequence[str] = ()
    transformed: Sequence[tuple[str, int | None, str, int, str]] = ()
    marks: Mapping[str, str] = field(default_factory=dict)


def create_view(con: Con, project: Project, source: Source, types: Mapping[str, str]) -> None:
    """Create the view `event_rows`: staged rows with the columns and types of the lake table."""
    records = source.kind == "records"
    names = ["day", "event_day", "time", "received", "event", "event_id", "file", "s.position"]
    names += ["r.position IS NOT NULL AS duplicate", *(["record_key", "superseded"] if records else [])]
    names += ["payload", "identify_traits"]
    names += [quote(f"id_{id_type}") for id_type in source.ids]
    names += [quote(f"tuple_{entity}") for entity in project.entities]
    columns = [quote(property_column(path)) for path in types]
    names += [f"{cast_sql(t, c, project.timezone)} AS {c}" for c, t in zip(columns, types.values(), strict=True)]
    con.execute(
        f"""CREATE OR REPLACE TEMP VIEW event_rows AS SELECT {", ".join(names)}
        FROM staged_events s JOIN staged_files f USING (file_no)
        LEFT JOIN event_repeats r USING (day, file, position)
        {"LEFT JOIN event_superseded USING (day, file, position)" if records else ""} WHERE s.reason IS NULL"""
    )


def write(con: Con, outcome: Outcome) -> None:
    """Write rows, rejects and notes; called inside the transaction."""
    if not outcome.work:
        return
    notes.create(con)
    table = notes.table_of(outcome.source_name)
    tables.create_like(con, table, "event_rows", ["day"])
    tables.adopt_columns(con, table, "event_rows")
    if outcome.old_days:
        con.execute(f"DELETE FROM {table} WHERE {in_days(outcome.old_days)} AND file IN {REPLACED}")
    if outcome.report.loaded:
        con.execute(f"INSERT INTO {table} BY NAME FROM event_rows")
    set_changed(con, table, "event_flips", "duplicate")
    if outcome.records:
        set_changed(con, table, "event_endings", "superseded")
    _fill_columns(con, table, outcome)
    _write_rejects(con, outcome)
    write_normalised(con, outcome.source_name, REPLACED)
    _write_notes(con, outcome)


def set_changed(con: Con, table: str, changes: str, column: str) -> None:
    """Set a column of stored rows to that of the rows of a table with the same day, file and position."""
    days = [row[0] for row in con.execute(f"SELECT DISTINCT day FROM {changes} ORDER BY day").fetchall()]
    if days:
        con.execute(
            f"""UPDATE {table} AS stored SET {column} = new.{column} FROM {changes} AS new
            WHERE {in_days(days, "stored.day")} AND {SAME_ROW}"""
        )


def _fill_columns(con: Con, table: str, outcome: Outcome) -> None:
    columns = {path: quote(property_column(path)) for path in outcome.filled if path in outcome.types}
    if columns:
        values = {c: cast_sql(outcome.types[path], f"new.{c}", outcome.timezone) for path, c in columns.items()}
        sets = ", ".join(f"{column} = {value}" for column, value in values.items())
        con.execute(f"UPDATE {table} AS stored SET {sets} FROM event_fill AS new WHERE {SAME_ROW}")


def _write_rejects(con: Con, outcome: Outcome) -> None:
    name = outcome.source_name
    failed = [path for path, _, _ in outcome.failed]
    stale = f"(file IN {REPLACED} OR (position IS NULL AND list_contains({_names(failed)}, file)))"
    _replace(con, "ops.rejects", name, stale if outcome.replaced or failed else "", [])
    if outcome.report.rejected:
        con.execute(
            f"""INSERT INTO ops.rejects SELECT ?, coalesce(path_day, day), file, position, reason,
                replace(left(payload, {CUT}), chr(0), chr(65533))
            FROM staged_events JOIN staged_files USING (file_no) WHERE reason IS NOT NULL""",
            [name],
        )
    rows = [[day, path, None, UNREADABLE, problem] for path, day, problem in outcome.failed]
    _replace(con, "ops.rejects", name, "", rows)


def _write_notes(con: Con, outcome: Outcome) -> None:
    name = outcome.source_name
    files = [*outcome.renewed, *outcome.gone]
    stale = f"list_contains({_names(files)}, file)" if files else ""
    _replace(con, "ops.files", name, stale, [list(vars(note).values()) for note in outcome.renewed.values()])
    stale = f"(file IN {REPLACED} OR list_contains({_names(outcome.filled)}, path))"
    _replace(con, "ops.uncast", name, stale if outcome.replaced or outcome.filled else "", outcome.uncast)
    read = [*outcome.read, *outcome.gone]
    stale = f"list_contains({_names(read)}, file)" if read else ""
    _replace(con, "ops.transformed", name, stale, outcome.transformed)
    if outcome.types != notes.pinned_types(con, name):
        _replace(con, "ops.columns", name, "true", list(outcome.types.items()))
    progress.record(con, notes.rows_step(name), outcome.versions, outcome.emptied)
    progress.record(con, notes.files_step(name), outcome.marks)


def _replace(con: Con, table: str, source_name: str, stale: str, rows: Sequence[Sequence[Any]]) -> None:
    if stale:
        con.execute(f"DELETE FROM {table} WHERE source = ? AND {stale}", [source_name])
    if rows:
        columns = list(zip(*rows, strict=True))
        con.execute(f"INSERT INTO {table} SELECT ?, {', '.join(['unnest(?)'] * len(columns))}", [source_name, *columns])


def _names(names: Sequence[str]) -> str:
    return f"[{', '.join(map(tables.literal, names))}]::VARCHAR[]"
