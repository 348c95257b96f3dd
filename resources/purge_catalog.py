"""The SQLite catalogue without what is gone: dead inlined rows, column statistics of them, free pages, its WAL."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from resources.lake import Lake

ORDER = {"int64": "INTEGER", "int32": "INTEGER", "float64": "REAL", "float32": "REAL"}
AS_TEXT = ("varchar", "date", "timestamp", "boolean")
INLINED = re.compile(r"ducklake_inlined_data_(\d+)_\d+")
BUSY = "the catalogue is in use, so its write-ahead log could not be emptied; close other programs and run it again"
ELSEWHERE = (
    "the catalogue is not SQLite: its dead inlined rows, column statistics, free space and logs are left to its own "
    "tools (for Postgres: VACUUM FULL, and the archived WAL)"
)


def scrub_catalog(lake: Lake) -> tuple[dict[str, int], list[str]]:
    """Clean the catalogue of a lake that keeps it in its folder; what was done, and what was not and why."""
    path = Path(lake.root) / "catalog.sqlite"
    if lake.catalog:
        return {}, [ELSEWHERE]
    with lake.locked(), closing(sqlite3.connect(path, timeout=30, isolation_level=None)) as db:
        db.execute("PRAGMA secure_delete = ON")
        db.execute("BEGIN IMMEDIATE")
        done = {"inlined_rows": drop_dead_rows(db), "statistics": renew_statistics(db)}
        # other connections keep statistics in memory for as long as this number stays
        db.execute(
            "UPDATE ducklake_snapshot SET next_file_id = next_file_id + 1 "
            "WHERE snapshot_id = (SELECT max(snapshot_id) FROM ducklake_snapshot)"
        )
        db.execute("COMMIT")
        db.execute("VACUUM")
        busy = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return done, [BUSY] if busy else []


def drop_dead_rows(db: sqlite3.Connection) -> int:
    """Delete inlined rows that no living snapshot has, and entries about files and tables that are gone."""
    oldest = db.execute("SELECT min(snapshot_id) FROM ducklake_snapshot").fetchone()[0]
    living = {row[0] for row in db.execute("SELECT table_id FROM ducklake_table")}
    dropped = 0
    for table, number in inlined_tables(db):
        dead = f"end_snapshot <= {int(oldest)}" if number in living else "true"
        dropped += db.execute(f'DELETE FROM "{table}" WHERE {dead}').rowcount
    files, columns = "SELECT data_file_id FROM ducklake_data_file", "SELECT table_id, column_id FROM ducklake_column"
    db.execute(f"DELETE FROM ducklake_file_column_stats WHERE data_file_id NOT IN ({files})")
    for name in ("ducklake_table_column_stats", "ducklake_file_column_stats"):
        db.execute(f"DELETE FROM {name} WHERE (table_id, column_id) NOT IN ({columns})")
    return dropped


def renew_statistics(db: sqlite3.Connection) -> int:
    """Set the least and greatest value of each column to those of what is left; how many were others.

    They are never just emptied: DuckLake takes a column without them for one without values, and finds no rows.
    """
    columns = db.execute(
        """SELECT s.table_id, s.column_id, c.column_name, c.column_type, c.parent_column, s.min_value, s.max_value
        FROM ducklake_table_column_stats s JOIN ducklake_column c ON c.table_id = s.table_id
            AND c.column_id = s.column_id AND c.end_snapshot IS NULL
        WHERE s.min_value IS NOT NULL OR s.max_value IS NOT NULL"""
    ).fetchall()
    inlined = inlined_tables(db)
    changed = 0
    for table, column, name, type_, parent, *old in columns:
        if type_ not in ORDER and type_ not in AS_TEXT:
            continue
        tables = [] if parent else [t for t, number in inlined if number == table and name in columns_of(db, t)]
        new = extremes(db, table, column, type_, [f'SELECT "{name}" AS lo, "{name}" AS hi FROM "{t}"' for t in tables])
        if new is not None and list(new) != old:
            db.execute(
                "UPDATE ducklake_table_column_stats SET min_value = ?, max_value = ? "
                "WHERE table_id = ? AND column_id = ?",
                [*new, table, column],
            )
            changed += 1
    return changed


def extremes(
    db: sqlite3.Connection, table: int, column: int, type_: str, more: list[str]
) -> tuple[str | None, str | None] | None:
    """Least and greatest value of a column in its living files and in other SELECTs; None where a file tells none."""
    mine = f"""FROM ducklake_file_column_stats s JOIN ducklake_data_file f USING (data_file_id)
        WHERE f.end_snapshot IS NULL AND s.table_id = {int(table)} AND s.column_id = {int(column)}"""
    unknown = f"SELECT count(*) {mine} AND (min_value IS NULL OR max_value IS NULL) AND value_count > null_count"
    if db.execute(unknown).fetchone()[0]:
        return None
    both = " UNION ALL ".join([f"SELECT min_value AS lo, max_value AS hi {mine}", *more])
    found = []
    for end, way in (("lo", "ASC"), ("hi", "DESC")):
        key = f"CAST({end} AS {ORDER[type_]})" if type_ in ORDER else end
        row = db.execute(f"SELECT {end} FROM ({both}) WHERE {end} IS NOT NULL ORDER BY {key} {way} LIMIT 1").fetchone()
        found.append(None if row is None else str(row[0]))
    return found[0], found[1]


def inlined_tables(db: sqlite3.Connection) -> list[tuple[str, int]]:
    """Tables of the catalogue with inlined rows, each with the number of the lake table they belong to."""
    names = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return [(name, int(found[1])) for name in names if (found := INLINED.fullmatch(name))]


def columns_of(db: sqlite3.Connection, table: str) -> set[str]:
    """Names of the columns of a table of the catalogue."""
    return {row[1] for row in db.execute(f'PRAGMA table_info("{table}")')}
