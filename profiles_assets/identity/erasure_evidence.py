"""Erasure in the identity tables: evidence, log, rules. Who is left is resolved again by the next stitch."""

import duckdb

from profiles_assets.events.dedupe import in_days
from profiles_assets.events.ids import normalised_sql
from profiles_assets.identity import evidence, schema
from profiles_assets.identity.keys import node_key
from profiles_assets.identity.rules import step_name
from profiles_assets.project.project import Project
from resources import progress
from resources.tables import exists, literal

Con = duckdb.DuckDBPyConnection
Counts = dict[str, int]
FEW = 100


def stage_evidence(con: Con) -> None:
    """Temporary tables of what the evidence holds of the keys in `erased_ids`, and of whom that concerns.

    `erased_edges` are the tuples with such an id, `gone_nodes` these and the other ids that are in no other tuple,
    `concerned` the ids to resolve again.
    """
    edges, stitched = (schema.view(con, name) for name in ("id_edges", "stitched_ids"))
    entities = con.execute("SELECT DISTINCT entity FROM erased_ids ORDER BY entity").fetchall()
    found = [_edges_of(con, edges, entity) for (entity,) in entities]
    nothing = f"SELECT entity, source, day, tuple_key, nodes FROM {edges} LIMIT 0"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE erased_edges AS
        SELECT * FROM ({" UNION ALL ".join(found) or nothing}) WHERE {_since(con, stitched)}"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE beside AS
        SELECT DISTINCT entity, unnest(nodes) AS key FROM erased_edges"""
    )
    con.execute("DELETE FROM beside WHERE (entity, key) IN (SELECT (entity, key) FROM erased_ids)")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE gone_nodes AS SELECT entity, key FROM erased_ids UNION
        (SELECT entity, key FROM beside EXCEPT SELECT entity, unnest(nodes) FROM {_others(con, edges)})"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE components AS SELECT DISTINCT entity, component FROM {stitched}
        SEMI JOIN erased_ids USING (entity, key) WHERE {_among(con, "key", "erased_ids")} AND component IS NOT NULL"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE concerned AS
        SELECT entity, key FROM erased_ids UNION SELECT entity, key FROM beside UNION
        SELECT entity, key FROM {stitched} SEMI JOIN components USING (entity, component)
        WHERE {_among(con, "component", "components")}"""
    )


def _others(con: Con, edges: str) -> str:
    """The tuples that stay and hold an id of `beside`, of which there are few."""
    row = con.execute("SELECT list(DISTINCT key) FROM beside").fetchone()
    keys = row[0] if row and row[0] else []
    return f"""((FROM {edges} WHERE {_has(keys)})
        ANTI JOIN erased_edges USING (entity, source, day, tuple_key, nodes))"""


def _edges_of(con: Con, edges: str, entity: str) -> str:
    """SELECT of the tuples of an entity with such an id."""
    keys = [row[0] for row in con.execute("SELECT key FROM erased_ids WHERE entity = ?", [entity]).fetchall()]
    mine = f"entity = {literal(entity)} AND {_has(keys)}"
    return f"SELECT entity, source, day, tuple_key, nodes FROM {edges} WHERE {mine}"


def _has(keys: list[int]) -> str:
    """Condition that a tuple holds one of these keys; a few are found several times as fast one by one."""
    one_by_one = " OR ".join(f"list_contains(nodes, {key})" for key in keys) or "false"
    return f"({one_by_one})" if len(keys) <= FEW else f"list_has_any(nodes, {keys})"


def _since(con: Con, stitched: str) -> str:
    """Condition that no evidence of the ids is older than; the files of older months are not read."""
    row = con.execute(
        f"""SELECT min(first_day), count(*) FILTER (s.key IS NULL) FROM erased_ids LEFT JOIN
            (FROM {stitched} WHERE {_among(con, "key", "erased_ids")}) s USING (entity, key)"""
    ).fetchone()
    return f"day >= DATE '{row[0]}'" if row and row[0] and not row[1] else "true"


def write_evidence(con: Con) -> Counts:
    """Take the staged evidence out of the lake, in the caller's transaction; rows deleted by table."""
    schema.create_tables(con)
    edges = "(entity, source, day, tuple_key, nodes)"
    days = in_days(row[0] for row in con.execute("SELECT DISTINCT day FROM erased_edges ORDER BY day").fetchall())
    found = {
        "identity.id_edges": f"DELETE FROM identity.id_edges WHERE {days} AND "
        f"{_among(con, 'tuple_key', 'erased_edges')} AND {edges} IN (SELECT {edges} FROM erased_edges)",
        "identity.id_nodes": f"DELETE FROM identity.id_nodes WHERE {_among(con, 'key', 'gone_nodes')} "
        "AND (entity, key) IN (SELECT (entity, key) FROM gone_nodes)",
    }
    counts = {table: run(con, sql) for table, sql in found.items()}
    con.execute("INSERT INTO identity.id_removed BY NAME FROM concerned")
    mine = _among(con, "key", "erased_ids")
    stitched = f"SELECT count(*) FROM identity.stitched_ids SEMI JOIN erased_ids USING (entity, key) WHERE {mine}"
    counts["identity.stitched_ids"] = int((con.execute(stitched).fetchone() or (0,))[0])
    run(
        con,
        f"UPDATE identity.stitched_ids SET retired_id = NULL WHERE {_named(con, 'retired_id')} "
        "AND (entity, retired_id) IN (SELECT (entity, profile_id) FROM erased_profiles)",
    )
    return counts


