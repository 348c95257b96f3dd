"""From the lake to arrays: the visible evidence, what is known of each node, and the graph made of both.

Temporary tables, filled by whoever picks the nodes: `closed` (key): the nodes to resolve; `stored`: what
is stored about them; `pieces`: rows of evidence that touch them; `outside`: what is stored about other nodes in
these; `words` (key, id_type, value, barred): their
values; `stats` (key, first_day, first_time, first_seen, last_seen, count): their appearances. The manual rules
are in `rules_now` and `rulings`.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from profiles_assets.identity import schema
from profiles_assets.identity.blocked import blocked
from profiles_assets.identity.graph import NONE, Codes, Graph, Ints, Previous
from profiles_assets.identity.keys import BLOCKED, COLLISION, OK, QUARANTINED, profile_key, status_code
from profiles_assets.project.entities import Entity
from resources.tables import literal

Con = duckdb.DuckDBPyConnection

# load day and event time in one number, so that one minimum finds the first event time in the first load day
AGE = "((day - DATE '1970-01-01')::HUGEINT * (1::HUGEINT << 60) + epoch_us(first_seen))"
OUTSIDE = "key, id_type, status, known, profile_key, retired_id"
AGE_DAY = "({} - DATE '1970-01-01')::INTEGER"


@dataclass(frozen=True)
class Loaded:
    """A graph and what was stored about it; `values` are the texts of its nodes `at`, `types` their id types by number.

    `appearances` are `first_day, first_seen, last_seen, count` of each node, in days and microseconds.
    """

    graph: Graph
    previous: Previous
    values: pa.ChunkedArray
    at: Ints
    appearances: dict[str, Ints]
    types: tuple[str, ...]

    def without_evidence(self) -> "Loaded":
        """The same without tuples, which take up half of the memory and are of no use once it is resolved."""
        return replace(self, graph=self.graph.without_tuples())


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


def dictionary(nodes: str, entity: str, spec: Entity, only: str, where: str = "true") -> str:
    """SELECT of `words` for the keys of a table `only`, from rows that a condition picks."""
    return f"""SELECT key, id_type, value, {standing(spec)} AS barred
        FROM {nodes} SEMI JOIN {only} USING (key) WHERE entity = {literal(entity)} AND {where}"""


def standing(spec: Entity) -> str:
    """SQL standing of an id of the dictionary by its value alone."""
    return f"""CASE WHEN collides_with IS NOT NULL THEN {COLLISION} WHEN {blocked(spec)} THEN {BLOCKED}
        ELSE {OK} END::TINYINT"""


def known_words(only: str) -> str:
    """SELECT of `words` from what is stored, for the keys of a table `only`."""
    return f"SELECT key, id_type, value, {barred_before()} AS barred FROM stored SEMI JOIN {only} USING (key)"


def barred_before() -> str:
    """SQL standing of a stored id; manual rules as they were applied."""
    return f"""CASE status WHEN 'blocked' THEN {BLOCKED} WHEN 'collision' THEN {COLLISION}
        WHEN 'quarantined' THEN {QUARANTINED} ELSE {OK} END::TINYINT"""


def load_graph(con: Con, types: tuple[str, ...]) -> tuple[Graph, Previous]:
    """The graph of the picked nodes, and what was stored about them."""
    names = f"[{', '.join(map(literal, types))}]"
    _add_outside(con)
    nodes = con.sql(f"{_inner_nodes(names)} UNION ALL {_other_nodes(names)}").to_arrow_table()
    pieces = con.sql("SELECT nodes, epoch_us(first_seen) AS seen, count FROM pieces").to_arrow_table()
    keys, kinds = nodes["key"].combine_chunks(), _ints(nodes, "type")
    lists = pieces["nodes"].combine_chunks()
    links, apart = ruled_pairs(con, lambda wanted: _places(keys, pa.array(wanted)), kinds)
    graph = Graph(
        _ints(nodes, "key"),
        kinds.astype(np.int8),
        _ints(nodes, "standing").astype(np.int8),
        nodes["inside"].to_numpy(),
        _ints(nodes, "first_day"),
        _ints(nodes, "first_time"),
        *link_arrays(
            links, _offsets(lists), _places(keys, lists.flatten()), _ints(pieces, "seen"), _ints(pieces, "count")
        ),
        nodes["allowed"].to_numpy(),
        len(links[0]),
        apart,
    )
    known, profile, retired = (_ints(nodes, name) for name in ("known", "profile", "retired"))
    return graph, Previous(_ints(nodes, "status").astype(np.int8), known, profile, retired)


def with_ages(con: Con, graph: Graph) -> Graph:
    """The same graph with the ages of its inner nodes as they are in `stats` now."""
    rows = con.sql(f"SELECT key, {AGE_DAY.format('first_day')} AS first_day, first_time FROM stats").to_arrow_table()
    at = _places(pa.array(graph.keys), rows["key"].combine_chunks())
    ages = {name: getattr(graph, name).copy() for name in ("first_day", "first_time")}
    for name, values in ages.items():
        values[at[at != NONE]] = _ints(rows, name)[at != NONE]
    return replace(graph, **ages)


Pair = tuple[Ints, Ints]


def link_arrays(links: Pair, offsets: Ints, members: Ints, seen: Ints, counts: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Offsets, members, first times and counts of tuples, with pairs linked by hand behind them."""
    told = len(links[0])
    if not told:
        return offsets, members, seen, counts
    return (
        np.concatenate([offsets, offsets[-1] + 2 * np.arange(1, told + 1)]),
        np.concatenate([members, np.stack(links, axis=1).ravel()]),
        np.concatenate([seen, np.full(told, np.iinfo(np.int64).max)]),
        np.concatenate([counts, np.zeros(told, dtype=np.int64)]),
    )


