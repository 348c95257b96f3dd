"""Checks on the raw events: no record is lost, and not too many are rejected."""

from typing import Any

import duckdb

from profiles_assets.events.load import reconcile
from resources.tables import exists

Con = duckdb.DuckDBPyConnection
Found = tuple[bool, dict[str, Any]]


def records_reconcile(con: Con, source: str) -> Found:
    """Whether the records of all applied files are rows, rejects or suppressed, and nothing else is."""
    found = reconcile(con, source)
    return found["records"] == found["rows"] + found["rejects"] + found["suppressed"], found


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
