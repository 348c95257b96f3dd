"""From the lake to arrays: the visible evidence, what is known of each node, and the graph made of both.

Temporary tables, filled by whoever picks the nodes: `closed` (key): the nodes to resolve; `pieces`
(tuple_key, nodes, first_seen, count): all tuples that touch them; `words` (key, id_type, value, barred): their
values; `stats` (key, first_day, first_time, first_seen, last_seen, count): their appearances. The manual rules
are in `rules_now` and `rulings`.
"""

from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from profiles_assets.identity import schema
from profiles_assets.identity.blocked import blocked
from profiles_assets.identity.graph import NONE, Graph, Ints, Previous
from profiles_assets.identity.keys import BLOCKED, COLLISION, OK, QUARANTINED, profile_key, status_code
from profiles_assets.identity.rules import judge_words
from profiles_assets.project.entities import Entity
from resources.tables import literal

Con = duckdb.DuckDBPyConnection

# load day and event time in one number, so that one minimum finds the first event time in the first load day
AGE = "((day - DATE '1970-01-01')::HUGEINT * (1::HUGEINT << 60) + epoch_us(first_seen))"


def view_evidence(con: Con, edges: str, entity: str, as_of: date) -> None:
    """View `evidence`: the rows of the edges of an entity that count at a day; table `superseded`: what did before.

    A tuple that an earlier version of a record had keeps the age and the first time it had then.
    """
    mine = f"entity = {literal(entity)}"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE superseded AS SELECT tuple_key, nodes, min(day) AS day, min({AGE}) AS age,
            min(first_seen) AS first_seen FROM {edges} WHERE {mine} AND until <= DATE '{as_of}' GROUP BY ALL"""
    )
    rows = f"SELECT *, {AGE} AS age FROM {edges} WHERE {mine} AND"
    if con.execute("FROM superseded LIMIT 1").fetchone():
        older = ", ".join(f"least(e.{c}, s.{c}) AS {c}" for c in ("day", "age", "first_seen"))
        view = f"""SELECT e.* REPLACE ({older}) FROM ({rows} {schema.counts_sql(as_of)}) e
            LEFT JOIN superseded s USING (tuple_key, nodes)"""
    else:
        view = f"{rows} visible <= DATE '{as_of}'"
    con.execute(f"CREATE OR REPLACE TEMP VIEW evidence AS {view}")


def view_before(con: Con, stitched: str, entity: str) -> None:
    """View `before`: the stitched ids of an entity as they are stored."""
    con.execute(f"CREATE OR REPLACE TEMP VIEW before AS FROM {stitched} WHERE entity = {literal(entity)}")


def load_everything(con: Con, nodes: str, entity: str, spec: Entity, reuse: bool = False) -> None:
    """Pick all nodes in the evidence; `reuse` takes their values as stitched where they are, under the same rules."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE pieces AS SELECT tuple_key, nodes, min(day) AS day, min(age) AS age, "
        "min(first_seen) AS first_seen, max(last_seen) AS last_seen, sum(count)::BIGINT AS count "
        "FROM evidence GROUP BY tuple_key, nodes"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE stats AS {appearances('pieces')}")
    con.execute("CREATE OR REPLACE TEMP TABLE closed AS SELECT key FROM stats")
    con.execute("CREATE OR REPLACE TEMP TABLE fresh_keys AS FROM closed" + (" ANTI JOIN before USING (key)" * reuse))
    con.execute(f"CREATE OR REPLACE TEMP TABLE words AS {dictionary(nodes, entity, spec, 'fresh_keys')}")
    if reuse:
        con.execute(f"INSERT INTO words {known_words('closed')}")
    judge_words(con)


def appearances(evidence: str, only: str = "") -> str:
    """SELECT of `stats` from rows of evidence, of the keys of a table `only` where one is given.

    An id is as old as the first evidence of it, also where that is superseded by now.
    """
    limit = f"SEMI JOIN {only} USING (key)" if only else ""
    return f"""SELECT key, min(day) AS first_day, (min(age) - (min(day) - DATE '1970-01-01')::HUGEINT
            * (1::HUGEINT << 60))::BIGINT AS first_time, min(first_seen) AS first_seen,
            max(last_seen) AS last_seen, sum(count)::BIGINT AS count
        FROM (SELECT unnest(nodes) AS key, day, age, first_seen, last_seen, count FROM {evidence}
            UNION ALL SELECT unnest(nodes), day, age, first_seen, NULL, NULL FROM superseded) {limit}
        GROUP BY key HAVING sum(count) IS NOT NULL"""


def dictionary(nodes: str, entity: str, spec: Entity, only: str) -> str:
    """SELECT of `words` for the keys of a table `only`."""
    return f"""SELECT key, id_type, value, CASE WHEN collides THEN {COLLISION}
            WHEN {blocked(spec)} THEN {BLOCKED} ELSE {OK} END::TINYINT AS barred
        FROM (SELECT key, any_value(id_type) AS id_type, any_value(value) AS value,
            bool_or(collides_with IS NOT NULL) AS collides
            FROM {nodes} SEMI JOIN {only} USING (key) WHERE entity = {literal(entity)} GROUP BY key)"""


