"""The part of an erasure that writes to the raw events of a source, and to what is noted about its files."""

from datetime import date

import duckdb

from profiles_assets.events import apply, dedupe, notes
from profiles_assets.events.suppression import Suppressed
from profiles_assets.identity.erasure_events import ROW, Touched
from resources import progress
from resources.tables import exists, literal

Con = duckdb.DuckDBPyConnection


def write_events(con: Con, touched: Touched, found: Suppressed, day: date, version: str) -> dict[str, str]:
    """Delete and replace the staged rows, in the caller's transaction; new versions of the days by partition."""
    name, table, hits = touched.source, notes.table_of(touched.source), touched.staged("hits")
    where = f"{dedupe.in_days(touched.days)} AND ({ROW}) IN (SELECT ({ROW}) FROM {hits})"
    con.execute(f"DELETE FROM {table} WHERE {where}")
    con.execute(f"INSERT INTO {table} BY NAME FROM {touched.staged('rows')}")
    for what, column in (("flips", "duplicate"), ("endings", "superseded")):
        apply.set_changed(con, table, touched.staged(what), column)
    _write_rejects(con, touched)
    _write_suppressed(con, touched, found, day)
    _write_counts(con, touched)
    _write_asides(con, touched)
    return _write_versions(con, name, touched, version)


def _write_rejects(con: Con, touched: Touched) -> None:
    mine = f"source = {literal(touched.source)}"
    con.execute(
        f"""DELETE FROM ops.rejects WHERE {mine} AND (file, coalesce(position, -1), reason, record) IN
        (SELECT (file, coalesce(position, -1), reason, record) FROM {touched.staged("old_rejects")})"""
    )
    kept = touched.staged("rejects")
    con.execute(f"INSERT INTO ops.rejects BY NAME SELECT {literal(touched.source)} AS source, * FROM {kept}")


def _write_suppressed(con: Con, touched: Touched, found: Suppressed, day: date) -> None:
    """Keep hashes of the records that only tell the person, since no id of theirs gives them away when they return."""
    hashed = found.record_hash(touched.source, "told")
    con.execute(
        f"""INSERT INTO identity.suppressed_records
        SELECT DISTINCT {literal(touched.source)}, {hashed}, strlen(told), patch, DATE '{day}' FROM (
            SELECT payload AS told, patch FROM {touched.staged("hits")} WHERE NOT own UNION ALL
            SELECT record, NULL FROM {touched.staged("old_rejects")} WHERE NOT own AND position IS NOT NULL)"""
    )


def _write_counts(con: Con, touched: Touched) -> None:
    """Bring the notes about files in line with the rows and rejects that are left."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE file_changes AS
        SELECT file, sum(loaded)::BIGINT AS loaded, sum(rejected)::BIGINT AS rejected, sum(dup)::BIGINT AS dup FROM (
            SELECT file, -1 AS loaded, 0 AS rejected, -duplicate::INT AS dup FROM {touched.staged("hits")} UNION ALL
            SELECT file, 1, 0, duplicate::INT FROM {touched.staged("rows")} UNION ALL
            SELECT file, 0, 0, CASE WHEN duplicate THEN 1 ELSE -1 END FROM {touched.staged("flips")} UNION ALL
            SELECT file, 0, 1, 0 FROM {touched.staged("rejects")} UNION ALL
            SELECT file, 0, -1, 0 FROM {touched.staged("old_rejects")} WHERE position IS NOT NULL)
        GROUP BY file"""
    )
    con.execute(
        f"""UPDATE ops.files AS f SET loaded = f.loaded + c.loaded, rejected = f.rejected + c.rejected,
            duplicates = f.duplicates + c.dup, suppressed = coalesce(f.suppressed, 0) - c.loaded - c.rejected
        FROM file_changes c WHERE f.file = c.file AND f.source = {literal(touched.source)}"""
    )


def _write_asides(con: Con, touched: Touched) -> None:
    """The same for values without their type, and for ids that were normalised or filtered."""
    for table, key, counts in (
        ("uncast", "path", ("rows",)),
        ("normalised", "id_type", ("changed", "filtered")),
    ):
        if not exists(con, f"ops.{table}"):
            continue
        sets = ", ".join(f"{count} = t.{count} - less.{count}" for count in counts)
        mine = f"t.source = {literal(touched.source)}"
        con.execute(
            f"""UPDATE ops.{table} AS t SET {sets} FROM {touched.staged(table)} less
            WHERE {mine} AND t.day = less.day AND t.file = less.file AND t.{key} = less.{key}"""
        )
        con.execute(f"DELETE FROM ops.{table} t WHERE {mine} AND {' + '.join(counts)} <= 0")


def _write_versions(con: Con, name: str, touched: Touched, version: str) -> dict[str, str]:
    step = notes.rows_step(name)
    before = progress.applied(con, step)
    days = {str(day) for day in (*touched.days, *touched.redone)}
    gone = {str(day) for day in touched.emptied}
    after = {day: notes.hash_of([before.get(day, ""), version]) for day in sorted(days - gone)}
    progress.record(con, step, after, sorted(gone & before.keys()))
    if touched.days or touched.rejects:
        progress.record(con, notes.files_step(name), {"erased": version})
    return after
