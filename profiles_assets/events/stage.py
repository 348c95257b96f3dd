"""Records of changed files as rows in temporary tables: read from the files, or again from stored payloads."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from profiles_assets.events.derive import JUDGED_BY_DEFINITION, rows_sql
from profiles_assets.events.lines import CUT
from profiles_assets.events.notes import table_of
from profiles_assets.events.read import Reading, read_all
from profiles_assets.events.records import SCHEMA, coalesced
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from resources import tables

Con = duckdb.DuckDBPyConnection
REPLACED = "(SELECT file FROM staged_files WHERE replaced)"


@dataclass(frozen=True)
class Staging:
    """Puts records of one source into the temporary tables `staged_files` and `staged_events`.

    A staged event with a `reason` is a reject; its properties are still text.
    """

    con: Con
    project: Project
    source_name: str
    paths: Sequence[str]

    @property
    def source(self) -> Source:
        """The source whose records are staged."""
        return self.project.sources[self.source_name]

    def list_files(self, files: Iterable[tuple[int, str, date | None]]) -> None:
        """Create `staged_files` with the number, path and load day of each file."""
        columns = "file_no INTEGER, file VARCHAR, path_day DATE, replaced BOOLEAN DEFAULT false"
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE staged_files ({columns})")
        numbers, paths, days = ([file[i] for file in files] for i in range(3))
        self.con.execute(
            "INSERT INTO staged_files SELECT unnest(?::INTEGER[]), unnest(?::VARCHAR[]), unnest(?::DATE[]), false",
            [numbers, paths, days],
        )

    def read(self, readings: Sequence[Reading], folder: str, on_file: Callable[[Reading], None]) -> None:
        """Create `staged_events` from files; nothing stays of a file that could not be read to its end."""
        stream = read_all(readings, self.source, folder, on_file)
        self.con.register("landing_records", pa.RecordBatchReader.from_batches(SCHEMA, coalesced(stream)))
        try:
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE staged_events AS {self.rows('landing_records')}")
        finally:
            self.con.unregister("landing_records")
        failed = [r.file_no for r in readings if not r.applied]
        if failed:
            self.con.execute("DELETE FROM staged_events WHERE list_contains(?, file_no)", [failed])

    def derive_again(self, file_numbers: Sequence[int]) -> None:
        """Add the records of applied files to `staged_events` from what the lake stores of them."""
        if not file_numbers:
            return
        kept = ", ".join(tables.literal(reason) for reason in JUDGED_BY_DEFINITION)
        again = f"reason IN ({kept}) AND length(record) < {CUT}"
        stored = f"""(
            SELECT file_no, path_day, position, payload AS text, NULL AS record, NULL AS reason
            FROM {table_of(self.source_name)} JOIN staged_files USING (file) WHERE list_contains(?, file_no)
            UNION ALL
            SELECT file_no, path_day, position, CASE WHEN {again} THEN record END AS text, record,
                CASE WHEN {again} THEN NULL ELSE reason END AS reason
            FROM ops.rejects JOIN staged_files USING (file)
            WHERE source = ? AND position IS NOT NULL AND list_contains(?, file_no)
        )"""
        values = [list(file_numbers), self.source_name, list(file_numbers)]
        self.con.execute(f"INSERT INTO staged_events {self.rows(stored)}", values)

    def mark_replaced(self, file_numbers: Sequence[int]) -> None:
        """Mark the files whose rows in the lake give way to the staged ones."""
        self.con.execute("UPDATE staged_files SET replaced = list_contains(?, file_no)", [list(file_numbers)])

    def rows(self, records: str) -> str:
        """SQL of the rows and rejects of a relation of records."""
        return rows_sql(self.project, self.source, self.paths, records)
