"""Questions about loaded events: how far they reach, and whether no record was lost."""

from datetime import date

import duckdb

from profiles_assets.events import notes
from profiles_assets.project.project import Project
from resources import tables

Con = duckdb.DuckDBPyConnection


def newest_day(con: Con, project: Project) -> date | None:
    """Newest load day with rows, over all sources: the default as_of. Rejects never move it."""
    steps = [notes.rows_step(name) for name in project.sources]
    row = con.execute("SELECT max(partition) FROM ops.progress WHERE list_contains(?, step)", [steps]).fetchone()
    return date.fromisoformat(row[0]) if row and row[0] else None


def reconcile(con: Con, source: str) -> dict[str, int]:
    """Numbers of a source that must agree: records = rows + rejects + suppressed, by the notes and by counting.

    Rejects of files that could not be read are not in it: those files have not been applied.
    """
    noted = {"records": 0, "loaded": 0, "rejected": 0, "duplicates": 0, "suppressed": 0, "rejects": 0}
    if have := tables.columns(con, "ops.files"):
        sums = ", ".join(
            f"coalesce(sum({name}), 0)::BIGINT" if name in have else "0" for name in noted if name != "rejects"
        )
        rejects = "(SELECT count(*) FROM ops.rejects WHERE source = $1 AND position IS NOT NULL)"
        row = con.execute(f"SELECT {sums}, {rejects} FROM ops.files WHERE source = $1", [source]).fetchone()
        noted = dict(zip(noted, row or (), strict=True))
    return noted | _counted(con, notes.table_of(source))


def _counted(con: Con, table: str) -> dict[str, int]:
    if not tables.exists(con, table):
        return {"rows": 0, "flagged": 0}
    row = con.execute(f"SELECT count(*), count(*) FILTER (duplicate) FROM {table}").fetchone() or (0, 0)
    return {"rows": row[0], "flagged": row[1]}