def known_words(only: str) -> str:
    """SELECT of `words` from what is stored, for the keys of a table `only`; manual rules as they were applied."""
    return f"""SELECT key, id_type, value, CASE status WHEN 'blocked' THEN {BLOCKED} WHEN 'collision' THEN {COLLISION}
            WHEN 'quarantined' THEN {QUARANTINED} ELSE {OK} END::TINYINT AS barred
        FROM before SEMI JOIN {only} USING (key)"""


def load_graph(con: Con, types: tuple[str, ...], whole: bool = False) -> tuple[Graph, Previous]:
    """The graph of the picked nodes (`whole`: all there are, so none beside them), and what was stored about them."""
    names = f"[{', '.join(map(literal, types))}]"
    query = _inner_nodes(names) if whole else f"{_inner_nodes(names)} UNION ALL {_other_nodes(names)}"
    nodes = con.sql(query).to_arrow_table()
    pieces = con.sql("SELECT nodes, epoch_us(first_seen) AS seen, count FROM pieces").to_arrow_table()
    keys, kinds = nodes["key"].combine_chunks(), _ints(nodes, "type")
    lists = pieces["nodes"].combine_chunks()
    offsets, members = _offsets(lists), _places(keys, lists.flatten())
    links = _pairs(con, "link", keys, kinds)
    ruled = len(links[0])
    graph = Graph(
        _ints(nodes, "key"),
        kinds.astype(np.int8),
        _ints(nodes, "standing").astype(np.int8),
        nodes["inside"].to_numpy(),
        _ints(nodes, "first_day"),
        _ints(nodes, "first_time"),
        np.concatenate([offsets, offsets[-1] + 2 * np.arange(1, ruled + 1)]),
        np.concatenate([members, np.stack(links, axis=1).ravel()]),
        np.concatenate([_ints(pieces, "seen"), np.full(ruled, np.iinfo(np.int64).max)]),
        np.concatenate([_ints(pieces, "count"), np.zeros(ruled, dtype=np.int64)]),
        nodes["allowed"].to_numpy(),
        ruled,
        _pairs(con, "unlink", keys, kinds),
    )
    known, profile, retired = (_ints(nodes, name) for name in ("known", "profile", "retired"))
    return graph, Previous(_ints(nodes, "status").astype(np.int8), known, profile, retired)


def _pairs(con: Con, action: str, keys: pa.Array, kinds: Ints) -> tuple[Ints, Ints]:
    """Nodes of the pairs in manual rules of which both are there, the one of the type declared first in front."""
    told = con.execute(f"SELECT key, other_key FROM rules_now WHERE action = {literal(action)} ORDER BY ALL")
    table = told.to_arrow_table()
    ends = [_places(keys, table[name].combine_chunks()) for name in ("key", "other_key")]
    a, b = (end[(ends[0] >= 0) & (ends[1] >= 0)] for end in ends)
    return np.where(kinds[a] <= kinds[b], a, b), np.where(kinds[a] <= kinds[b], b, a)


def _places(keys: pa.Array, wanted: pa.Array) -> Ints:
    """Position of each wanted key among keys, -1 where it is none of them."""
    found = pc.index_in(wanted, value_set=keys)
    places: Ints = pc.fill_null(found, NONE).to_numpy(zero_copy_only=False).astype(np.int64)
    return places


def _inner_nodes(names: str) -> str:
    return f"""SELECT w.key, list_position({names}, w.id_type) - 1 AS type, w.barred AS standing, true AS inside,
        w.key IN (SELECT key FROM rulings WHERE action = 'allow') AS allowed,
        coalesce(s.first_day - DATE '1970-01-01', 0) AS first_day, coalesce(s.first_time, 0) AS first_time, {_STORED}
        FROM closed JOIN words w USING (key) LEFT JOIN stats s USING (key) LEFT JOIN before b USING (key)"""


def _other_nodes(names: str) -> str:
    status = status_code("b.status")
    return f"""SELECT b.key, list_position({names}, b.id_type) - 1, {status}, false, false, 0, 0, {_STORED}
        FROM before b JOIN (SELECT unnest(nodes) AS key FROM pieces
            UNION SELECT other_key FROM rules_now SEMI JOIN closed USING (key) WHERE action = 'link'
            UNION SELECT r.key FROM rules_now r JOIN closed c ON c.key = r.other_key WHERE action = 'link') USING (key)
        ANTI JOIN closed USING (key)"""


_STORED = f"""coalesce({status_code("b.status")}, {NONE}) AS status, coalesce(b.known, {NONE}) AS known,
    coalesce(b.profile_key, {NONE}) AS profile, {profile_key("b.retired_id")} AS retired"""


def _ints(table: pa.Table, name: str) -> Ints:
    found: Ints = table[name].to_numpy().astype(np.int64)
    return found


def _offsets(lists: pa.ListArray) -> Ints:
    offsets: Ints = lists.offsets.to_numpy().astype(np.int64)
    offsets -= offsets[0]
    return offsets
