"""The dictionary: one row per id that the evidence holds, with its key and value, written when it is first seen.

`written` is the load day that brought it: where to look for it, and no more, as it follows from the order of loads.

Of two values with one key the one written first keeps it; the later one gets a key apart and is quarantined.
"""

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from profiles_assets.identity.keys import collision_key, node_digest, node_key
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class Rows:
    """Rows of a source: SELECT of `day`, `seen` (a moment) and one column `id_<type>` for each of some id types."""

    entity: str
    types: tuple[str, ...]
    sql: str


def stage_nodes(con: Con, rows: Rows) -> str:
    """Add the ids of rows that are not in the dictionary yet to `new_nodes`; returns SQL of all keys of a row.

    `now_id_nodes` is the dictionary as it is stored, `new_nodes` holds what other sources added to it.
    """
    if _stage_known(con, rows):
        added = "FROM found ANTI JOIN known USING (key, digest)"
        keys = f"SELECT key FROM ({added}) UNION ALL SELECT key FROM known"
    else:
        added, keys = _found(rows), f"SELECT key FROM new_nodes WHERE entity = {literal(rows.entity)}"
    con.execute(f"INSERT INTO new_nodes BY NAME SELECT {literal(rows.entity)} AS entity, * FROM ({added})")
    apart = _stage_suspects(con, keys)
    if apart:
        _set_apart(con, rows)
    return ", ".join(f"{_key(name, apart=apart)} AS key_{name}" for name in rows.types)


def stage_gone(con: Con, kept: str) -> None:
    """Temporary table `gone_nodes` of ids in `new_removed` that neither the rows of kept evidence nor new ones have."""
    con.execute("CREATE OR REPLACE TEMP TABLE gone_nodes AS FROM new_removed LIMIT 0")
    for (entity,) in con.execute("SELECT DISTINCT entity FROM new_removed ORDER BY entity").fetchall():
        mine = f"WHERE entity = {literal(entity)}"
        con.execute(f"""INSERT INTO gone_nodes BY NAME SELECT * FROM (FROM new_removed {mine}) ANTI JOIN (
            SELECT unnest(nodes) AS key FROM (SELECT nodes FROM {kept} {mine}
                UNION ALL SELECT nodes FROM new_edges {mine})) USING (key)""")


def delete_gone(con: Con) -> None:
    """Take the ids in `gone_nodes` out of the dictionary, in the caller's transaction."""
    for (entity,) in con.execute("SELECT DISTINCT entity FROM gone_nodes ORDER BY entity").fetchall():
        mine = f"entity = {literal(entity)}"
        con.execute(f"DELETE FROM identity.id_nodes WHERE {mine} AND key IN (SELECT key FROM gone_nodes WHERE {mine})")


def _stage_known(con: Con, rows: Rows) -> bool:
    """Temporary tables `found`, the ids of rows, and `known`, those of the same keys in the dictionary, if any."""
    mine = f"entity = {literal(rows.entity)}"
    names = "coalesce(collides_with, key) AS key, digest, id_type, value, collides_with IS NOT NULL AS apart"
    con.execute(f"""CREATE OR REPLACE TEMP VIEW dictionary AS SELECT {names} FROM now_id_nodes WHERE {mine}
        UNION ALL SELECT {names} FROM new_nodes WHERE {mine}""")
    any_ = con.execute("FROM dictionary LIMIT 1").fetchone() is not None
    if any_:
        con.execute(f"CREATE OR REPLACE TEMP TABLE found AS {_found(rows)}")
    known = "FROM dictionary SEMI JOIN found USING (key)" if any_ else "FROM dictionary LIMIT 0"
    con.execute(f"CREATE OR REPLACE TEMP TABLE known AS SELECT key, digest, apart {known}")
    return any_


def _stage_suspects(con: Con, keys: str) -> bool:
    """Temporary table `suspects` of the keys that several values have, if any; sorting numbers is cheap."""
    found = con.sql(keys).to_arrow_table()["key"].to_numpy().copy()
    found.sort()
    con.register("repeated_keys", pa.table({"key": np.unique(found[1:][found[1:] == found[:-1]])}))
    con.execute("CREATE OR REPLACE TEMP TABLE suspects AS FROM repeated_keys UNION SELECT key FROM known WHERE apart")
    con.unregister("repeated_keys")
    return con.execute("FROM suspects LIMIT 1").fetchone() is not None


def _found(rows: Rows) -> str:
    parts = [
        f"""SELECT written, {node_key(name, "value")} AS key, {node_digest(name, "value")} AS digest,
            {literal(name)} AS id_type, value FROM (SELECT {quote(f"id_{name}")} AS value, min(day) AS written
            FROM ({rows.sql}) WHERE value IS NOT NULL GROUP BY value)"""
        for name in rows.types
    ]
    return " UNION ALL ".join(parts)


def _key(name: str, *, apart: bool) -> str:
    value = quote(f"id_{name}")
    plain = node_key(name, value)
    if not apart:
        return plain
    mine = f"SELECT value FROM collided WHERE id_type = {literal(name)}"
    return f"CASE WHEN {value} IN ({mine}) THEN {collision_key(literal(name), value)} ELSE {plain} END"


def _set_apart(con: Con, rows: Rows) -> None:
    """Temporary table `collided` of the values that lost their keys; the new ones among them get others."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE collided AS {_collided(rows)}")
    con.execute(
        f"""UPDATE new_nodes SET key = {collision_key("c.id_type", "c.value")}, collides_with = c.key FROM collided c
        WHERE entity = ? AND new_nodes.key = c.key AND new_nodes.id_type = c.id_type AND new_nodes.value = c.value""",
        [rows.entity],
    )


def _collided(rows: Rows) -> str:
    """SELECT of the values that do not own their key: who was written before, then who was seen first, owns it."""
    seen = " UNION ALL ".join(
        f"""SELECT {node_key(name, value)} AS key, {node_digest(name, value)} AS digest, min((day, seen)) AS first
            FROM ({rows.sql}) GROUP BY ALL"""
        for name, value in ((name, quote(f"id_{name}")) for name in rows.types)
    )
    return f"""SELECT key, id_type, value FROM (
            SELECT d.*, first_value(digest) OVER (PARTITION BY key
                ORDER BY d.apart, known.digest IS NULL, first, id_type, value) AS owner
            FROM (FROM dictionary SEMI JOIN suspects USING (key)) d
            LEFT JOIN known USING (key, digest) LEFT JOIN ({seen}) seen USING (key, digest))
        WHERE apart OR digest <> owner"""
