"""Links and ids of an explanation: what was seen together how often, where and when, and what people said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

import duckdb
import pyarrow as pa

Con = duckdb.DuckDBPyConnection
NO_STEP = ("blocked", "collision")
PASSABLE = f"status NOT IN ({', '.join(map(repr, NO_STEP))})"


@dataclass(frozen=True)
class Id:
    """An id with what is known of it; `detail` says in words why it identifies nobody."""

    key: int
    id_type: str
    value: str
    status: str
    profile_id: str | None
    count: int
    first_seen: datetime | None
    last_seen: datetime | None
    detail: str = ""

    @property
    def name(self) -> str:
        """Type and value."""
        return f"{self.id_type}:{self.value}"


@dataclass(frozen=True)
class Rule:
    """A rule that people gave about an id or two."""

    action: str
    who: str
    why: str
    origin: str

    @property
    def words(self) -> str:
        """Who said so, why and where."""
        return (
            f"by {self.who or 'somebody'}{f': {self.why}' if self.why else ''}{f' ({self.origin})' * bool(self.origin)}"
        )


@dataclass(frozen=True)
class Link:
    """Two ids that were seen together in `count` records, or linked by a rule; days are load days.

    `yielded` says which limit or rule the link gave way to.
    """

    a: int
    b: int
    count: int
    sources: list[str]
    first_day: date | None
    last_day: date | None
    first_seen: datetime | None
    last_seen: datetime | None
    rule: Rule | None = None
    yielded: str = ""


def stage_pairs(con: Con, keys: str, table: str = "explain_pairs") -> None:
    """Temporary table (a, b, count, …) of all pairs, both ways, in the evidence that touches the keys of a SELECT.

    Pairs linked by a rule are in it too; those that were never seen together have no records.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE explain_keys AS {keys}")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {table} AS WITH touched AS (
            SELECT nodes, source, min(day) AS first_day, max(day) AS last_day, sum(count) AS count,
                min(first_seen) AS first_seen, max(last_seen) AS last_seen
            FROM explain_evidence WHERE tuple_key IN (SELECT tuple_key FROM (
                SELECT tuple_key, unnest(nodes) AS key FROM explain_evidence) SEMI JOIN explain_keys USING (key))
            GROUP BY nodes, source),
        ends AS (SELECT *, unnest(nodes) AS a FROM touched), pairs AS (SELECT *, unnest(nodes) AS b FROM ends),
        ruled AS (SELECT key AS a, other_key AS b FROM explain_rules WHERE action = 'link'),
        said AS (
            SELECT a, b, source, first_day, last_day, count, first_seen, last_seen FROM pairs WHERE a <> b
            UNION ALL BY NAME SELECT a, b, 0 AS count FROM (FROM ruled UNION SELECT b, a FROM ruled)
            WHERE a IN (FROM explain_keys) OR b IN (FROM explain_keys))
        SELECT a, b, sum(count)::BIGINT AS count, coalesce(list_sort(list(DISTINCT source)), []) AS sources,
            min(first_day) AS first_day, max(last_day) AS last_day, min(first_seen) AS first_seen,
            max(last_seen) AS last_seen
        FROM said GROUP BY a, b"""
    )


def shortest_path(con: Con, pairs: str, start: int, goal: int) -> list[int]:
    """Keys along the fewest pairs of a relation (a, b, count) from one to another; empty where there is no way.

    Of several ways the one through more records is taken, then the one through smaller keys.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE walked AS SELECT {start} AS key, NULL::BIGINT AS back, 0 AS level")
    level = 0
    while not (found := con.execute("FROM walked WHERE key = ?", [goal]).fetchone()):
        before = con.execute("SELECT count(*) FROM walked").fetchone()
        con.execute(
            f"INSERT INTO walked SELECT p.b, arg_min(p.a, (-p.count, p.a)), {level + 1} FROM {pairs} p "
            f"JOIN walked w ON w.key = p.a AND w.level = {level} WHERE p.b NOT IN (SELECT key FROM walked) GROUP BY p.b"
        )
        if con.execute("SELECT count(*) FROM walked").fetchone() == before:
            return []
        level += 1
    path = [int(found[0])]
    while (back := con.execute("SELECT back FROM walked WHERE key = ?", [path[-1]]).fetchone()) and back[0] is not None:
        path.append(int(back[0]))
    return path[::-1]


def read_ids(con: Con, keys: Iterable[int]) -> dict[int, Id]:
    """Ids by their keys, with the reason why one identifies nobody."""
    _register(con, "asked_keys", {"key": [*keys]})
    rows = con.execute(
        """SELECT i.key, id_type, value, status, profile_id, count, i.first_seen, i.last_seen, coalesce(r.detail, '')
        FROM explain_ids i SEMI JOIN asked_keys USING (key) LEFT JOIN (
            SELECT key, string_agg(DISTINCT detail, '; ' ORDER BY detail) AS detail FROM explain_reasons
            WHERE other_key IS NULL GROUP BY key) r USING (key)
        ORDER BY i.key"""
    ).fetchall()
    return {row[0]: Id(*row) for row in rows}


def read_links(con: Con, ends: Sequence[tuple[int, int]], pairs: str = "explain_pairs") -> list[Link]:
    """Links between pairs of keys, in their order, from the staged pairs, the rules and what yielded."""
    _register(con, "asked_links", {"number": [*range(len(ends))], "a": [a for a, _ in ends], "b": [b for _, b in ends]})
    rows = con.execute(
        f"""SELECT l.a, l.b, coalesce(p.count, 0), coalesce(p.sources, []), p.first_day, p.last_day, p.first_seen,
            p.last_seen, rule, coalesce(yielded, '')
        FROM asked_links l LEFT JOIN {pairs} p USING (a, b)
        LEFT JOIN {_both_ways("rules", "min((who, why, origin)) AS rule", "action = 'link'")} USING (a, b)
        LEFT JOIN {_both_ways("reasons", "min(detail) AS yielded", "other_key IS NOT NULL")} USING (a, b)
        ORDER BY number"""
    ).fetchall()
    return [replace(Link(*row[:8]), rule=_linked(row[8]), yielded=row[9]) for row in rows]


def read_rules(con: Con, where: str, parameters: Sequence[Any] = ()) -> list[Rule]:
    """Rules that people gave, those about some keys, in any fixed order."""
    found = con.execute(
        f"SELECT action, coalesce(who, ''), coalesce(why, ''), coalesce(origin, '') FROM explain_rules WHERE {where} "
        "ORDER BY ALL",
        [*parameters],
    )
    return [Rule(*row) for row in found.fetchall()]


def _linked(told: Sequence[str | None] | None) -> Rule | None:
    return Rule("link", *(word or "" for word in told)) if told else None


def _both_ways(table: str, what: str, where: str) -> str:
    return f"""(SELECT a, b, {what} FROM (
            SELECT *, key AS a, other_key AS b FROM explain_{table} WHERE {where}
            UNION ALL SELECT *, other_key AS a, key AS b FROM explain_{table} WHERE {where})
        SEMI JOIN asked_links USING (a, b) GROUP BY a, b)"""


def _register(con: Con, name: str, values: dict[str, list[int]]) -> None:
    table = pa.table({column: pa.array(found, pa.int64()) for column, found in values.items()})
    con.register("asked_arrow", table)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM asked_arrow")
    con.unregister("asked_arrow")
