"""Versions of records: of the rows with one key the newest counts, from the day on which it is visible.

A row is visible from the later of its load day and its event day. It is superseded from the first day on which
any later version is visible: at that day and after it another row is the newest visible one, before it none is.
So a row counts at every as_of from its visible day up to, but not including, `superseded`.
"""

from collections.abc import Collection
from datetime import date

import duckdb

from profiles_assets.events.dedupe import ORDER, in_days
from profiles_assets.events.stage import REPLACED
from resources import tables

Con = duckdb.DuckDBPyConnection
LATER = "PARTITION BY record_key ORDER BY {} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING"


def find_superseded(con: Con, table: str | None, old_days: Collection[date], *, also: str = "") -> None:
    """Find since when each staged row is superseded, and the stored rows whose day changes; after `find_repeats`.

    Only keys are looked at that a staged, replaced or flipped row has, or that the SELECT `also` gives, but in all
    partitions. Leaves the tables `event_superseded` of staged rows and `event_endings` of stored ones.
    """
    stored = table if table and "superseded" in tables.columns(con, table) else None
    keys = " UNION ".join(filter(None, [_touched(con, stored, old_days), also]))
    con.execute(f"CREATE OR REPLACE TEMP TABLE touched_keys AS {keys}")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE record_versions AS SELECT day, file, position, fresh, was, CASE
            WHEN NOT duplicate THEN min(visible) FILTER (WHERE NOT duplicate) OVER ({LATER.format(ORDER)}) END
            AS superseded FROM ({_versions(stored)})"""
    )
    kept = "day, file, position, superseded FROM record_versions WHERE"
    con.execute(f"CREATE OR REPLACE TEMP TABLE event_superseded AS SELECT {kept} fresh AND superseded IS NOT NULL")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE event_endings AS SELECT {kept} NOT fresh AND was IS DISTINCT FROM superseded"
    )


def ended_days(con: Con) -> list[date]:
    """Load days with stored rows that change the day from which they are superseded."""
    return [row[0] for row in con.execute("SELECT DISTINCT day FROM event_endings ORDER BY day").fetchall()]


def parts_sql(con: Con, table: str, days: Collection[date]) -> str:
    """SELECT of the files of some load days (day, file), each with a mark of which of its rows do not count when."""
    mark = "md5_number_lower(concat_ws(':', position, duplicate, superseded))"
    return f"""SELECT day, file, bit_xor({mark}) FILTER (WHERE duplicate OR superseded IS NOT NULL)::VARCHAR AS mark
        FROM ({_states(con, table, in_days(days))}) GROUP BY day, file"""


def _states(con: Con, table: str, here: str) -> str:
    staged = f"""SELECT day, file, position, r.position IS NOT NULL AS duplicate, superseded
        FROM staged_events JOIN staged_files USING (file_no) LEFT JOIN event_repeats r USING (day, file, position)
        LEFT JOIN event_superseded USING (day, file, position) WHERE reason IS NULL AND {here}"""
    if "superseded" not in tables.columns(con, table):
        return staged
    return f"""{staged} UNION ALL SELECT day, file, position, coalesce(f.duplicate, e.duplicate),
            CASE WHEN n.position IS NULL THEN e.superseded ELSE n.superseded END
        FROM {table} e LEFT JOIN event_flips f USING (day, file, position)
        LEFT JOIN event_endings n USING (day, file, position) WHERE file NOT IN {REPLACED} AND {here}"""


def _touched(con: Con, stored: str | None, old_days: Collection[date]) -> str:
    staged = "SELECT DISTINCT record_key FROM staged_events WHERE reason IS NULL"
    if stored is None:
        return staged
    flipped = [row[0] for row in con.execute("SELECT DISTINCT day FROM event_flips").fetchall()]
    return f"""{staged} UNION
        SELECT record_key FROM {stored} WHERE {in_days(old_days)} AND file IN {REPLACED} UNION
        SELECT record_key FROM {stored} SEMI JOIN event_flips USING (day, file, position) WHERE {in_days(flipped)}"""


def _versions(stored: str | None) -> str:
    columns = "record_key, coalesce(received, time) AS arrived, greatest(day, event_day) AS visible"
    staged = f"""SELECT day, file, position, {columns}, r.position IS NOT NULL AS duplicate, true AS fresh,
            NULL::DATE AS was FROM staged_events JOIN staged_files USING (file_no)
        LEFT JOIN event_repeats r USING (day, file, position) WHERE reason IS NULL"""
    if stored is None:
        return staged
    return f"""{staged} UNION ALL SELECT day, file, position, {columns}, coalesce(f.duplicate, e.duplicate), false,
            superseded FROM {stored} e LEFT JOIN event_flips f USING (day, file, position)
        WHERE file NOT IN {REPLACED} AND record_key IN (FROM touched_keys)"""
