"""The tables of profile functions in the lake. What people read are the views of the schema `functions`."""

import duckdb

from resources.tables import columns, literal, quote

Con = duckdb.DuckDBPyConnection

VERSIONS, STATE = "ops.function_versions", "ops.function_state"
RESULTS, ERRORS = "ops.function_results", "ops.function_errors"
STORE, INPUTS = "ops.function_store", "ops.function_inputs"
TABLES = {
    VERSIONS: "function VARCHAR, version BIGINT, file VARCHAR, code VARCHAR, files VARCHAR, hash VARCHAR, "
    "author VARCHAR, published TIMESTAMP",
    STATE: "function VARCHAR, visible BIGINT, target BIGINT, done BIGINT, total BIGINT, errors BIGINT, seconds DOUBLE",
    RESULTS: 'function VARCHAR, version BIGINT, code_version BIGINT, _person VARCHAR, profile_id VARCHAR, "table" '
    "VARCHAR, destination VARCHAR, traits VARCHAR, fingerprint BIGINT",
    ERRORS: "function VARCHAR, version BIGINT, _person VARCHAR, fingerprint BIGINT, kind VARCHAR, error VARCHAR, "
    "as_of DATE",
    STORE: "function VARCHAR, version BIGINT, _person VARCHAR, key VARCHAR, value VARCHAR, expires DATE",
    INPUTS: "source VARCHAR, entity VARCHAR, day DATE, event_day DATE, tuple_key BIGINT, events BIGINT, "
    "content BIGINT, told BIGINT",
}
SHARED = 0


def create(con: Con) -> None:
    """Create the tables that do not exist, in the caller's transaction."""
    con.execute("CREATE SCHEMA IF NOT EXISTS functions")
    for name, wanted in TABLES.items():
        con.execute(f"CREATE TABLE IF NOT EXISTS {name} ({wanted})")


def exist(con: Con) -> bool:
    """True when something was ever published."""
    return bool(columns(con, STATE))


def view_name(table: str) -> str:
    """View with the rows of a table, of all functions that write to it."""
    return f"functions.{quote(table)}"


def visible_rows_sql(where: str) -> str:
    """SELECT of the rows of the visible versions."""
    return (
        f'SELECT r.profile_id, r._person, r.traits, r.function, r.code_version AS version, r."table", r.destination '
        f"FROM {RESULTS} r JOIN {STATE} s ON s.function = r.function AND s.visible = r.version "
        f"WHERE r.traits IS NOT NULL AND {where}"
    )


def create_view(con: Con, table: str) -> None:
    """Create the view of a table."""
    con.execute(f"CREATE OR REPLACE VIEW {view_name(table)} AS {visible_rows_sql(f'r.table = {literal(table)}')}")
