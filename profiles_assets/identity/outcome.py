"""From a resolution back to rows: the tables `staged_ids`, `staged_violations` and `staged_log`."""

from datetime import date

import duckdb
import numpy as np
import pyarrow as pa

from profiles_assets.identity.graph import NONE, Flags, Graph, Ints, Resolution
from profiles_assets.identity.keys import (
    BLOCKED,
    BRIDGE,
    COLLISION,
    HUB,
    LIMIT,
    NOBODY,
    QUARANTINED,
    STATUSES,
    UNLINK,
    profile_id,
    status_name,
)
from profiles_assets.identity.links import NEVER
from profiles_assets.identity.loading import Loaded
from resources.tables import Change, Merge, literal, quote, staged_names

Con = duckdb.DuckDBPyConnection
CHANGES = ("created", "merged", "split")
COMPARED = (
    "component", "known", "profile_key", "status", "retired_id", "first_day", "first_seen", "last_seen", "count",
)  # fmt: skip
LABELS = ("status", "known", "component", "profile", "retired")
RULES = (*STATUSES, "limit", "unlink")


def stage_ids(con: Con, entity: str, graph: Graph, found: Resolution) -> None:
    """View `staged_ids` with the rows of `stitched_ids` for the inner nodes; needs `words` and `stats`."""
    columns = {name: getattr(found, name) for name in LABELS}
    _register(con, {"key": graph.keys} | columns, graph.inner, table="resolved_ids")
    appearances = "first_day, first_seen, last_seen, count"
    rows = f"SELECT {_ids(entity)}, {appearances} FROM resolved_ids JOIN words USING (key) JOIN stats USING (key)"
    _offer(con, "staged_ids", rows, held=False)


def stage_id_changes(con: Con, scope: str) -> Merge:
    """How `staged_ids` differ from the rows of `stored`, which have a key at most once."""
    table, key = "identity.stitched_ids", ("key",)
    new, gone = staged_names(table)
    differs = " OR ".join(f"(n.{c} IS DISTINCT FROM b.{c})" for c in COMPARED)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {new} AS SELECT n.* FROM staged_ids n LEFT JOIN stored b USING (key) "
        f"WHERE b.key IS NULL OR {differs}"
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {gone} AS SELECT key FROM stored SEMI JOIN {new} USING (key) UNION ALL
        SELECT key FROM stored ANTI JOIN staged_ids USING (key)"""
    )
    row = con.execute(
        f"SELECT (SELECT count(*) FROM {new}), count(*), count(n.key) FROM {gone} LEFT JOIN {new} n USING (key)"
    ).fetchone()
    assert row is not None
    change = Change(inserted=row[0] - row[2], updated=row[2], deleted=row[1] - row[2])
    return Merge(table, "staged_ids", key, scope, change, whole=False)


def stage_whole(
    con: Con, entity: str, loaded: Loaded, found: Resolution, table: str = "staged_ids", *, held: bool = True
) -> None:
    """The same for all nodes at once; what is not `held` is made when it is read."""
    labels = (
        {"key": loaded.graph.keys, "type": loaded.graph.types}
        | {name: getattr(found, name) for name in LABELS}
        | loaded.appearances
    )
    columns = {name: pa.array(values[loaded.at]) for name, values in labels.items()}
    con.register(f"all_{table}", pa.table(columns | {"value": loaded.values}))
    id_type = f"[{', '.join(map(literal, loaded.types))}][type + 1]"
    rows = f"""SELECT {_ids(entity, id_type)}, DATE '1970-01-01' + first_day::INTEGER AS first_day,
        make_timestamp(first_seen) AS first_seen, make_timestamp(last_seen) AS last_seen, count
        FROM {quote(f"all_{table}")}"""
    _offer(con, table, rows, held=held)


def _offer(con: Con, table: str, rows: str, *, held: bool) -> None:
    if held:
        kept = quote(f"held_{table}")
        con.execute(f"CREATE OR REPLACE TEMP TABLE {kept} AS {rows}")
        rows = f"FROM {kept}"
    con.execute(f"CREATE OR REPLACE TEMP VIEW {quote(table)} AS {rows}")


def _ids(entity: str, id_type: str = "id_type") -> str:
    return f"""{literal(entity)} AS entity, key, {id_type} AS id_type, value, nullif(component, {NONE}) AS component,
        nullif(known, {NONE}) AS known, {profile_id("profile")} AS profile_id, nullif(profile, {NONE}) AS profile_key,
        {status_name("status")} AS status, {profile_id("retired")} AS retired_id"""


def stage_violations(con: Con, entity: str, types: tuple[str, ...], graph: Graph, found: Resolution) -> None:
    """Temporary table with the rows of `identity_violations` for the inner nodes; needs `staged_ids`."""
    v = found.violations
    columns = {name: getattr(v, name) for name in ("rule", "about", "number", "allowed", "seen", "count")}
    _register(con, columns | {"key": graph.keys[v.node], "other": _keys(graph, v.other)})
    about = f"[{', '.join(map(literal, types))}][about + 1]"
    con.execute(f"""CREATE OR REPLACE TEMP TABLE staged_violations AS SELECT {literal(entity)} AS entity,
        [{", ".join(map(literal, RULES))}][rule + 1] AS rule, key, id_type, value,
        nullif(other, {NONE}) AS other_key, CASE rule
            WHEN {BLOCKED} THEN 'this value identifies nobody'
            WHEN {COLLISION} THEN 'another value has the same key'
            WHEN {HUB} THEN format('seen with {{}} values of {{}}, at most {{}} allowed', number, {about}, allowed)
            WHEN {BRIDGE} THEN format('seen with {{}} known people, at most {{}} allowed', number, allowed)
            WHEN {QUARANTINED} THEN 'a manual rule quarantines it'
            WHEN {UNLINK} THEN 'a manual rule keeps two of its ids apart; this link yielded'
            ELSE format('a profile has at most {{}} of {{}}; this link yielded', allowed, {about}) END AS detail,
        CASE WHEN rule IN ({", ".join(map(str, NOBODY))}) THEN n.count ELSE r.count END AS count,
        CASE WHEN rule NOT IN ({LIMIT}, {UNLINK}) THEN first_seen
            WHEN seen < {NEVER} THEN make_timestamp(seen) END AS first_seen
        FROM resolved r JOIN staged_ids n USING (key)""")


def stage_violation_changes(con: Con, violations: str, scope: str) -> None:
    """Keys whose violations are not what they were, among the stored rows in scope and the staged ones."""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE changed_violations AS SELECT DISTINCT key FROM (
        (FROM staged_violations EXCEPT FROM {violations} WHERE {scope})
        UNION ALL (FROM {violations} WHERE {scope} EXCEPT FROM staged_violations))"""
    )


