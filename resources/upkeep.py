"""Upkeep of a lake in use: old snapshots expire, small files are merged, and what nobody can read any more goes.

The newest publication, those that are retained, the states from which steps move on, and files that a running step
or reader may have open, stay.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb

from resources.lake import Lake, snapshot_number, transaction
from resources.purge import data_bytes, flush_inlined, open_files
from resources.purge_catalog import scrub_catalog

Con = duckdb.DuckDBPyConnection
GRACE = timedelta(hours=6)
MOMENT = timedelta(minutes=1)
DEAD_SHARE = 0.2
KEPT = """
    SELECT entity, as_of, snapshot FROM (
        SELECT entity, as_of, snapshot, s.snapshot_time,
            lead(s.snapshot_time) OVER (PARTITION BY entity ORDER BY snapshot) AS superseded,
            max(as_of) OVER (PARTITION BY entity) AS newest,
            row_number() OVER (PARTITION BY entity, as_of ORDER BY snapshot DESC) AS of_day
        FROM ops.publications JOIN ducklake_snapshots('lake') s ON s.snapshot_id = snapshot)
    WHERE superseded IS NULL OR superseded > $used_since OR (of_day = 1 AND as_of > newest - $retain::INTEGER)"""


@dataclass
class UpkeepReport:
    """What a clean-up did: numbers of snapshots, files and bytes; `skipped` says what was left, and why."""

    snapshots_expired: int = 0
    snapshots_kept: int = 0
    files_merged: int = 0
    files_rewritten: int = 0
    files_removed: int = 0
    bytes_before: int = 0
    bytes_after: int = 0
    tables_dropped: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        """The report as plain values."""
        return asdict(self)


def cleanup(
    lake: Lake, retain: int = 7, grace: timedelta = GRACE, on_step: Callable[[str], None] = lambda _: None
) -> UpkeepReport:
    """Expire, merge, rewrite and remove; each part may be cut short and done again.

    `retain` is a number of days of as_of; nothing goes that was in use less than `grace` ago.
    """
    report = UpkeepReport(bytes_before=data_bytes(lake))
    used_since = datetime.now(UTC) - grace
    on_step("expiring old snapshots")
    report.snapshots_expired, report.snapshots_kept = expire(lake, retain, used_since)
    on_step("merging files")
    flush_inlined(lake)
    report.files_rewritten, report.files_merged = compact(lake)
    on_step("removing files")
    report.files_removed = remove(lake, used_since if grace else datetime.now(UTC))
    on_step("cleaning the catalogue")
    report.skipped = scrub_catalog(lake)[1]
    report.bytes_after = data_bytes(lake)
    return report


def expire(lake: Lake, retain: int, used_since: datetime) -> tuple[int, int]:
    """Forget the snapshots that no reader is to have any more; numbers of those expired and kept."""
    with lake.get_connection() as con, lake.locked():
        newest = snapshot_number(con)
        con.execute(f"CREATE OR REPLACE TEMP TABLE kept AS {KEPT}", {"retain": retain, "used_since": used_since})
        gone = "FROM ops.publications ANTI JOIN kept USING (entity, snapshot)"
        if con.execute(f"SELECT count(*) {gone}").fetchone() != (0,):
            with transaction(con):
                con.execute(
                    "DELETE FROM ops.publications WHERE (entity, snapshot) NOT IN (SELECT (entity, snapshot) FROM kept)"
                )
        old = con.execute(
            """SELECT list(snapshot_id) FROM ducklake_snapshots('lake')
            WHERE snapshot_id < ? AND snapshot_id NOT IN (SELECT snapshot FROM kept)
            AND snapshot_id NOT IN (SELECT version::BIGINT FROM ops.progress WHERE partition = 'snapshot')""",
            [newest],
        ).fetchone()
        versions = old[0] if old and old[0] else []
        if versions:
            con.execute(f"CALL ducklake_expire_snapshots('lake', versions => {versions})")
        left = con.execute("SELECT count(*) FROM ducklake_snapshots('lake')").fetchone()
        return len(versions), int(left[0]) if left else 0


def compact(lake: Lake) -> tuple[int, int]:
    """Rewrite files of which much is deleted and merge small ones; numbers of files rewritten and merged."""
    with lake.get_connection() as con:
        with lake.locked():
            rewritten = con.execute(
                f"CALL ducklake_rewrite_data_files('lake', delete_threshold => {DEAD_SHARE})"
            ).fetchall()
        with lake.locked():
            merged = con.execute("CALL ducklake_merge_adjacent_files('lake')").fetchall()
    return sum(int(row[2]) for row in rewritten), sum(int(row[2]) for row in merged)


def remove(lake: Lake, used_since: datetime) -> int:
    """Remove files that no snapshot has, and spilled data of ended processes, unless younger; how many."""
    # in a SQLite catalogue DuckLake compares moments as texts in two forms, which is right for whole days only
    days = used_since - timedelta(days=1) if used_since < datetime.now(UTC) - MOMENT else used_since
    with lake.get_connection() as con, lake.locked():
        old = con.execute(f"CALL ducklake_cleanup_old_files('lake', older_than => {_moment(days)})").fetchall()
        lost = con.execute(
            f"CALL ducklake_delete_orphaned_files('lake', older_than => {_moment(used_since)})"
        ).fetchall()
    return len(old) + len(lost) + _remove_spill(Path(lake.root) / "spill", used_since)


def _moment(when: datetime) -> str:
    return f"TIMESTAMPTZ '{when.isoformat()}'"


def _remove_spill(folder: Path, used_since: datetime) -> int:
    files = [path for path in folder.rglob("*") if path.is_file()] if folder.exists() else []
    old = [path for path in files if path.stat().st_mtime < used_since.timestamp()]
    busy = open_files() if old else set()
    lost = [path for path in old if str(path.resolve()) not in busy]
    for path in lost:
        path.unlink(missing_ok=True)
    return len(lost)
