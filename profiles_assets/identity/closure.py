"""The closed set of a change: every node whose outcome it may alter, with all tuples that touch them.

It starts with the nodes in added or removed tuples. Whatever it holds, it holds the whole stored component
of, before limits. The guards are then taken on it: a node whose quarantine flips brings everything it occurs
with, and a strong id whose known person changed brings the weak ids next to it, since their bridges must be
counted again; a new node brings what it is linked to by hand. Blocked values never bring anything. This repeats
until nothing is added.
"""

import duckdb
import numpy as np
import pyarrow as pa

from profiles_assets.identity.graph import NONE, Codes, Flags, Graph, Ints, Previous, Rules
from profiles_assets.identity.guards import Verdict, judge
from profiles_assets.identity.keys import NOBODY, OK
from profiles_assets.identity.loading import appearances, dictionary, known_words, load_graph
from profiles_assets.identity.rules import judge_words
from profiles_assets.project.entities import Entity

Con = duckdb.DuckDBPyConnection


def load_closed_set(con: Con, nodes: str, entity: str, spec: Entity, rules: Rules) -> None:
    """Pick the closed set of the keys in the temporary table `frontier`; `ruled_keys` are those with other rules."""
    con.execute("CREATE OR REPLACE TEMP TABLE closed (key BIGINT)")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE pieces (tuple_key BIGINT, nodes BIGINT[], first_seen TIMESTAMP, count BIGINT)"
    )
    con.execute("CREATE OR REPLACE TEMP TABLE stats AS SELECT * FROM (" + appearances("evidence") + ") LIMIT 0")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE fresh_keys AS FROM frontier ANTI JOIN before USING (key) UNION FROM ruled_keys"
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE words AS {dictionary(nodes, entity, spec, 'fresh_keys')}")
    judge_words(con)
    while _extend(con):
        graph, previous = load_graph(con, rules.types)
        _set_frontier(con, wanted(graph, previous, judge(graph, previous, rules), rules))
    con.execute(f"CREATE OR REPLACE TEMP TABLE stats AS {appearances('evidence', 'closed')}")
    con.execute("DELETE FROM words WHERE key NOT IN (SELECT key FROM stats)")


def wanted(graph: Graph, previous: Previous, verdict: Verdict, rules: Rules) -> Ints:
    """Keys of nodes outside the set whose outcome may change because of what changed inside."""
    stored = graph.inner & (previous.status != NONE)
    flipped = stored & (_standing(previous.status) != _standing(verdict.status))
    relabelled = stored & (previous.known != verdict.known)
    weak = np.array(rules.weak, dtype=np.bool_)[graph.types]
    members, at = graph.members, graph.tuple_of
    by_flip = _touched(graph, flipped)[at]
    by_label = _touched(graph, relabelled)[at] & weak[members]
    by_hand = _touched(graph, graph.inner & ~stored)[at] & (at >= graph.told)
    open_ = ~graph.inner & ~np.isin(graph.standing, NOBODY)
    return np.unique(graph.keys[members[(by_flip | by_label | by_hand) & open_[members]]])


def _standing(status: Codes) -> Ints:
    """What a status means to others: 0 joins them, 1 only counts as met, 2 is as if it were not there."""
    return np.select([status == OK, np.isin(status, NOBODY)], [0, 2], 1)


def _touched(graph: Graph, nodes: Flags) -> Flags:
    touched = np.zeros(len(graph.seen), dtype=np.bool_)
    touched[graph.tuple_of[nodes[graph.members]]] = True
    return touched


def _set_frontier(con: Con, keys: Ints) -> None:
    con.register("wanted_keys", pa.table({"key": keys}))
    con.execute("CREATE OR REPLACE TEMP TABLE frontier AS FROM wanted_keys")
    con.unregister("wanted_keys")


def _extend(con: Con) -> bool:
    if _count(con, "frontier") == 0:
        return False
    con.execute(
        "CREATE OR REPLACE TEMP TABLE added AS SELECT key FROM frontier UNION SELECT key FROM before "
        "WHERE component IN (SELECT component FROM before SEMI JOIN frontier USING (key))"
    )
    con.execute("DELETE FROM added WHERE key IN (FROM closed)")
    con.execute("INSERT INTO closed FROM added")
    con.execute(f"INSERT INTO words {known_words('added')} ANTI JOIN words USING (key)")
    con.execute(
        f"""INSERT INTO pieces SELECT tuple_key, nodes, min(first_seen), sum(count)::BIGINT FROM evidence
        WHERE tuple_key IN (SELECT tuple_key FROM (SELECT tuple_key, unnest(nodes) AS key FROM evidence)
            WHERE key IN (SELECT key FROM added JOIN words USING (key) WHERE barred = {OK} OR key IN (FROM ruled_keys)))
        AND tuple_key NOT IN (SELECT tuple_key FROM pieces) GROUP BY tuple_key, nodes"""
    )
    return True


def _count(con: Con, relation: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {relation}").fetchone()
    assert row is not None
    return int(row[0])
