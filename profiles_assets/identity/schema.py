"""The identity tables of the lake: their columns, their creation, and views that may be read before it."""

from datetime import date

import duckdb

from profiles_assets.identity.aliases import create_view
from resources.tables import columns, quote

Con = duckdb.DuckDBPyConnection

TABLES: dict[str, dict[str, str]] = {
    "id_edges": {
        "entity": "VARCHAR",
        "source": "VARCHAR",
        "day": "DATE",
        "visible": "DATE",
        "until": "DATE",
        "tuple_key": "BIGINT",
        "nodes": "BIGINT[]",
        "count": "BIGINT",
        "first_seen": "TIMESTAMP",
        "last_seen": "TIMESTAMP",
    },
    "id_nodes": {
        "entity": "VARCHAR",
        "written": "DATE",
        "key": "BIGINT",
        "digest": "BIGINT",
        "id_type": "VARCHAR",
        "value": "VARCHAR",
        "collides_with": "BIGINT",
    },
    "id_removed": {"entity": "VARCHAR", "key": "BIGINT"},
    "stitched_ids": {
        "entity": "VARCHAR",
        "key": "BIGINT",
        "id_type": "VARCHAR",
        "value": "VARCHAR",
        "component": "BIGINT",
        "known": "BIGINT",
        "profile_id": "VARCHAR",
        "profile_key": "BIGINT",
        "status": "VARCHAR",
        "retired_id": "VARCHAR",
        "first_day": "DATE",
        "first_seen": "TIMESTAMP",
        "last_seen": "TIMESTAMP",
        "count": "BIGINT",
    },
    "identity_violations": {
        "entity": "VARCHAR",
        "rule": "VARCHAR",
        "key": "BIGINT",
        "id_type": "VARCHAR",
        "value": "VARCHAR",
        "other_key": "BIGINT",
        "detail": "VARCHAR",
        "count": "BIGINT",
        "first_seen": "TIMESTAMP",
    },
    "rules": {
        "entity": "VARCHAR",
        "seq": "BIGINT",
        "action": "VARCHAR",
        "id_type": "VARCHAR",
        "value": "VARCHAR",
        "other_type": "VARCHAR",
        "other_value": "VARCHAR",
        "who": "VARCHAR",
        "why": "VARCHAR",
        "added": "DATE",
        "removed": "BOOLEAN",
    },
    "applied_rules": {
        "entity": "VARCHAR",
        "action": "VARCHAR",
        "key": "BIGINT",
        "other_key": "BIGINT",
        "who": "VARCHAR",
        "why": "VARCHAR",
        "origin": "VARCHAR",
    },
    "identity_log": {
        "entity": "VARCHAR",
        "seq": "BIGINT",
        "as_of": "DATE",
        "change": "VARCHAR",
        "profile_id": "VARCHAR",
        "other_profile_id": "VARCHAR",
        "edge_from": "BIGINT",
        "edge_to": "BIGINT",
    },
}


def create_tables(con: Con) -> None:
    """Create the identity tables, columns and views that do not exist, evidence in one file a month at most."""
    in_lake = _in_lake(con)
    if in_lake and not columns(con, "identity.id_edges"):
        # version 2 of Parquet takes a quarter less time to write and to read
        con.execute("CALL ducklake_set_option(current_database(), 'parquet_version', '2', schema => 'identity')")
    for name, wanted in TABLES.items():
        have = columns(con, f"identity.{name}")
        if not have:
            con.execute(f"CREATE TABLE identity.{name} ({', '.join(f'{c} {t}' for c, t in wanted.items())})")
            loaded = next((c for c in ("day", "written") if c in wanted), "")
            if loaded and in_lake:
                con.execute(f"ALTER TABLE identity.{name} SET PARTITIONED BY (year({loaded}), month({loaded}))")
        for column in wanted.keys() - have.keys() if have else ():
            con.execute(f"ALTER TABLE identity.{name} ADD COLUMN {quote(column)} {wanted[column]}")
    create_view(con)


def view(con: Con, name: str) -> str:
    """Temporary view of an identity table, with NULL for what does not exist yet; returns its name."""
    have = columns(con, f"identity.{name}")
    found = ", ".join(c if c in have else f"NULL::{type_} AS {c}" for c, type_ in TABLES[name].items())
    origin = f"FROM identity.{name}" if have else "WHERE false"
    con.execute(f"CREATE OR REPLACE TEMP VIEW now_{name} AS SELECT {found} {origin}")
    return f"now_{name}"


def counts_sql(as_of: date) -> str:
    """Condition on evidence: visible at a day, and not superseded by then."""
    return f"visible <= DATE '{as_of}' AND (until IS NULL OR until > DATE '{as_of}')"


def stage(con: Con, name: str, staged: str) -> None:
    """Empty temporary table with the columns of an identity table."""
    columns = ", ".join(f"{c} {t}" for c, t in TABLES[name].items())
    con.execute(f"CREATE OR REPLACE TEMP TABLE {staged} ({columns})")


def _in_lake(con: Con) -> bool:
    found = con.execute("SELECT type FROM duckdb_databases() WHERE database_name = current_database()").fetchone()
    return found is not None and found[0] == "ducklake"
