"""Two values with one key: the value written first keeps it, the later one gets a key apart and is quarantined."""

import duckdb

from profiles_assets.identity.keys import collision_key
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection


def set_collisions_apart(con: Con, entity: str, source: str, types: list[str]) -> None:
    """Give every newly seen value whose key is another value's a key of its own.

    `seen` are the tuples of a source, `new_nodes` holds their ids beside those of other sources, and
    `kept_nodes` what was written before. Tuples keep their key, so evidence of other ids is untouched.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE suspects AS {_suspects(con, entity, source)}")
    if con.execute("FROM suspects LIMIT 1").fetchone():
        con.execute(f"CREATE OR REPLACE TEMP TABLE collided AS {_collided(entity, source)}")
        _rename(con, entity, source, types)


def _suspects(con: Con, entity: str, source: str) -> str:
    """SELECT of the keys of newly seen values that other values have, too."""
    # numbers compare several times as fast as texts
    query = f"""SELECT key FROM new_nodes WHERE {_mine(entity, source)} GROUP BY key
        HAVING min(hash(id_type, value)) <> max(hash(id_type, value))"""
    kept = _kept(entity, source)
    if con.execute(f"FROM {kept} LIMIT 1").fetchone():
        query += f""" UNION SELECT f.key FROM (SELECT DISTINCT key, id_type, value FROM new_nodes
            WHERE {_mine(entity, source)}) f JOIN {kept} k ON f.key = k.key
            AND (f.value <> k.value OR f.id_type <> k.id_type)"""
    return query


def _mine(entity: str, source: str) -> str:
    return f"entity = {literal(entity)} AND source = {literal(source)}"


def _kept(entity: str, source: str) -> str:
    """What was written before, and what is new in other sources."""
    return f"""(SELECT key, id_type, value FROM kept_nodes WHERE entity = {literal(entity)} AND collides_with IS NULL
        UNION ALL SELECT key, id_type, value FROM new_nodes
        WHERE entity = {literal(entity)} AND source <> {literal(source)} AND collides_with IS NULL)"""


def _collided(entity: str, source: str) -> str:
    return f"""WITH claims AS (
            SELECT key, id_type, value, DATE '0001-01-01' AS day, NULL::TIMESTAMP AS first_seen
            FROM {_kept(entity, source)} SEMI JOIN suspects USING (key)
            UNION ALL SELECT key, id_type, value, day, first_seen FROM new_nodes SEMI JOIN suspects USING (key)
            WHERE {_mine(entity, source)}),
        ranked AS (
            SELECT key, id_type, value, first_value(id_type) OVER earliest AS owner_type,
                first_value(value) OVER earliest AS owner
            FROM claims WINDOW earliest AS (PARTITION BY key ORDER BY day, first_seen, id_type, value))
        SELECT DISTINCT key, id_type, value, {collision_key("id_type", "value")} AS new_key
        FROM ranked WHERE id_type <> owner_type OR value <> owner"""


def _rename(con: Con, entity: str, source: str, types: list[str]) -> None:
    for name in types:
        con.execute(
            f"UPDATE seen SET key_{name} = new_key FROM collided c WHERE c.id_type = {literal(name)} "
            f"AND seen.key_{name} = c.key AND seen.{quote(f'id_{name}')} = c.value"
        )
    con.execute(
        "UPDATE new_nodes SET key = new_key, collides_with = c.key FROM collided c WHERE new_nodes.entity = ? "
        "AND source = ? AND new_nodes.key = c.key AND new_nodes.id_type = c.id_type AND new_nodes.value = c.value",
        [entity, source],
    )
