"""Physical removal of what the newest state no longer has: old snapshots, dead rows, files, catalogue entries."""

import os
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from resources.lake import Lake, snapshot_number, transaction
from resources.purge_catalog import scrub_catalog
from resources.tables import quote

Con = duckdb.DuckDBPyConnection


@dataclass
class PurgeReport:
    """What a purge removed: numbers of files, snapshots and bytes; `skipped` says what was left, and why."""

    files_rewritten: dict[str, int] = field(default_factory=dict)
    snapshots_expired: int = 0
    files_removed: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    catalogue: dict[str, int] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return asdict(self)


def purge(lake: Lake, on_step: Callable[[str], None] = lambda _: None) -> PurgeReport:
    """Leave nothing but the newest state, published anew where it was published before.

    Each part may be cut short and done again. Readers of older snapshots get an error from then on.
    """
    report = PurgeReport(bytes_before=data_bytes(lake))
    on_step("rewriting files with deleted rows")
    flush_inlined(lake)
    report.files_rewritten = rewrite_files(lake)
    on_step("expiring old snapshots")
    report.snapshots_expired = expire_snapshots(lake)
    on_step("removing files")
    report.files_removed = remove_files(lake)
    report.skipped = remove_spill(Path(lake.root) / "spill")
    on_step("cleaning the catalogue")
    report.catalogue, skipped = scrub_catalog(lake)
    report.skipped += skipped
    report.bytes_after = data_bytes(lake)
    return report


def rewrite_files(lake: Lake) -> dict[str, int]:
    """Write the files anew that have deleted rows in them; number of files by table."""
    with lake.get_connection() as con:
        tables = con.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() WHERE database_name = 'lake' ORDER BY ALL"
        ).fetchall()
        found: dict[str, int] = {}
        for schema, table in tables:
            with lake.locked():
                rows = con.execute(
                    "CALL ducklake_rewrite_data_files('lake', ?, schema => ?, delete_threshold => 0)", [table, schema]
                ).fetchall()
            if rows:
                found[f"{schema}.{table}"] = sum(int(row[2]) for row in rows)
    return found


def flush_inlined(lake: Lake) -> None:
    """Put inlined rows with nested or floating columns into files.

    Only files have statistics of what is inside a nesting, and DuckLake cannot rewrite files of a table with inlined
    floating numbers.
    """
    with lake.get_connection() as con:
        tables = con.execute(
            "SELECT DISTINCT schema_name, table_name FROM duckdb_columns() JOIN duckdb_tables() t "
            "USING (database_name, schema_name, table_name) WHERE database_name = 'lake' "
            "AND regexp_matches(data_type, '\\[\\]|MAP|STRUCT|DOUBLE|FLOAT') ORDER BY ALL"
        ).fetchall()
        for schema, table in tables:
            with lake.locked():
                con.execute(
                    "CALL ducklake_flush_inlined_data('lake', schema_name => ?, table_name => ?)", [schema, table]
                )


def expire_snapshots(lake: Lake) -> int:
    """Publish the newest state where something was published, and forget all snapshots before it; how many."""
    with lake.get_connection() as con, lake.locked():
        newest = snapshot_number(con)
        con.execute("CREATE OR REPLACE TEMP TABLE published AS SELECT DISTINCT entity FROM ops.publications")
        with transaction(con):
            con.execute("DELETE FROM ops.publications")
            con.execute(
                "INSERT INTO ops.publications "
                "SELECT entity, as_of, ? FROM ops.as_of SEMI JOIN published USING (entity)",
                [newest],
            )
        old = con.execute(
            "SELECT list(snapshot_id) FROM ducklake_snapshots('lake') WHERE snapshot_id < ?", [newest]
        ).fetchone()
        versions = old[0] if old and old[0] else []
        if versions:
            con.execute(f"CALL ducklake_expire_snapshots('lake', versions => {versions})")
        return len(versions)


def remove_files(lake: Lake) -> int:
    """Remove files that no snapshot has, those that a killed writer left included; how many."""
    with lake.get_connection() as con, lake.locked():
        old = con.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)").fetchall()
        lost = con.execute("CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)").fetchall()
    return len(old) + len(lost)


def remove_spill(folder: Path) -> list[str]:
    """Remove spilled temporary data that no process has open; what is in use stays and is told."""
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
    busy = open_files() if files else set()
    for path in files:
        if str(path.resolve()) not in busy:
            path.unlink(missing_ok=True)
    used = sum(path.exists() for path in files)
    return [f"{used} files in {folder} are in use by a running process; they vanish when it ends"] if used else []


def open_files() -> set[str]:
    """Paths of the files that processes have open, as far as this user may know."""
    found = set()
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            found.add(os.readlink(link))  # noqa: PTH115
        except OSError:
            continue
    return found


def data_bytes(lake: Lake) -> int:
    """Bytes of the data files that the catalogue knows, and of a catalogue kept in the lake's folder."""
    with lake.get_connection() as con:
        row = con.execute(
            "SELECT coalesce(sum(file_size_bytes), 0)::BIGINT FROM "
            f"{quote('__ducklake_metadata_lake')}.ducklake_data_file"
        ).fetchone()
    catalogue = Path(lake.root) / "catalog.sqlite"
    return int(row[0] if row else 0) + (catalogue.stat().st_size if catalogue.exists() else 0)
