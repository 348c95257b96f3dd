"""Erasure in the raw events of one source: rows with the ids go or lose them, rows and rejects that tell them too."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.events import apply, dedupe, notes, versions
from profiles_assets.events.derive import extraction_of
from profiles_assets.events.normalised import stage_normalised
from profiles_assets.events.stage import Staging
from profiles_assets.events.summary import uncast_values
from profiles_assets.events.suppress import REJECT_TEXT, clean_hits
from profiles_assets.events.suppression import ERASE
from profiles_assets.identity.erasure_texts import stage_patches, told_sql
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from resources.tables import columns, exists, literal, quote

Con = duckdb.DuckDBPyConnection
ROW = "day, file, position"


@dataclass(frozen=True)
class Touched:
    """What an erasure finds in a source: numbers of rows, the load days they are in, and the files they came from.

    `deleted` rows are gone, `cleaned` ones stay without what is personal; `redone` are days in which more changes.
    """

    source: str
    number: int
    deleted: int = 0
    cleaned: int = 0
    rejects: int = 0
    days: Sequence[date] = ()
    redone: frozenset[date] = frozenset()
    emptied: frozenset[date] = frozenset()
    files: Sequence[str] = ()
    values: frozenset[str] = field(default=frozenset(), repr=False)

    def staged(self, what: str) -> str:
        """Name of a temporary table of this source."""
        return f"erased_{what}_{self.number}"


def stage_events(con: Con, project: Project, name: str, mode: str, number: int) -> Touched | None:
    """Find all of a source that is to go or to be cleaned, in temporary tables; None when it was never loaded.

    Needs the table `erased_ids`. Rows of a model are made anew from what is left, so they need no search for texts.
    """
    source, table = project.sources[name], notes.table_of(name)
    if not exists(con, table):
        return None
    staging = Staging(con, project, name, list(notes.pinned_types(con, name)))
    touched = Touched(name, number)
    values = _stage_hits(con, source, table, texts=not source.model)
    _stage_reject_hits(staging, values)
    _derive_hits(staging, mode)
    con.execute(f"CREATE OR REPLACE TEMP VIEW remaining_rows AS FROM {table} ANTI JOIN hit_rows USING ({ROW})")
    days = [row[0] for row in con.execute("SELECT DISTINCT day FROM hit_rows ORDER BY day").fetchall()]
    dedupe.find_repeats(con, source, "remaining_rows", days)
    if source.kind == "records":
        keys = "SELECT record_key FROM hit_rows WHERE record_key IS NOT NULL"
        versions.find_superseded(con, "remaining_rows", [], also=keys)
    apply.create_view(con, project, source, notes.pinned_types(con, name))
    _keep(con, touched, source)
    return _described(con, touched, table, days, values)


def _stage_hits(con: Con, source: Source, table: str, *, texts: bool) -> frozenset[str]:
    """Temporary table `hit_rows` of stored rows: `own` ones have an id, the others only tell one, as `patch` says.

    Returns the values to look for in texts: the ids as they are known, and as records wrote them.
    """
    have = columns(con, table)
    types = [t for t in source.ids if f"id_{t}" in have]
    key = "record_key" if "record_key" in have else "NULL::VARCHAR AS record_key"
    ids = ", ".join(quote(f"id_{t}") for t in types)
    kept = f"{ROW}, event_id, {key}, payload, duplicate"
    own = " OR ".join(f"{quote(f'id_{t}')} IN {_values(t)}" for t in types) or "false"
    con.execute(f"CREATE OR REPLACE TEMP TABLE own_rows AS SELECT {kept}, {ids} FROM {table} WHERE {own}")
    values = {row[0] for row in con.execute("SELECT DISTINCT value FROM erased_ids").fetchall()}
    values |= _as_written(con, source, types)
    told = told_sql("payload", sorted(values)) if texts else "false"
    others = f"SELECT {kept} FROM {table} WHERE {told} AND NOT coalesce({own}, false)"
    con.execute(f"CREATE OR REPLACE TEMP TABLE mentioning AS {others}")
    stage_patches(con, sorted(values))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE hit_rows AS
        SELECT * {f"EXCLUDE ({ids})" if ids else ""}, true AS own, NULL::VARCHAR AS patch FROM own_rows UNION ALL
        SELECT m.*, false, patch FROM mentioning m JOIN patches USING (file, position)"""
    )
    return frozenset(values)


def _as_written(con: Con, source: Source, types: Sequence[str]) -> set[str]:
    extraction = extraction_of(source)
    raw = {t: extraction.take(source.ids[t]) for t in types}
    found = set()
    for id_type, text in raw.items():
        rows = con.execute(
            f"""SELECT DISTINCT trim({text}) FROM (SELECT *, {extraction.sql} AS v FROM
                (SELECT *, payload AS text FROM own_rows WHERE {quote(f"id_{id_type}")} IN {_values(id_type)}))
            WHERE trim({text}) <> ''"""
        ).fetchall()
        found |= {row[0] for row in rows}
    return found