def write_violation_changes(con: Con, entity: str) -> None:
    """Replace the violations of the keys that changed, in the caller's transaction."""
    con.execute(
        "DELETE FROM identity.identity_violations WHERE entity = ? AND key IN (FROM changed_violations)", [entity]
    )
    con.execute(
        "INSERT INTO identity.identity_violations BY NAME "
        "FROM staged_violations SEMI JOIN changed_violations USING (key)"
    )


def stage_log(con: Con, entity: str, as_of: date, log: str, found: Resolution) -> None:
    """Temporary table with the rows to append to `identity_log`."""
    c = found.changes
    order = np.lexsort((c.profile, np.searchsorted(CHANGES, c.kind)))
    columns = {name: getattr(c, name)[order] for name in ("kind", "profile", "other", "edge_from", "edge_to")}
    _register(con, columns | {"place": np.arange(1, len(order) + 1)})
    con.execute(f"""CREATE OR REPLACE TEMP TABLE staged_log AS SELECT {literal(entity)} AS entity,
        (SELECT coalesce(max(seq), 0) FROM {log} WHERE entity = {literal(entity)}) + place AS seq,
        DATE '{as_of}' AS as_of, kind AS change, {profile_id("profile")} AS profile_id,
        {profile_id("other")} AS other_profile_id, nullif(edge_from, {NONE}) AS edge_from,
        nullif(edge_to, {NONE}) AS edge_to FROM resolved""")


def _register(con: Con, columns: dict[str, Ints], only: Flags | None = None, *, table: str = "resolved") -> None:
    rows = pa.table(columns if only is None else {name: array[only] for name, array in columns.items()})
    con.register("resolved_arrays", rows)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM resolved_arrays")
    con.unregister("resolved_arrays")


def _keys(graph: Graph, nodes: Ints) -> Ints:
    return np.where(nodes == NONE, NONE, graph.keys[nodes]) if len(graph.keys) else nodes
