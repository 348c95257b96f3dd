"""What normalising did to the ids of a source, counted: values changed, and values of which nothing was left."""

from collections.abc import Collection
from datetime import date

from profiles_assets.project.sources import Source
from resources import tables
from resources.tables import Con, literal, quote

TABLE = "ops.normalised"
COLUMNS = "source VARCHAR, day DATE, file VARCHAR, id_type VARCHAR, changed BIGINT, filtered BIGINT"
COUNTS = "STRUCT(id_type VARCHAR, changed BIGINT, filtered BIGINT)"
FATE = "fate_"
CHANGED, FILTERED = 1, 2


def fate_sql(raw: str, normalised: str) -> str:
    """SQL of what became of the text of an id: NULL for none and for one that stayed as it came."""
    return (
        f"CASE WHEN {raw} = {normalised} THEN NULL WHEN {normalised} IS NOT NULL THEN {CHANGED} "
        f"WHEN {raw} <> '' THEN {FILTERED} END::TINYINT"
    )


def stage_normalised(con: Con, source: Source) -> None:
    """Count, in the temporary table `staged_normalised`, the ids of the staged rows by load day, file and id type."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE staged_normalised AS SELECT * FROM (
            SELECT day, file, unnest([{", ".join(map(_counted, source.ids))}]::{COUNTS}[], recursive := true)
            FROM staged_events JOIN staged_files USING (file_no) WHERE reason IS NULL GROUP BY day, file)
        WHERE changed + filtered > 0"""
    )


def _counted(id_type: str) -> str:
    fate = quote(f"{FATE}{id_type}")
    changed, filtered = (f"count(*) FILTER ({fate} = {code})" for code in (CHANGED, FILTERED))
    return f"{{'id_type': {literal(id_type)}, 'changed': {changed}, 'filtered': {filtered}}}"


def write_normalised(con: Con, source_name: str, replaced: str) -> None:
    """Put the staged counts in the place of those of the `replaced` files (SQL list), in the caller's transaction."""
    con.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} ({COLUMNS})")
    con.execute(f"DELETE FROM {TABLE} WHERE source = ? AND file IN {replaced}", [source_name])
    con.execute(f"INSERT INTO {TABLE} BY NAME SELECT ? AS source, * FROM staged_normalised", [source_name])


def normalised_counts(con: Con, source_name: str, days: Collection[date]) -> dict[str, dict[str, int]]:
    """Numbers of `changed` and `filtered` values of some load days, by id type."""
    if not days or not tables.exists(con, TABLE):
        return {}
    rows = con.execute(
        f"""SELECT id_type, sum(changed)::BIGINT, sum(filtered)::BIGINT FROM {TABLE}
        WHERE source = ? AND list_contains(?::DATE[], day) GROUP BY id_type ORDER BY id_type""",
        [source_name, list(days)],
    ).fetchall()
    return {id_type: {"changed": changed, "filtered": filtered} for id_type, changed, filtered in rows}
