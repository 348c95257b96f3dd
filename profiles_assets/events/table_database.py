"""The databases that tables are read from: Postgres and DuckDB files, read-only."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from profiles_assets.project.sources import VARIABLE, Source
from resources.extensions import load_extension
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection
ROW = "source_table"
PASSWORD = re.compile(r"(?<=:)[^:@/]+(?=@)|(?<=password=)\S+")
KINDS = {
    "whole": ("TINYINT", "SMALLINT", "INTEGER", "BIGINT"),
    "moment": ("TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"),
    "zoned": ("TIMESTAMP WITH TIME ZONE",),
    "date": ("DATE",),
}


class TableError(Exception):
    """A table cannot be read; the message names it and has no password."""


@contextmanager
def opened(root: Path, source: Source) -> Iterator[Con]:
    """Connection with the table as `source_table`, one consistent state of it. Raises TableError."""
    con = duckdb.connect(config={"threads": 1})
    try:
        con.execute("SET TimeZone = 'UTC'")
        is_postgres = _attach(con, with_variables(str(source.database)), root)
        parts = str(source.table).split(".")
        name = ".".join(quote(part) for part in ("src", *parts))
        con.execute("BEGIN")
        objects = _json_columns(con, parts) if is_postgres else []
        parsed = ", ".join(f"try_cast({column} AS JSON) AS {column}" for column in map(quote, objects))
        con.execute(f"CREATE TEMP VIEW {ROW} AS SELECT *{f' REPLACE ({parsed})' if parsed else ''} FROM {name}")
        yield con
    except duckdb.Error as error:
        told = PASSWORD.sub("***", str(error).splitlines()[0])
        raise TableError(f'the table "{source.table}" cannot be read: {told}') from None
    finally:
        con.close()


def watermark_kind(con: Con, source: Source) -> str:
    """Kind of the watermark column: whole, moment, zoned or date. Raises TableError for others."""
    types = {row[0]: row[1] for row in con.execute(f"DESCRIBE {ROW}").fetchall()}
    if source.watermark not in types:
        raise TableError(f'the table "{source.table}" has no column "{source.watermark}"; it has {", ".join(types)}')
    type_ = types[source.watermark]
    kind = next((kind for kind, names in KINDS.items() if type_ in names), None)
    if kind is None:
        raise TableError(
            f'the watermark "{source.watermark}" is {type_}; it should be a time, a date or a whole number'
        )
    return kind


def with_variables(database: str) -> str:
    """Database with the values of environment variables for `${NAME}`. Raises TableError for one that is not set."""
    for name in VARIABLE.findall(database):
        if name not in os.environ:
            raise TableError(f"the environment variable {name} is not set, which a database is named by")
    return VARIABLE.sub(lambda found: os.environ[found[1]], database)


def _json_columns(con: Con, parts: list[str]) -> list[str]:
    """Columns of a Postgres table that hold JSON, which would come as text."""
    schema = literal(parts[-2]) if len(parts) > 1 else "current_schema()"
    query = (
        "SELECT column_name FROM information_schema.columns WHERE data_type IN ('json', 'jsonb') "
        f"AND table_schema = {schema} AND table_name = {literal(parts[-1])}"
    )
    return [row[0] for row in con.execute("SELECT * FROM postgres_query('src', ?)", [query]).fetchall()]


def _attach(con: Con, database: str, root: Path) -> bool:
    """Attach a database; True for Postgres, else it is a DuckDB file."""
    if re.match(r"postgres(ql)?://|.*\b(dbname|host|service)=", database):
        load_extension(con, "postgres_scanner")
        con.execute(f"ATTACH {literal(database)} AS src (TYPE postgres, READ_ONLY)")
        return True
    con.execute(f"ATTACH {literal(str(root / database))} AS src (READ_ONLY)")
    return False
