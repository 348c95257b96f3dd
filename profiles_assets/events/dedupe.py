"""Repeated events: an event id that arrived earlier in the same load day or in the seven days before it."""

from collections.abc import Collection, Iterable
from datetime import date, timedelta

import duckdb

from profiles_assets.events.stage import REPLACED
from profiles_assets.project.sources import Source

Con = duckdb.DuckDBPyConnection
LOOK_BACK = 7
ORDER = "day, arrived, file, position"


def around(days: Iterable[date], before: int, after: int) -> list[date]:
    """The days and their neighbours up to some days before and after, sorted."""
    return sorted({day + timedelta(days=n) for day in days for n in range(-before, after + 1)})


def in_days(days: Iterable[date], column: str = "day") -> str:
    """SQL condition that a day is one of these."""
    listed = ", ".join(f"DATE '{day}'" for day in days)
    return f"{column} IN ({listed})" if listed else "false"


def find_repeats(con: Con, source: Source, table: str | None, changed: Collection[date]) -> None:
    """Find what is a duplicate, and which stored rows change that flag, once the staged rows are in.

    Leaves the view `event_arrivals` of all rows around the changed days, the table `event_repeats` of those
    that are duplicates, and `event_flips` of stored rows with their new flag.
    """
    checked = in_days(around(changed, 0, LOOK_BACK))
    con.execute(f"CREATE OR REPLACE TEMP VIEW event_arrivals AS {_arrivals(source, table, changed)}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE event_repeats AS {_repeats(source, checked)}")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE event_flips AS
        SELECT day, file, a.position, r.position IS NOT NULL AS duplicate
        FROM event_arrivals a LEFT JOIN event_repeats r USING (day, file, position)
        WHERE NOT fresh AND {checked} AND was <> (r.position IS NOT NULL)"""
    )


def _arrivals(source: Source, table: str | None, changed: Collection[date]) -> str:
    columns = "position, event_id, coalesce(received, time) AS arrived"
    if source.distinct:
        columns += ", md5(payload) AS whole"
    staged = f"""SELECT day, file, {columns}, true AS fresh, false AS was
        FROM staged_events JOIN staged_files USING (file_no) WHERE reason IS NULL"""
    if table is None:
        return staged
    return f"""{staged} UNION ALL SELECT day, file, {columns}, false, duplicate FROM {table}
        WHERE {in_days(around(changed, LOOK_BACK, LOOK_BACK))} AND file NOT IN {REPLACED}"""


def _repeats(source: Source, checked: str) -> str:
    ways = []
    if source.event_id:
        seen_twice = "SELECT hash(event_id) FROM event_arrivals GROUP BY hash(event_id) HAVING count(*) > 1"
        ways.append(
            f"""SELECT day, file, position FROM event_arrivals
            WHERE event_id IS NOT NULL AND hash(event_id) IN ({seen_twice})
            QUALIFY lag(day) OVER (PARTITION BY event_id ORDER BY {ORDER}) >= day - {LOOK_BACK}"""
        )
    if source.distinct:
        ways.append(
            f"""SELECT day, file, position FROM event_arrivals
            QUALIFY row_number() OVER (PARTITION BY day, whole ORDER BY {ORDER}) > 1"""
        )
    found = " UNION ".join(ways) or "SELECT day, file, position FROM event_arrivals LIMIT 0"
    return f"SELECT day, file, position FROM ({found}) WHERE {checked}"
