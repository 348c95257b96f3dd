"""The way between two ids of different profiles, over ids that identify nobody and links that yielded.

It goes from group to group: a group is a profile, or an id that is quarantined, which is a group of its own.
Blocked values are no way. Each level of the search is one set operation on the evidence, from the side that has
fewer groups to go on from.
"""

from dataclasses import dataclass, field

import duckdb

from profiles_assets.identity.explain_links import PASSABLE, shortest_path, stage_pairs

Con = duckdb.DuckDBPyConnection
MOST_GROUPS = 20_000


@dataclass(frozen=True)
class Route:
    """Keys of the ids on the way; without a way, `stopped` says why the search ended before it knew."""

    path: list[int] = field(default_factory=list)
    stopped: str = ""


def find_route(con: Con, a: int, b: int, most: int = MOST_GROUPS) -> Route:
    """The way over the fewest groups from one id to another; needs the views of `stage_reading`.

    The search ends where both sides would go on from more than `most` groups.
    """
    con.execute(
        "CREATE OR REPLACE TEMP TABLE reached AS SELECT grp, key = ? AS ours, 0 AS level, NULL::BIGINT AS from_key, "
        "NULL::BIGINT AS to_key FROM explain_ids WHERE key IN (?, ?)",
        [a, a, b],
    )
    levels = {True: 0, False: 0}
    while (meeting := _meeting(con)) is None:
        fresh = {side: _fresh(con, side, level) for side, level in levels.items()}
        side = min(fresh, key=lambda s: (fresh[s], s))
        if not fresh[side]:
            return Route()
        if fresh[side] > most:
            return Route(
                stopped=f"no way of up to {sum(levels.values())} steps over profiles and shared ids; from there "
                f"{fresh[side]:,} of them lead on, too many to follow"
            )
        _expand(con, side, levels[side])
        levels[side] += 1
    return Route(_filled(con, a, b, meeting))


def shared_nobodies(con: Con, a: int, b: int) -> list[int]:
    """Keys of blocked values that the groups of two ids were both seen with."""
    near = """SELECT DISTINCT p.b FROM explain_pairs p JOIN explain_ids i ON i.key = p.a
        WHERE i.grp = (SELECT grp FROM explain_ids WHERE key = ?)"""
    stage_pairs(con, f"SELECT key FROM explain_ids WHERE grp IN (SELECT grp FROM explain_ids WHERE key IN ({a}, {b}))")
    found = con.execute(
        f"SELECT key FROM explain_ids WHERE NOT ({PASSABLE}) AND key IN (({near}) INTERSECT ({near})) ORDER BY key",
        [a, b],
    )
    return [int(row[0]) for row in found.fetchall()]


def _meeting(con: Con) -> int | None:
    row = con.execute(
        "SELECT grp FROM reached GROUP BY grp HAVING count(DISTINCT ours) = 2 ORDER BY sum(level), grp LIMIT 1"
    ).fetchone()
    return int(row[0]) if row else None


def _fresh(con: Con, side: bool, level: int) -> int:
    row = con.execute("SELECT count(*) FROM reached WHERE ours = ? AND level = ?", [side, level]).fetchone()
    assert row is not None
    return int(row[0])


def _expand(con: Con, side: bool, level: int) -> None:
    here = f"SELECT grp FROM reached WHERE ours = {side} AND level = {level}"
    stage_pairs(con, f"SELECT key FROM explain_ids WHERE grp IN ({here})")
    con.execute(
        f"""INSERT INTO reached SELECT o.grp, {side}, {level + 1}, arg_min(p.a, (-p.count, p.a, p.b)),
            arg_min(p.b, (-p.count, p.a, p.b))
        FROM explain_pairs p SEMI JOIN explain_keys k ON k.key = p.a JOIN explain_ids o ON o.key = p.b
        WHERE {PASSABLE} AND o.grp NOT IN (SELECT grp FROM reached WHERE ours = {side}) GROUP BY o.grp"""
    )


def _filled(con: Con, a: int, b: int, meeting: int) -> list[int]:
    """Keys from a to b: the links between the groups, and within each profile the shortest way."""
    crossings = _crossings(con, meeting, ours=True)[::-1]
    crossings += [(to, came) for came, to in _crossings(con, meeting, ours=False)]
    ends = [a, *(key for crossing in crossings for key in crossing), b]
    stage_pairs(
        con, f"SELECT key FROM explain_ids WHERE grp IN (SELECT grp FROM explain_ids WHERE key IN ({_listed(ends)}))"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE inner_pairs AS SELECT p.* FROM explain_pairs p JOIN explain_ids i ON i.key = p.a "
        "JOIN explain_ids j ON j.key = p.b WHERE i.grp = j.grp"
    )
    stays = zip(ends[::2], ends[1::2], strict=True)
    return [key for start, goal in stays for key in shortest_path(con, "inner_pairs", start, goal)]


def _crossings(con: Con, group: int, *, ours: bool) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    query = "SELECT from_key, to_key FROM reached WHERE grp = ? AND ours = ? AND from_key IS NOT NULL"
    while row := con.execute(query, [group, ours]).fetchone():
        found.append((int(row[0]), int(row[1])))
        back = con.execute("SELECT grp FROM explain_ids WHERE key = ?", [row[0]]).fetchone()
        assert back is not None
        group = int(back[0])
    return found


def _listed(keys: list[int]) -> str:
    return ", ".join(map(str, keys))
