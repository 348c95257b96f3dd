"""Checks on the raw events: no record is lost, and not too many are rejected."""

from collections.abc import Collection
from datetime import date
from typing import Any

import duckdb

from profiles_assets.events.arrivals import applied_signatures
from profiles_assets.events.discover import landing_files
from profiles_assets.events.load import reconcile
from profiles_assets.events.table_source import new_rows
from profiles_assets.project.project import Project
from resources.lake import Lake
from resources.tables import exists

Con = duckdb.DuckDBPyConnection
Found = tuple[bool, dict[str, Any]]


def records_reconcile(con: Con, source: str) -> Found:
    """Whether the records of all applied files are rows, rejects or suppressed, and nothing else is."""
    found = reconcile(con, source)
    return found["records"] == found["rows"] + found["rejects"] + found["suppressed"], found


def everything_is_applied(lake: Lake, project: Project, source: str, days: Collection[date]) -> Found:
    """Whether all that lies in a source, of these load days or of none that its path tells, is applied as it is now.

    Files that cannot be read are told among the rejects.
    """
    if project.sources[source].table:
        with lake.get_connection() as con:
            rows = new_rows(con, project, source).rows
        return not rows, {"rows_not_applied": rows}
    known, wanted = applied_signatures(lake, source), {*days, None}
    lying = [file for file in landing_files(project, source) if file.day in wanted]
    waiting = [file.path for file in lying if known.get(file.path) != file.signature]
    return not waiting, {"files": len(lying), "files_not_applied": len(waiting), "first": min(waiting, default="")}


def rejects_within_share(con: Con, source: str, share: float) -> Found:
    """Whether no more than a share of all records of a source are rejects."""
    if not exists(con, "ops.files"):
        return True, {"records": 0, "rejected": 0}
    row = con.execute(
        "SELECT coalesce(sum(records), 0)::BIGINT, coalesce(sum(rejected), 0)::BIGINT FROM ops.files WHERE source = ?",
        [source],
    ).fetchone()
    assert row is not None
    records, rejected = row
    return rejected <= share * records, {"records": records, "rejected": rejected, "declared_share": share}