def ruled_pairs(con: Con, find: Callable[[Ints], Ints], kinds: Ints | Codes) -> tuple[Pair, Pair]:
    """Nodes of the pairs that people linked, and of those they unlinked, where both are there.

    The one of the type declared first is in front.
    """
    return _pairs(con, "link", find, kinds), _pairs(con, "unlink", find, kinds)


def _pairs(con: Con, action: str, find: Callable[[Ints], Ints], kinds: Ints | Codes) -> Pair:
    told = con.execute(f"SELECT key, other_key FROM rules_now WHERE action = {literal(action)} ORDER BY ALL")
    table = told.to_arrow_table()
    ends = [find(table[name].to_numpy()) for name in ("key", "other_key")]
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
        FROM closed JOIN words w USING (key) LEFT JOIN stats s USING (key) LEFT JOIN stored b USING (key)"""


def _other_nodes(names: str) -> str:
    status = status_code("b.status")
    return f"""SELECT b.key, list_position({names}, b.id_type) - 1, {status}, false, false, 0, 0, {_STORED}
        FROM outside b ANTI JOIN closed USING (key)"""


def _add_outside(con: Con) -> None:
    """Take what is stored about nodes that are linked to the closed set without being in it."""
    con.execute(
        """CREATE OR REPLACE TEMP TABLE outer_keys AS SELECT key FROM (SELECT unnest(nodes) AS key FROM pieces
            UNION SELECT other_key FROM rules_now SEMI JOIN closed USING (key) WHERE action = 'link'
            UNION SELECT r.key FROM rules_now r JOIN closed c ON c.key = r.other_key WHERE action = 'link')
        ANTI JOIN closed USING (key) ANTI JOIN outside USING (key)"""
    )
    if con.execute("FROM outer_keys LIMIT 1").fetchone():
        con.execute(f"INSERT INTO outside SELECT {OUTSIDE} FROM before SEMI JOIN outer_keys USING (key)")


_STORED = f"""coalesce({status_code("b.status")}, {NONE}) AS status, coalesce(b.known, {NONE}) AS known,
    coalesce(b.profile_key, {NONE}) AS profile, {profile_key("b.retired_id")} AS retired"""


def _ints(table: pa.Table, name: str) -> Ints:
    found: Ints = table[name].to_numpy().astype(np.int64)
    return found


def _offsets(lists: pa.ListArray) -> Ints:
    offsets: Ints = lists.offsets.to_numpy().astype(np.int64)
    offsets -= offsets[0]
    return offsets
