"""Ways to change a lake table that touch no more rows than have changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import duckdb  # takes its time, and what only compiles needs none

Con: TypeAlias = "duckdb.DuckDBPyConnection"


@dataclass(frozen=True)
class Change:
    """Rows of a table that a merge inserted, rewrote and removed."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0

    @property
    def total(self) -> int:
        """All rows touched."""
        return self.inserted + self.updated + self.deleted


def quote(name: str) -> str:
    """SQL identifier in double quotes."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def columns(con: Con, table: str) -> dict[str, str]:
    """Column names and types of a table or view; empty when it does not exist."""
    import duckdb

    try:
        return {row[0]: row[1] for row in con.execute(f"DESCRIBE {table}").fetchall()}
    except duckdb.CatalogException:
        return {}


def exists(con: Con, table: str) -> bool:
    """True when the table or view exists."""
    return bool(columns(con, table))


def adopt_columns(con: Con, table: str, staged: str) -> None:
    """Give a table the columns of a staged one: add what is new, drop what is gone or has another type."""
    have, want = columns(con, table), columns(con, staged)
    for name, type_ in have.items():
        if want.get(name) != type_:
            con.execute(f"ALTER TABLE {table} DROP COLUMN {quote(name)}")
    for name, type_ in want.items():
        if have.get(name) != type_:
            con.execute(f"ALTER TABLE {table} ADD COLUMN {quote(name)} {type_}")


def create_like(con: Con, table: str, staged: str, partition_by: Sequence[str] = ()) -> None:
    """Create an empty table with the columns of a staged one, unless it exists."""
    if exists(con, table):
        return
    con.execute(f"CREATE TABLE {table} AS FROM {staged} LIMIT 0")
    if partition_by:
        con.execute(f"ALTER TABLE {table} SET PARTITIONED BY ({', '.join(partition_by)})")


def replace_partitions(con: Con, table: str, staged: str, days: Sequence[str], where: str = "true") -> None:
    """Replace the rows of some days (ISO dates) by the staged ones, in the caller's transaction."""
    con.execute(f"DELETE FROM {table} WHERE day IN (SELECT unnest(?::DATE[])) AND {where}", [list(days)])
    con.execute(f"INSERT INTO {table} BY NAME FROM {staged}")


@dataclass(frozen=True)
class Merge:
    """A staged difference between a lake table and what it should be, ready to be written."""

    table: str
    staged: str
    key: tuple[str, ...]
    scope: str
    change: Change
    whole: bool


def stage_merge(con: Con, table: str, staged: str, key: Sequence[str], scope: str = "true") -> Merge:
    """Compare a staged table with the lake's and keep the difference in temporary tables for `write_merge`.

    `scope` limits the comparison to a part of the lake table. A table that is missing or has other columns is
    written whole.
    """
    if columns(con, table) != columns(con, staged):
        return Merge(table, staged, tuple(key), scope, Change(inserted=_count(con, staged)), whole=True)
    on = ", ".join(quote(k) for k in key)
    names = ", ".join(quote(name) for name in columns(con, staged))
    new, gone = staged_names(table)
    old = table
    if scope != "true":  # both comparisons read it
        old = quote(f"old {table}")
        con.execute(f"CREATE OR REPLACE TEMP TABLE {old} AS SELECT {names} FROM {table} WHERE {scope}")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {new} AS "
        f"SELECT {names} FROM {staged} EXCEPT SELECT {names} FROM {old} WHERE {scope}"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {gone} AS SELECT {on} FROM {old} AS old WHERE {scope} AND "
        f"(NOT EXISTS (FROM {staged} s WHERE {_same(key, 's')}) OR EXISTS (FROM {new} n WHERE {_same(key, 'n')}))"
    )
    count_new, count_gone = _count(con, new), _count(con, gone)
    updated = _count(con, f"{new} SEMI JOIN {gone} USING ({on})")
    change = Change(inserted=count_new - updated, updated=updated, deleted=count_gone - updated)
    return Merge(table, staged, tuple(key), scope, change, whole=False)


def rows_after(con: Con, merge: Merge) -> int:
    """Rows that the table will have once a merge is written."""
    if merge.whole or not exists(con, merge.table):
        return _count(con, merge.staged)
    return _count(con, merge.table) + merge.change.inserted - merge.change.deleted


def write_merge(con: Con, merge: Merge, partition_by: Sequence[str] = ()) -> None:
    """Apply what `stage_merge` found, in the caller's transaction."""
    if merge.whole:
        create_like(con, merge.table, merge.staged, partition_by)
        adopt_columns(con, merge.table, merge.staged)
        con.execute(f"DELETE FROM {merge.table} WHERE {merge.scope}")
        con.execute(f"INSERT INTO {merge.table} BY NAME FROM {merge.staged}")
    elif merge.change.total:
        new, gone = staged_names(merge.table)
        on = ", ".join(quote(k) for k in merge.key)
        con.execute(f"DELETE FROM {merge.table} WHERE ({on}) IN (SELECT ({on}) FROM {gone}) AND {merge.scope}")
        con.execute(f"INSERT INTO {merge.table} BY NAME FROM {new}")


def staged_names(table: str) -> tuple[str, str]:
    """Temporary tables of what a merge adds to a table and of the keys of what it removes first."""
    flat = table.replace('"', "").replace(".", "_")
    return quote(f"new_{flat}"), quote(f"gone_{flat}")


def _same(key: Sequence[str], other: str) -> str:
    return " AND ".join(f"old.{quote(k)} = {other}.{quote(k)}" for k in key)


def _count(con: Con, relation: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {relation}").fetchone()
    assert row is not None
    return int(row[0])
