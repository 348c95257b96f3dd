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

from profiles_assets.identity.evidence import dates
from profiles_assets.identity.graph import NONE, Codes, Flags, Graph, Ints, Previous, Rules
from profiles_assets.identity.guards import Verdict, judge
from profiles_assets.identity.keys import NOBODY, OK
from profiles_assets.identity.loading import OUTSIDE, appearances, dictionary, known_words, load_graph, with_ages
from profiles_assets.identity.rules import judge_words
from profiles_assets.project.entities import Entity

Con = duckdb.DuckDBPyConnection
# what else is stored follows from these
STORED = "* EXCLUDE (entity, profile_id)"
PIECES = "tuple_key, nodes, day, age, count, first_seen, last_seen"
FEW = 16


def load_closed_set(con: Con, nodes: str, entity: str, spec: Entity, rules: Rules) -> tuple[Graph, Previous]:
    """The closed set of the keys in the temporary table `frontier`; `ruled_keys` are those with other rules."""
    con.execute("CREATE OR REPLACE TEMP TABLE closed (key BIGINT)")
    for table, columns in (("stored", STORED), ("outside", OUTSIDE)):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT {columns} FROM before LIMIT 0")
    con.execute(f"CREATE OR REPLACE TEMP TABLE pieces AS SELECT {PIECES} FROM evidence LIMIT 0")
    con.execute(f"CREATE OR REPLACE TEMP TABLE stats AS SELECT * FROM ({appearances('pieces')}) LIMIT 0")
    con.execute(f"CREATE OR REPLACE TEMP TABLE words AS SELECT * FROM ({known_words('closed')}) LIMIT 0")
    loaded: tuple[Graph, Previous] | None = None
    while _count(con, "frontier"):
        _add_frontier(con)
        if loaded is None:
            _add_fresh_words(con, nodes, entity, spec)
        con.execute(f"INSERT INTO words {known_words('added')} ANTI JOIN words USING (key)")
        _add_pieces(con, len(rules.types))
        _drop_unseen(con)
        loaded = load_graph(con, rules.types)
        _set_frontier(con, wanted(*loaded, judge(*loaded, rules), rules))
    _stage_stats(con)
    gone = con.execute("DELETE FROM words WHERE key NOT IN (SELECT key FROM stats)").fetchone()
    if loaded is None or gone != (0,):
        return load_graph(con, rules.types)
    return with_ages(con, loaded[0]), loaded[1]


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


def _add_frontier(con: Con) -> None:
    """Add the frontier with the whole stored components of what is in it; `stored` keeps what was known of them."""
    # an id that is in no component is by itself
    party = "coalesce(component, key)"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE reached AS
        SELECT DISTINCT {party} AS party FROM before SEMI JOIN frontier USING (key)"""
    )
    con.execute(
        f"""INSERT INTO stored BY NAME SELECT * FROM (
            SELECT {STORED} FROM before WHERE {party} IN (FROM reached)) ANTI JOIN closed USING (key)"""
    )
    con.execute(
        """CREATE OR REPLACE TEMP TABLE added AS
        SELECT key FROM (FROM frontier UNION SELECT key FROM stored) ANTI JOIN closed USING (key)"""
    )
    con.execute("INSERT INTO closed FROM added")


def _add_fresh_words(con: Con, nodes: str, entity: str, spec: Entity) -> None:
    """Values of new ids, from the days of the evidence that brought them, and of ids with other rules."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE fresh_keys AS FROM frontier ANTI JOIN stored USING (key) UNION FROM ruled_keys"
    )
    row = con.execute("SELECT list(DISTINCT day::VARCHAR) FROM arrived").fetchone()
    days = row[0] if row and row[0] else []
    # an id that is back after a while was written long before
    for where in (f"written IN ({dates(days)})", "true") if days and not _count(con, "ruled_keys") else ("true",):
        if _count(con, "fresh_keys"):
            con.execute(f"INSERT INTO words {dictionary(nodes, entity, spec, 'fresh_keys', where)}")
            con.execute("DELETE FROM fresh_keys WHERE key IN (SELECT key FROM words)")
    judge_words(con)


def _add_pieces(con: Con, width: int) -> None:
    """Add the evidence that touches what was added, unless it is there already.

    Ids that are barred touch nobody, save those that other rules bar now or barred before.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE sought AS FROM added SEMI JOIN
        (FROM words WHERE barred = {OK} OR key IN (FROM ruled_keys)) USING (key)"""
    )
    con.execute(
        f"""INSERT INTO pieces SELECT * FROM (SELECT {PIECES} FROM evidence WHERE {_touching(con, width)}) ANTI JOIN
        (SELECT DISTINCT tuple_key, nodes FROM pieces) USING (tuple_key, nodes)"""
    )


def _drop_unseen(con: Con) -> None:
    """Forget ids that no evidence is left of, unless they are barred: of these no evidence was picked."""
    con.execute(f"DELETE FROM words WHERE barred = {OK} AND key NOT IN (SELECT DISTINCT unnest(nodes) FROM pieces)")


def _touching(con: Con, width: int) -> str:
    """Condition that a tuple has an id of `sought`; a few are found faster one by one."""
    row = con.execute(f"SELECT list(key) FROM sought HAVING count(*) <= {FEW}").fetchone()
    one_by_one = [f"list_contains(nodes, {key})" for key in (row[0] or [] if row else [])]
    return " OR ".join(one_by_one or [f"nodes[{i}] IN (FROM sought)" for i in range(1, width + 1)])


def _stage_stats(con: Con) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE barred AS SELECT key FROM words WHERE barred <> {OK}")
    con.execute("CREATE OR REPLACE TEMP TABLE open AS FROM closed ANTI JOIN barred USING (key)")
    con.execute(f"CREATE OR REPLACE TEMP TABLE stats AS {appearances('pieces', 'open')}")
    if _count(con, "barred"):
        con.execute(f"INSERT INTO stats {appearances('evidence', 'barred')}")


def _count(con: Con, relation: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {relation}").fetchone()
    assert row is not None
    return int(row[0])
