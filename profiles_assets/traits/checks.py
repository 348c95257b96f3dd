"""Checks on the trait tables."""

from typing import Any

import duckdb

from profiles_assets.identity.schema import view
from resources.tables import exists, quote

Con = duckdb.DuckDBPyConnection


def one_row_per_value(con: Con, table: str, column: str) -> tuple[bool, dict[str, Any]]:
    """Whether no two rows of a table have the same value in a column."""
    if not exists(con, table):
        return True, {"rows": 0}
    row = con.execute(f"SELECT count(*), count(DISTINCT {quote(column)}) FROM {table}").fetchone()
    assert row is not None
    return row[0] == row[1], {"rows": row[0], "different": row[1]}


def one_row_per_person(con: Con, table: str, entity: str) -> tuple[bool, dict[str, Any]]:
    """Whether the rows of a table are exactly the people in the stitched ids; before any event there are none."""
    if not exists(con, table):
        con.execute("CREATE OR REPLACE TEMP TABLE no_rows (profile_id VARCHAR)")
        table = "no_rows"
    row = con.execute(
        f"""WITH people AS (SELECT DISTINCT profile_id FROM {view(con, "stitched_ids")}
                            WHERE entity = ? AND profile_id IS NOT NULL)
        SELECT (SELECT count(*) FROM {table}), (SELECT count(DISTINCT profile_id) FROM {table}),
               (SELECT count(*) FROM people), (SELECT count(*) FROM {table} ANTI JOIN people USING (profile_id))""",
        [entity],
    ).fetchone()
    assert row is not None
    rows, distinct, people, strangers = row
    metadata = {"rows": rows, "people": people, "strangers": strangers}
    return rows == distinct == people and strangers == 0, metadata
