"""Types of properties that nobody declares: told once from the values that are there."""

from collections.abc import Sequence

import duckdb

from profiles_assets.events.columns import candidates
from profiles_assets.events.derive import extraction_of, json_pointer, property_column, record_sql
from profiles_assets.project.sources import Source
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection
FEW = 1000
NUMERIC = r"^-?(0|[1-9]\d{0,14})(\.\d+)?([eE][-+]?\d+)?$"


def inferred_types(con: Con, source: Source, paths: Sequence[str], rows: str) -> dict[str, str]:
    """SQL type of each path that has values in `rows` (payload and text columns); the others are left out."""
    found = {path: _inferred(con, source, path, rows) for path in paths}
    return {path: type_ for path, type_ in found.items() if type_}


def _inferred(con: Con, source: Source, path: str, rows: str) -> str:
    flat = extraction_of(source).flat
    values = f"SELECT {quote(property_column(path))} AS value FROM {rows} WHERE value IS NOT NULL"
    if _by_looks(con, f"{values} LIMIT {FEW}", flat) == "VARCHAR":
        return "VARCHAR"
    looks = _by_looks(con, values, flat)
    return "VARCHAR" if looks and not flat and _quoted(con, source, path, rows) else looks


def _by_looks(con: Con, values: str, flat: bool) -> str:
    """Type that all values look like; empty when there are none."""
    numeric = f"regexp_matches(value, '{NUMERIC}')" if flat else "try_cast(value AS DOUBLE) IS NOT NULL"
    row = con.execute(
        f"""SELECT CASE WHEN count(*) = 0 THEN '' WHEN bool_and({numeric}) THEN 'DOUBLE'
            WHEN bool_and(lower(value) IN ('true', 'false')) THEN 'BOOLEAN' ELSE 'VARCHAR' END
        FROM ({values})"""
    ).fetchone()
    assert row is not None
    return str(row[0])


def _quoted(con: Con, source: Source, path: str, rows: str) -> bool:
    """True when the JSON has some of the values as strings."""
    record = record_sql(source, "payload")
    places = [
        f"nullif(json_type({record}, {literal(json_pointer(p, flat=False))}), 'NULL')" for p in candidates(source, path)
    ]
    text = quote(property_column(path))
    row = con.execute(
        f"SELECT count(*) FROM {rows} WHERE {text} IS NOT NULL AND coalesce({', '.join(places)}) = 'VARCHAR'"
    ).fetchone()
    return row is not None and row[0] > 0