def _stage_reject_hits(staging: Staging, values: frozenset[str]) -> None:
    """Temporary table `reject_hits` of rejects with such an id, or that tell one of the values."""
    con, source, name = staging.con, staging.source, staging.source_name
    con.execute(
        """CREATE OR REPLACE TEMP TABLE reject_records AS
        SELECT *, row_number() OVER (ORDER BY file, position, reason, record) AS number
        FROM ops.rejects WHERE source = ?""",
        [name],
    )
    records = """(SELECT 0 AS file_no, day AS path_day, number AS position, CASE WHEN json_valid(record) THEN record
        END AS text, NULL::VARCHAR AS record, NULL::VARCHAR AS reason FROM reject_records WHERE position IS NOT NULL)"""
    own = " OR ".join(f"{quote(f'id_{t}')} IN {_values(t)}" for t in source.ids) or "false"
    told = told_sql("record", sorted(values))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE reject_hits AS
        WITH own AS (SELECT position AS number FROM ({staging.rows(records)}) WHERE {own})
        SELECT r.*, own.number IS NOT NULL AS own FROM reject_records r LEFT JOIN own USING (number)
        WHERE own.number IS NOT NULL OR {told}"""
    )


def _derive_hits(staging: Staging, mode: str) -> None:
    """Stage the rows found as the load would, and clean them: `staged_events` is what stays of them."""
    con, records = staging.con, staging.source.kind == "records"
    files = con.execute(
        """SELECT row_number() OVER (ORDER BY file) - 1, file, n.day FROM (SELECT DISTINCT file FROM hit_rows)
        LEFT JOIN (FROM ops.files WHERE source = ?) n USING (file) ORDER BY file""",
        [staging.source_name],
    ).fetchall()
    staging.list_files(files)
    stored = """(SELECT file_no, path_day, position, payload AS text, NULL::VARCHAR AS record, NULL::VARCHAR AS reason
        FROM hit_rows JOIN staged_files USING (file))"""
    con.execute(f"CREATE OR REPLACE TEMP TABLE staged_events AS {staging.rows(stored)}")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE staged_hits AS SELECT file_no, position, patch,
            CASE WHEN own THEN '{ERASE if records else mode}' WHEN patch IS NULL OR {records} THEN '{ERASE}' END AS mode
        FROM hit_rows JOIN staged_files USING (file)"""
    )
    _count_aside(staging, "before")
    clean_hits(staging, staging.paths)
    _count_aside(staging, "after")


def _count_aside(staging: Staging, when: str) -> None:
    """Temporary tables of what else is counted of the staged rows: values without their type, ids normalised."""
    con = staging.con
    stage_normalised(con, staging.source)
    con.execute(f"CREATE OR REPLACE TEMP TABLE normalised_{when} AS FROM staged_normalised")
    con.execute(f"CREATE OR REPLACE TEMP TABLE uncast_{when} (day DATE, file VARCHAR, path VARCHAR, rows BIGINT)")
    con.execute("CREATE OR REPLACE TEMP TABLE event_fill (day DATE, file VARCHAR)")
    types = notes.pinned_types(con, staging.source_name)
    if rows := list(uncast_values(con, types, staging.project.timezone, [])):
        con.executemany(f"INSERT INTO uncast_{when} VALUES (?, ?, ?, ?)", rows)


def _keep(con: Con, touched: Touched, source: Source) -> None:
    """Keep what was staged under names of this source, until the transaction that writes."""
    selects = {
        "hits": "FROM hit_rows",
        "rows": "FROM event_rows",
        "rejects": f"""SELECT coalesce(path_day, day) AS day, file, position, reason,
            {REJECT_TEXT.format("payload")} AS record
            FROM staged_events JOIN staged_files USING (file_no) WHERE reason IS NOT NULL""",
        "old_rejects": "FROM reject_hits",
        "flips": "FROM event_flips",
        "endings": "FROM event_endings" if source.kind == "records" else "FROM event_flips LIMIT 0",
        "uncast": _less("uncast", "day, file, path", "rows"),
        "normalised": _less("normalised", "day, file, id_type", "changed", "filtered"),
    }
    for what, select in selects.items():
        con.execute(f"CREATE OR REPLACE TEMP TABLE {touched.staged(what)} AS {select}")


def _less(what: str, key: str, *counts: str) -> str:
    """SELECT of how much less there is to count after cleaning than before."""
    sums = ", ".join(f"sum(sign * {count})::BIGINT AS {count}" for count in counts)
    return f"""SELECT {key}, {sums} FROM (SELECT *, 1 AS sign FROM {what}_before UNION ALL
        SELECT *, -1 FROM {what}_after) GROUP BY ALL"""


def _described(con: Con, touched: Touched, table: str, days: list[date], values: frozenset[str]) -> Touched:
    counted = (f"(SELECT count(*) FROM {touched.staged(w)})" for w in ("hits", "rows", "rejects", "old_rejects"))
    counts = con.execute(f"SELECT {', '.join(counted)}").fetchone()
    assert counts is not None
    hits, rows, rejects, old = counts
    more = [touched.staged(what) for what in ("rows", "flips", "endings")]
    redone = {row[0] for t in more for row in con.execute(f"SELECT DISTINCT day FROM {t}").fetchall()}
    left = con.execute(
        f"""SELECT day FROM (SELECT day, count(*) AS n FROM {table} WHERE {dedupe.in_days(days)} GROUP BY day)
        JOIN (SELECT day, count(*) AS n FROM hit_rows GROUP BY day) USING (day, n)"""
    ).fetchall()
    files = con.execute(
        f"SELECT file FROM {touched.staged('hits')} UNION SELECT file FROM {touched.staged('old_rejects')} ORDER BY 1"
    ).fetchall()
    return Touched(
        touched.source,
        touched.number,
        deleted=hits - rows - rejects,
        cleaned=rows + rejects,
        rejects=old,
        days=days,
        redone=frozenset(redone),
        emptied=frozenset(row[0] for row in left) - redone,
        files=[row[0] for row in files],
        values=values,
    )


def _values(id_type: str) -> str:
    return f"(SELECT value FROM erased_ids WHERE id_type = {literal(id_type)})"