def _among(con: Con, column: str, table: str, of: str = "") -> str:
    """Condition that `of`, by default the column, is a key in a table, told one by one where they are few: cheaper."""
    found = con.execute(f"SELECT list(DISTINCT {column}) FROM {table} HAVING count(*) <= {FEW}").fetchone()
    return f"{of or column} IN ({', '.join(map(str, found[0]))})" if found and found[0] else "true"


def _named(con: Con, column: str) -> str:
    """The same for the ids of the erased profiles."""
    found = con.execute(f"SELECT list(profile_id) FROM erased_profiles HAVING count(*) <= {FEW}").fetchone()
    return f"{column} IN ({', '.join(map(literal, found[0]))})" if found and found[0] else "true"


def advance_evidence(con: Con, before: dict[str, str], after: dict[str, str]) -> None:
    """Note partitions (named source/day) from which only the person's rows went as applied in their new version."""
    done = progress.applied(con, evidence.STEP)
    progress.record(con, evidence.STEP, {p: v for p, v in after.items() if p in done and done[p] == before[p]})


def write_records(con: Con, project: Project) -> Counts:
    """Take the person out of violations, log and rules, in the caller's transaction; rows deleted by table."""
    pair = "(entity, {}) IN (SELECT (entity, key) FROM erased_ids)"
    either = f"{pair.format('key')} OR {pair.format('other_key')}"
    counts = {
        name: run(con, f"DELETE FROM {name} WHERE {either}")
        for name in ("identity.identity_violations", "identity.applied_rules")
    }
    counts["identity.identity_log"] = _rewrite_log(con)
    counts["identity.rules"] = sum(_delete_rules(con, project, entity) for entity in project.entities)
    return counts


def _rewrite_log(con: Con) -> int:
    """One row per erased profile takes the place of all about it; keys of erased ids vanish from the others."""
    mine = _named(con, "profile_id") + " AND (entity, profile_id) IN (SELECT (entity, profile_id) FROM erased_profiles)"
    con.execute(
        """CREATE OR REPLACE TEMP TABLE log_rows AS
        SELECT entity, coalesce(max(seq), 0) AS last, max(as_of) AS as_of FROM identity.identity_log GROUP BY entity"""
    )
    deleted = run(con, f"DELETE FROM identity.identity_log WHERE {mine}")
    con.execute(
        """INSERT INTO identity.identity_log BY NAME
        SELECT entity, coalesce(last, 0) + row_number() OVER (PARTITION BY entity ORDER BY profile_id) AS seq, as_of,
            'erased' AS change, profile_id FROM erased_profiles LEFT JOIN log_rows USING (entity)"""
    )
    for end in ("edge_from", "edge_to"):
        run(
            con,
            f"UPDATE identity.identity_log SET edge_from = NULL, edge_to = NULL "
            f"WHERE {_among(con, 'key', 'erased_ids', end)} AND (entity, {end}) IN "
            "(SELECT (entity, key) FROM erased_ids)",
        )
    return deleted


def _delete_rules(con: Con, project: Project, entity: str) -> int:
    ids = project.entities[entity].ids.items()
    key = {
        value: "CASE {} {} END".format(
            id_type, " ".join(f"WHEN {literal(n)} THEN {node_key(n, normalised_sql(s, value))}" for n, s in ids)
        )
        for id_type, value in (("id_type", "value"), ("other_type", "other_value"))
    }
    mine = f"(SELECT key FROM erased_ids WHERE entity = {literal(entity)})"
    named = " OR ".join(f"{sql} IN {mine}" for sql in key.values())
    deleted = run(con, f"DELETE FROM identity.rules WHERE entity = {literal(entity)} AND ({named})")
    if deleted:
        step = step_name(entity)
        before = progress.applied(con, step).get("all", "")
        progress.record(con, step, {"all": f"{before}-{deleted} erased"})
    return deleted


def run(con: Con, sql: str) -> int:
    """Run a statement that changes a table; the number of rows it changed, 0 where there is no such table."""
    table = sql.split("WHERE", 1)[0].removeprefix("DELETE FROM ").removeprefix("UPDATE ").split()[0]
    if not exists(con, table):
        return 0
    row = con.execute(sql).fetchone()
    return int(row[0]) if row else 0
