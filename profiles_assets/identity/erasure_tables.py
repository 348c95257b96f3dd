"""Erasure in all other tables of the lake, those of later versions included: found by their columns."""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from profiles_assets.events.cleaning import TELLING
from profiles_assets.identity.erasure_texts import told_sql
from resources.tables import quote

Con = duckdb.DuckDBPyConnection
NAMED = ("profile_id", "_person")
OWN = ("identity", "raw_events")
LABEL = "profile_key"


@dataclass(frozen=True)
class Left:
    """Rows of a table that still tell an erased person, in a column."""

    table: str
    column: str
    rows: int


def delete_named(con: Con) -> dict[str, int]:
    """Delete the rows of the erased profiles in every table with a column for profiles, in the caller's transaction."""
    deleted = {}
    for table, names in _named_tables(con).items():
        row = con.execute(f"DELETE FROM {table} WHERE {_named(names)}").fetchone()
        deleted[_plain(table)] = int(row[0]) if row else 0
    return deleted


def named_counts(con: Con) -> dict[str, int]:
    """Numbers of such rows, by table."""
    found = {}
    for table, names in _named_tables(con).items():
        row = con.execute(f"SELECT count(*) FROM {table} WHERE {_named(names)}").fetchone()
        found[_plain(table)] = int(row[0]) if row else 0
    return found


def left_over(con: Con, values: Iterable[str], keys: Iterable[int]) -> list[Left]:
    """Columns in the whole lake that still tell one of these values, or have one of these keys of ids.

    A profile may go by an id made from a key (`profile_key`) that is no longer known; that tells nothing.
    """
    found = []
    values, numbers = sorted(values), ", ".join(map(str, sorted(keys)))
    for table, columns in _columns(con).items():
        tests = {name: _test(name, type_, values, numbers) for name, type_ in columns.items()}
        asked = {name: test for name, test in tests.items() if test}
        if not asked:
            continue
        counts = con.execute(f"SELECT {', '.join(f'count(*) FILTER ({t})' for t in asked.values())} FROM {table}")
        rows = counts.fetchone() or ()
        found += [Left(_plain(table), name, n) for name, n in zip(asked, rows, strict=True) if n]
    return found


def _test(name: str, type_: str, values: list[str], numbers: str) -> str:
    column = quote(name)
    if "VARCHAR" in type_ or "JSON" in type_:
        long = [value for value in values if len(value) >= TELLING]
        return told_sql(f"{column}::VARCHAR", long) if long else ""
    if not numbers or name == LABEL:
        return ""
    if type_ == "BIGINT[]" and name == "nodes":
        return f"list_has_any({column}, [{numbers}])"
    return f"{column} IN ({numbers})" if type_ == "BIGINT" and (name == "key" or name.endswith("_key")) else ""


def _columns(con: Con) -> dict[str, dict[str, str]]:
    rows = con.execute(
        "SELECT schema_name, table_name, column_name, data_type FROM duckdb_columns() JOIN duckdb_tables() t "
        "USING (database_name, schema_name, table_name) WHERE database_name = 'lake' ORDER BY ALL"
    ).fetchall()
    found: dict[str, dict[str, str]] = {}
    for schema, table, column, type_ in rows:
        found.setdefault(f"{quote(schema)}.{quote(table)}", {})[column] = type_
    return found


def _named_tables(con: Con) -> dict[str, list[str]]:
    found = {}
    for table, columns in _columns(con).items():
        names = [name for name in NAMED if columns.get(name) == "VARCHAR"]
        if names and table.split('"')[1] not in OWN:
            found[table] = names
    return found


def _plain(table: str) -> str:
    return table.replace('"', "")


def _named(names: list[str]) -> str:
    return " OR ".join(f"{quote(name)} IN (SELECT profile_id FROM erased_profiles)" for name in names)
