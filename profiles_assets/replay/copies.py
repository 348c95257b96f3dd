"""Copies of landing files for a replay: a sample of their people, or the records up to a load day."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa

from profiles_assets.events.derive import extraction_of
from profiles_assets.events.discover import LandingFile, landing_files, local_copy
from profiles_assets.events.notes import table_of
from profiles_assets.events.read import delimiter_of, read_records
from profiles_assets.events.records import SCHEMA, batch
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from resources.lake import Lake
from resources.tables import exists, literal

Con = duckdb.DuckDBPyConnection
HASHES = 1 << 32
NOTHING = pa.table({"position": pa.array([], pa.int64())})


@dataclass(frozen=True)
class Copies:
    """Files of a project's sources in a folder of their own, to load parts of them.

    With a `share` (0 to 1) of people all sources are copied, without only those whose paths tell no load day.
    """

    project: Project
    folder: Path
    share: float | None = None

    @property
    def names(self) -> list[str]:
        """Sources that are copied."""
        sources = {name: source for name, source in self.project.sources.items() if source.files}
        return [name for name, source in sources.items() if self.share is not None or not source.by_path_day]

    @property
    def replayed(self) -> Project:
        """The project, reading the copies."""
        copied = {name: self._moved(name, self.project.sources[name]) for name in self.names}
        return replace(self.project, sources=self.project.sources | copied)

    def make(self) -> None:
        """Copy the files, or the sampled people's records in them."""
        for name in self.names:
            for number, file in enumerate(landing_files(self.project, name)):
                target = self._target(name, number, file)
                target.parent.mkdir(parents=True, exist_ok=True)
                with local_copy(file, str(self.folder)) as path:
                    if self.share is None:
                        shutil.copyfile(path, target)
                    else:
                        write_part(path, target, self.project.sources[name], self._sampled(name))

    def cut(self, lake: Lake, day: date) -> None:
        """Shorten the copies whose paths tell no load day to the records that a lake has loaded up to a day."""
        for name in self._without_days:
            (self.folder / "whole").mkdir(exist_ok=True)
            self._landing(name).rename(self.folder / "whole" / name)
            for path in sorted((self.folder / "whole" / name).iterdir()):
                target = self._landing(name) / path.name
                target.parent.mkdir(exist_ok=True)
                self._cut_file(lake, name, path, target, day)

    def restore(self) -> None:
        """Make the shortened copies whole again."""
        for name in self._without_days:
            shutil.rmtree(self._landing(name))
            (self.folder / "whole" / name).rename(self._landing(name))

    @property
    def _without_days(self) -> list[str]:
        folders = [name for name in self.names if not self.project.sources[name].by_path_day]
        return [name for name in folders if self._landing(name).exists()]

    def _landing(self, name: str) -> Path:
        return self.folder / "landing" / name

    def _moved(self, name: str, source: Source) -> Source:
        day = "{day}/" if source.by_path_day else ""
        return source.model_copy(update={"files": f"{self._landing(name)}/{day}*", "format": source.file_format})

    def _target(self, name: str, number: int, file: LandingFile) -> Path:
        folder = self._landing(name) / str(file.day) if file.day else self._landing(name)
        return folder / f"{number:06d}-{Path(file.path).name}"

    def _sampled(self, name: str) -> str:
        source = self.project.sources[name]
        if not source.ids:
            return "SELECT *, true AS keep FROM copied_records"
        extraction = extraction_of(source)
        who = extraction.first_of(source.ids.values())
        share = int((self.share or 0) * HASHES)
        hashed = f"('0x' || left(md5(coalesce({who}, text, record)), 8))::BIGINT"
        return f"SELECT *, {hashed} < {share} AS keep FROM (SELECT *, {extraction.sql} AS v FROM copied_records)"

    def _cut_file(self, lake: Lake, name: str, path: Path, target: Path, day: date) -> None:
        with lake.get_connection() as con:
            query = f"SELECT position FROM {table_of(name)} WHERE file = ? AND day <= ?"
            given = [str(self._landing(name) / path.name), day]
            kept = con.sql(query, params=given).to_arrow_table() if exists(con, table_of(name)) else NOTHING
        keep = "position IN (SELECT position FROM kept_positions)"
        select = f"SELECT *, {keep} AS keep FROM copied_records"
        write_part(str(path), target, self.project.sources[name], select, {"kept_positions": kept})


def write_part(path: str, target: Path, source: Source, select: str, also: dict[str, pa.Table] | None = None) -> None:
    """Write those records of a local file for which a SELECT over `copied_records` says `keep`, in the same format."""
    with closing(duckdb.connect(config={"threads": 1})) as con:
        for name, table in (also or {}).items():
            con.register(name, table)
        stream = pa.RecordBatchReader.from_batches(SCHEMA, _batches(path, target.name, source))
        con.register("copied_records", stream)
        con.execute(
            f"CREATE TEMP TABLE kept AS SELECT position, coalesce(text, record) AS text FROM ({select}) WHERE keep"
        )
        match source.file_format:
            case "jsonl":
                _write_lines(con, target)
            case "csv":
                _write_csv(con, target, delimiter_of(target.name, source))
            case "parquet":
                _write_parquet(con, path, target)


def _batches(path: str, name: str, source: Source) -> Iterator[pa.RecordBatch]:
    return (batch(0, None, records) for records in read_records(path, name, source))


def _write_lines(con: Con, target: Path) -> None:
    packed = ", COMPRESSION gzip" if target.name.endswith(".gz") else ""
    # neither a delimiter nor quotes: each record is one line as it is
    form = f"FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER {literal(chr(1))}{packed}"
    con.execute(f"COPY (SELECT text FROM kept ORDER BY position) TO {literal(str(target))} ({form})")


def _write_csv(con: Con, target: Path, delimiter: str) -> None:
    row = con.execute("SELECT json_keys(text) FROM kept WHERE json_valid(text) ORDER BY position LIMIT 1").fetchone()
    names = row[0] if row else ["nothing"]
    packed = ", COMPRESSION gzip" if target.name.endswith(".gz") else ""
    pointers = [literal("/" + name.replace("~", "~0").replace("/", "~1")) for name in names]
    cells = ", ".join(f'v[{at}] AS "{name.replace(chr(34), chr(34) * 2)}"' for at, name in enumerate(names, 1))
    con.execute(
        f"""COPY (SELECT {cells} FROM (SELECT position, json_extract_string(text, [{", ".join(pointers)}]) AS v
            FROM kept WHERE json_valid(text)) ORDER BY position)
        TO {literal(str(target))} (FORMAT csv, HEADER true, DELIMITER {literal(delimiter)}{packed})"""
    )


def _write_parquet(con: Con, path: str, target: Path) -> None:
    con.execute(
        f"""COPY (SELECT * EXCLUDE file_row_number FROM read_parquet({literal(path)}, file_row_number = true)
            WHERE file_row_number + 1 IN (SELECT position FROM kept)) TO {literal(str(target))} (FORMAT parquet)"""
    )
