"""Columns in types that every engine reads, whatever a query gives."""

from typing import Any

import duckdb

from profiles_assets.project.models import ModelError
from resources.lake import TELLING, without_values
from resources.tables import quote

Con = duckdb.DuckDBPyConnection
WHOLE = "tinyint smallint integer bigint hugeint utinyint usmallint uinteger ubigint uhugeint"
FLOATING = "float double decimal"
SIMPLE = {
    "boolean": "BOOLEAN",
    "date": "DATE",
    **dict.fromkeys(WHOLE.split(), "BIGINT"),
    **dict.fromkeys(FLOATING.split(), "DOUBLE"),
}


def stage_model(con: Con, file: str, sql: str, table: str) -> None:
    """Temporary table with the rows of a compiled model, in types that every engine reads.

    Raises ModelError, without values, when the data does not fit the SQL.
    """
    try:
        with without_values():
            con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {readable_sql(con, sql)}")
    except (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException) as error:
        raise ModelError(f"{file}: {str(error).split('LINE ', maxsplit=1)[0].strip()}") from error
    except TELLING as error:
        raise ModelError(f"{file}: {error}; put TRY(…) around what may fail") from None


def readable_sql(con: Con, sql: str) -> str:
    """SELECT around a query that casts its columns to BIGINT, DOUBLE, VARCHAR, DATE, TIMESTAMP, BOOLEAN and nestings.

    Decimals become DOUBLE and whole numbers BIGINT, which fails for those that are too large.
    """
    relation = con.sql(f"FROM (\n{sql}\n)")
    pairs = zip(relation.columns, relation.types, strict=True)
    casts = [f"{quote(name)}::{readable_type(type_)} AS {quote(name)}" for name, type_ in pairs]
    return f"SELECT {', '.join(casts)} FROM (\n{sql}\n)"


def readable_type(type_: Any) -> str:
    """SQL type, one that every engine reads, for values of a DuckDB type."""
    kind = type_.id
    if kind.startswith("timestamp"):
        return "TIMESTAMP"
    if kind in ("list", "array"):
        return f"{readable_type(type_.children[0][1])}[]"
    if kind == "struct":
        fields = (f"{quote(name)} {readable_type(inner)}" for name, inner in type_.children)
        return f"STRUCT({', '.join(fields)})"
    if kind == "map":
        key, value = (readable_type(inner) for _, inner in type_.children)
        return f"MAP({key}, {value})"
    return SIMPLE.get(kind, "VARCHAR")
