"""Erased people kept out of a load: their staged records are dropped, or lose what tells who they are about."""

from collections.abc import Sequence

import duckdb

from profiles_assets.events.cleaning import cleaned_sql, own_ids_sql
from profiles_assets.events.lines import CUT
from profiles_assets.events.stage import Staging
from profiles_assets.events.suppression import ANONYMISE, ERASE, IDS, RECORDS, Suppressed, suppressed
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection
REJECT_TEXT = f"replace(left({{}}, {CUT}), chr(0), chr(65533))"


def suppress(staging: Staging) -> None:
    """Take erased people out of the staged records.

    Leaves the table `staged_suppressed` (file_no, dropped, cleaned) of the files that had any.
    """
    con, found = staging.con, suppressed(staging.con, staging.source_name)
    con.execute("CREATE OR REPLACE TEMP TABLE staged_suppressed (file_no INTEGER, dropped BIGINT, cleaned BIGINT)")
    if found is None:
        return
    while _find_hits(staging, found):  # a record may have been cleaned more than once
        clean_hits(staging, staging.paths)
        con.execute(
            f"INSERT INTO staged_suppressed SELECT file_no, count(*) FILTER (mode = '{ERASE}'), "
            f"count(*) FILTER (mode = '{ANONYMISE}') FROM staged_hits GROUP BY file_no"
        )


def clean_hits(staging: Staging, paths: Sequence[str]) -> None:
    """Take the records in `staged_hits` (file_no, position, mode, patch) out of the staged ones.

    Those to erase are gone; the others lose the fields of their patch and, to anonymise, all that is personal.
    """
    con, ids = staging.con, [quote(f"id_{id_type}") for id_type in staging.source.ids]
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE clean_records AS
        SELECT file_no, path_day, position, CASE WHEN patch IS NULL THEN payload
            ELSE json_merge_patch(payload, patch)::VARCHAR END AS text, mode, {", ".join(ids)}
        FROM staged_events JOIN staged_files USING (file_no) JOIN staged_hits USING (file_no, position)
        WHERE mode IS DISTINCT FROM '{ERASE}'"""
    )
    text = f"CASE mode WHEN '{ANONYMISE}' THEN {cleaned_sql(staging.source, paths, 'text')} ELSE text END"
    cleaned = f"""(SELECT file_no, path_day, position, {text} AS text, NULL::VARCHAR AS record,
        NULL::VARCHAR AS reason FROM ({own_ids_sql(staging.source, "clean_records")}))"""
    con.execute(f"CREATE OR REPLACE TEMP TABLE clean_events AS {staging.rows(cleaned)}")
    con.execute("DELETE FROM staged_events WHERE (file_no, position) IN (SELECT (file_no, position) FROM staged_hits)")
    con.execute("INSERT INTO staged_events BY NAME FROM clean_events")


def _find_hits(staging: Staging, found: Suppressed) -> bool:
    """Temporary table `staged_hits`; False when it is empty.

    Rejects are never cleaned but dropped, and so are records of a table that changes, since they describe somebody.
    """
    con = staging.con
    parts = [_by_ids(staging, found), *([_by_text(staging, found)] if found.records else [])]
    ever = "reason IS NOT NULL" if staging.source.kind == "events" else "true"
    whole = f"CASE WHEN {ever} THEN '{ERASE}' ELSE mode END"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE staged_hits AS
        SELECT file_no, position, max({whole}) AS mode, max(patch) AS patch
        FROM ({" UNION ALL ".join(parts)}) GROUP BY ALL"""
    )
    return con.execute("FROM staged_hits LIMIT 1").fetchone() is not None


def _by_ids(staging: Staging, found: Suppressed) -> str:
    """SELECT of the staged records with a suppressed id; each distinct id is hashed once."""
    known = [
        f"""SELECT {literal(id_type)} AS id_type, value, mode
        FROM (SELECT DISTINCT {quote(f"id_{id_type}")} AS value FROM staged_events)
        JOIN {IDS} ON entity = {literal(name)} AND hash = {found.id_hash(name, id_type, "value")}"""
        for id_type in staging.source.ids
        for name, entity in staging.project.entities.items()
        if id_type in entity.ids
    ]
    if not known:
        return "SELECT file_no, position, reason, '' AS mode, '' AS patch FROM staged_events LIMIT 0"
    staging.con.execute(f"CREATE OR REPLACE TEMP TABLE suppressed_ids AS {' UNION ALL '.join(known)}")
    tests = [f"(k.id_type = {literal(t)} AND k.value = s.{quote(f'id_{t}')})" for t in staging.source.ids]
    return f"""SELECT file_no, position, reason, mode, NULL::VARCHAR AS patch
        FROM staged_events s JOIN suppressed_ids k ON {" OR ".join(tests)}"""


def _by_text(staging: Staging, found: Suppressed) -> str:
    """SELECT of the staged records that are suppressed by their text; only those of a known length are hashed."""
    text = f"CASE WHEN reason IS NULL THEN payload ELSE {REJECT_TEXT.format('payload')} END"
    mine = f"(FROM {RECORDS} WHERE source = {literal(staging.source_name)})"
    return f"""SELECT file_no, position, reason, CASE WHEN patch IS NULL THEN '{ERASE}' END AS mode, patch
        FROM (SELECT file_no, position, reason, {text} AS told FROM staged_events) SEMI JOIN
            (SELECT DISTINCT bytes FROM {mine}) sizes ON strlen(told) = sizes.bytes
        JOIN {mine} r ON r.hash = {found.record_hash(staging.source_name, "told")}"""
