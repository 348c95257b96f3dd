"""Sources that are SQL tables: rows that are new by a watermark column, as files that a load then applies.

The lake keeps how far a table was read, and hashes of the rows within the overlap before that, in the same
transaction as the rows: so late rows within the overlap are found, and nothing is there twice.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
from filelock import FileLock

from profiles_assets.events.discover import TABLES
from profiles_assets.events.table_database import ROW, opened, watermark_kind
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from resources import progress, tables
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection
STATE, ROWS = "ops.watermarks", "ops.extracted"
COLUMNS = {
    STATE: "source VARCHAR, watermark VARCHAR, batches BIGINT, origin VARCHAR",
    ROWS: "source VARCHAR, row VARCHAR, copies BIGINT",
}


@dataclass(frozen=True)
class State:
    """How far a table was read: the greatest watermark as text, the number of batches, and rows in the overlap."""

    watermark: str | None
    batches: int
    rows: pa.Table

    @property
    def is_new(self) -> bool:
        """True when nothing was read yet."""
        return self.batches == 0


@dataclass(frozen=True)
class Extract:
    """New rows of a table: how many, a hash of their content, and the state after them (in `origin`'s words)."""

    rows: int
    key: str
    state: State
    origin: str


def step_name(source_name: str) -> str:
    """Step that moves whenever rows of a table were read."""
    return f"raw_tables/{source_name}"


def batch_folder(lake_root: str, source_name: str) -> Path:
    """Folder of the rows that were read and are not yet applied."""
    return Path(lake_root) / TABLES / source_name


@contextmanager
def only_reader(lake_root: str, source_name: str) -> Iterator[None]:
    """Hold the place of the one process that reads a table into a lake; leftovers of a killed one are removed."""
    folder = batch_folder(lake_root, source_name)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock", timeout=600):
        _remove_batches(folder)
        try:
            yield
        finally:
            _remove_batches(folder)


def read_new_rows(con: Con, project: Project, source_name: str, lake_root: str) -> Extract:
    """Write the rows that the lake does not have yet as a file. Raises TableError where they cannot be read."""
    source, state = project.sources[source_name], read_state(con, project.sources[source_name], source_name)
    folder = batch_folder(lake_root, source_name)
    _remove_batches(folder)
    with opened(project.root, source) as remote:
        found = stage_new_rows(remote, source, state)
        if found.rows:
            _write(remote, folder / f"{found.state.batches:08d}.jsonl")
    return found


def new_rows(con: Con, project: Project, source_name: str) -> Extract:
    """How many rows the lake does not have yet. Raises TableError where they cannot be read."""
    source = project.sources[source_name]
    state = read_state(con, source, source_name)
    with opened(project.root, source) as remote:
        return stage_new_rows(remote, source, state)


def read_state(con: Con, source: Source, source_name: str) -> State:
    """What the lake knows of a table; nothing when the source was another table before."""
    if tables.exists(con, STATE):
        query = f"SELECT watermark, batches FROM {STATE} WHERE source = ? AND origin = ?"
        if row := con.execute(query, [source_name, _origin(source)]).fetchone():
            rows = con.sql(f"SELECT row, copies FROM {ROWS} WHERE source = {literal(source_name)}").to_arrow_table()
            return State(row[0], int(row[1]), rows)
    return State(None, 0, pa.table({"row": pa.array([], pa.string()), "copies": pa.array([], pa.int64())}))


def stage_new_rows(remote: Con, source: Source, state: State) -> Extract:
    """Temporary table `new_rows` (w, text) of the rows of the window that the state does not know."""
    column, kind = quote(str(source.watermark)), watermark_kind(remote, source)
    low = _low(state.watermark, kind, source.overlap)
    select = f"SELECT {column} AS w, to_json(t)::VARCHAR AS text FROM {ROW} AS t"
    where = [f"{column} >= {_value(low, kind)}", f"{column} IS NULL"] if low is not None else ["true"]
    window = " UNION ALL ".join(f"{select} WHERE {one}" for one in where)
    remote.register("known_rows", state.rows)
    remote.execute(f"CREATE OR REPLACE TEMP TABLE window_rows AS SELECT *, md5(text) AS row FROM ({window})")
    remote.execute(
        """CREATE OR REPLACE TEMP TABLE new_rows AS
        SELECT w, text, row FROM window_rows LEFT JOIN known_rows USING (row)
        QUALIFY row_number() OVER (PARTITION BY row) > coalesce(copies, 0)"""
    )
    count, key, newest = remote.execute(
        "SELECT count(*), md5(coalesce(string_agg(row, '' ORDER BY row), '')), "
        "(SELECT max(w)::VARCHAR FROM window_rows) FROM new_rows"
    ).fetchone() or (0, "", None)
    watermark = newest if newest is not None else state.watermark
    low = _low(watermark, kind, source.overlap)
    kept = f"w >= {_value(low, kind)} OR w IS NULL" if low is not None else "true"
    rows = remote.sql(f"SELECT row, count(*) AS copies FROM window_rows WHERE {kept} GROUP BY row").to_arrow_table()
    batches = state.batches + (count > 0)
    return Extract(int(count), str(key), State(watermark, batches, rows), _origin(source))


def write_state(con: Con, source_name: str, found: Extract) -> None:
    """Note how far the table is read, in the transaction of its rows; nothing where there were none."""
    if not found.rows:
        return
    for name, columns in COLUMNS.items():
        con.execute(f"CREATE TABLE IF NOT EXISTS {name} ({columns})")
        con.execute(f"DELETE FROM {name} WHERE source = ?", [source_name])
    state = found.state
    con.execute(f"INSERT INTO {STATE} VALUES (?, ?, ?, ?)", [source_name, state.watermark, state.batches, found.origin])
    con.register("rows_read", state.rows)
    con.execute(f"INSERT INTO {ROWS} SELECT ?, row, copies FROM rows_read", [source_name])
    con.unregister("rows_read")
    progress.record(con, step_name(source_name), {"all": f"{state.batches}-{found.key}"})


def _origin(source: Source) -> str:
    return f"{source.table} by {source.watermark}"


def _low(watermark: str | None, kind: str, overlap: int) -> str | None:
    """Watermark from which rows are read again: the greatest one less the overlap."""
    if watermark is None:
        return None
    if kind == "whole":
        return str(int(watermark) - overlap)
    if kind == "date":
        return str(date.fromisoformat(watermark) - timedelta(days=-(-overlap // 86_400)))
    moment = datetime.fromisoformat(re.sub(r"([+-]\d\d)$", r"\1:00", watermark))
    return str(moment - timedelta(seconds=overlap))


def _value(text: str | None, kind: str) -> str:
    types = {"whole": "", "date": "DATE ", "moment": "TIMESTAMP ", "zoned": "TIMESTAMPTZ "}
    return str(text) if kind == "whole" else f"{types[kind]}{literal(str(text))}"


def _write(remote: Con, file: Path) -> None:
    fresh = file.with_suffix(".fresh")
    form = f"FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER {literal(chr(1))}"  # each record a line as it is
    remote.execute(f"COPY (SELECT text FROM new_rows ORDER BY w NULLS FIRST, text) TO {literal(str(fresh))} ({form})")
    fresh.replace(file)


def _remove_batches(folder: Path) -> None:
    for path in [*folder.glob("*.jsonl"), *folder.glob("*.fresh")]:
        path.unlink(missing_ok=True)
