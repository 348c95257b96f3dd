"""All nodes in the evidence at once: numbers go through numpy, texts stay in the order in which they are read."""

from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa

from profiles_assets.identity.graph import NONE, Codes, Flags, Graph, Ints, Previous
from profiles_assets.identity.keys import COLLISION, OK, QUARANTINED, profile_key, status_code
from profiles_assets.identity.loading import AGE_DAY, Loaded, link_arrays, ruled_pairs, standing
from profiles_assets.identity.places import Places
from profiles_assets.project.entities import Entity
from resources.tables import literal

Con = duckdb.DuckDBPyConnection
NEVER = np.iinfo(np.int64).max
REPEATED = 1.5


@dataclass(frozen=True)
class Rows:
    """Rows of evidence: keys of the ids in as many columns as there are at most, -1 where there are fewer.

    `time` is the first event time in the first load day, `seen` and `last` the first and last ones at all.
    """

    keys: list[Ints]
    day: Ints
    time: Ints
    seen: Ints
    last: Ints
    count: Ints


@dataclass(frozen=True)
class Stats:
    """Appearances of each node: first load day, first event time in it, first and last event time, events."""

    first_day: Ints
    first_time: Ints
    first_seen: Ints
    last_seen: Ints
    count: Ints


def load_whole(con: Con, nodes: str, entity: str, spec: Entity) -> Loaded:
    """The graph of all evidence."""
    types = tuple(spec.ids)
    rows = _read_rows(con, len(types))
    places = Places(np.concatenate([keys[keys != NONE] for keys in rows.keys]))
    columns = [places.find(keys) for keys in rows.keys]
    stats = _appearances(con, len(types), places, columns, rows)
    words, at = _read_words(con, nodes, entity, spec, places)
    kinds, barred = (_spread(words[name].to_numpy(), at, len(places.keys)) for name in ("type", "barred"))
    allowed = _judge(con, places, barred)
    graph = _graph(con, places, columns, rows, stats, kinds=kinds, standing=barred, allowed=allowed)
    appearances = {name: getattr(stats, name) for name in ("first_day", "first_seen", "last_seen", "count")}
    return Loaded(graph, _previous(con, places), words["value"], at, appearances, types)


def _read_rows(con: Con, width: int) -> Rows:
    """Rows of evidence, as they are unless tuples come again and again."""
    told = con.execute("SELECT count(*), approx_count_distinct(tuple_key) FROM evidence").fetchone() or (0, 0)
    older = con.execute("FROM superseded LIMIT 1").fetchone()
    if older or told[0] > REPEATED * told[1]:
        query = f"""SELECT {_columns(width)}, epoch_us(min(first_seen)) AS seen, epoch_us(max(last_seen)) AS last,
            {AGE_DAY.format("min(day)")} AS day, {_time("min(age)", "min(day)")} AS time, sum(count)::BIGINT AS count
            FROM evidence GROUP BY tuple_key, {", ".join(f"nodes[{i}]" for i in range(1, width + 1))}"""
    else:
        query = f"""SELECT {_columns(width)}, epoch_us(first_seen) AS seen, epoch_us(last_seen) AS last,
            {AGE_DAY.format("day")} AS day, count FROM evidence"""
    found = con.sql(query).to_arrow_table()
    keys = [found[f"n{i}"].to_numpy() for i in range(1, width + 1)]
    day, seen, last, count = (found[name].to_numpy() for name in ("day", "seen", "last", "count"))
    time = found["time"].to_numpy() if "time" in found.column_names else seen
    return Rows([column for column in keys if (column != NONE).any()] or keys[:1], day, time, seen, last, count)


def _columns(width: int) -> str:
    return ", ".join(f"coalesce(nodes[{i}], {NONE}) AS n{i}" for i in range(1, width + 1))


def _time(age: str, day: str) -> str:
    return f"({age} - {AGE_DAY.format(day)}::HUGEINT * (1::HUGEINT << 60))::BIGINT"


def _appearances(con: Con, width: int, places: Places, columns: list[Ints], rows: Rows) -> Stats:
    size = len(places.keys)
    first_day = np.full(size, np.iinfo(np.int32).max, dtype=np.int32)
    first_time, first_seen = (np.full(size, NEVER) for _ in range(2))
    last_seen, count = np.full(size, -NEVER), np.zeros(size, dtype=np.int64)
    for at, live in _live(columns):
        np.minimum.at(first_day, at, rows.day[live])
        np.minimum.at(first_seen, at, rows.seen[live])
        np.maximum.at(last_seen, at, rows.last[live])
        np.add.at(count, at, rows.count[live])
    older = _older(con, width)
    before = [places.find(keys) for keys in older.keys]
    for at, live in _live(before):
        np.minimum.at(first_day, at, older.day[live])
        np.minimum.at(first_seen, at, older.seen[live])
    for found, some in ((columns, rows), (before, older)):
        for at, live in _live(found):
            first = some.day[live] == first_day[at]
            np.minimum.at(first_time, at[first], some.time[live][first])
    return Stats(first_day, first_time, first_seen, last_seen, count)


def _live(columns: list[Ints]) -> list[tuple[Ints, Flags | slice]]:
    """Nodes in each column, and the rows that have one there."""
    return [(at, slice(None)) if (live := at != NONE).all() else (at[live], live) for at in columns]


def _older(con: Con, width: int) -> Rows:
    """Evidence that is superseded by now: an id is as old as the first evidence of it."""
    found = con.sql(
        f"""SELECT {_columns(width)}, {AGE_DAY.format("day")} AS day, {_time("age", "day")} AS time,
        epoch_us(first_seen) AS seen FROM superseded"""
    ).to_arrow_table()
    keys = [found[f"n{i}"].to_numpy() for i in range(1, width + 1)]
    day, time, seen = (found[name].to_numpy() for name in ("day", "time", "seen"))
    return Rows(keys, day, time, seen, seen, seen)


def _read_words(con: Con, nodes: str, entity: str, spec: Entity, places: Places) -> tuple[pa.Table, Ints]:
    """Texts, types and standing of the nodes, and the place of each; the dictionary may know others, too."""
    types = ", ".join(map(literal, spec.ids))
    words = con.sql(
        f"""SELECT key, value, (list_position([{types}], id_type) - 1)::TINYINT AS type,
            {standing(spec)} AS barred FROM {nodes} WHERE entity = {literal(entity)}"""
    ).to_arrow_table()
    at = places.find(words["key"].to_numpy())
    there = at != NONE
    return (words, at) if there.all() else (words.filter(there), at[there])


def _spread(values: Ints, at: Ints, size: int) -> Codes:
    spread = np.zeros(size, dtype=np.int8)
    spread[at] = values
    return spread


def _judge(con: Con, places: Places, standing: Codes) -> Flags:
    """Apply the rules about single ids to the standing of nodes; returns those exempted from the guards."""
    allowed = np.zeros(len(places.keys), dtype=np.bool_)
    for action, status in (("allow", OK), ("quarantine", QUARANTINED)):
        told = con.execute(f"SELECT key FROM rulings WHERE action = {literal(action)}").to_arrow_table()
        at = places.find(told["key"].to_numpy())
        at = at[at != NONE]
        standing[at[standing[at] != COLLISION]] = status
        allowed[at] = action == "allow"
    return allowed


def _graph(
    con: Con,
    places: Places,
    columns: list[Ints],
    rows: Rows,
    stats: Stats,
    *,
    kinds: Codes,
    standing: Codes,
    allowed: Flags,
) -> Graph:
    matrix = np.stack(columns, axis=1) if columns else np.zeros((0, 1), dtype=np.int32)
    filled = matrix != NONE
    offsets: Ints = np.zeros(len(matrix) + 1, dtype=np.int32 if matrix.size < np.iinfo(np.int32).max else np.int64)
    np.cumsum(filled.sum(axis=1), out=offsets[1:])
    links, apart = ruled_pairs(con, places.find, kinds)
    inner = np.ones(len(places.keys), dtype=np.bool_)
    return Graph(
        places.keys,
        kinds,
        standing,
        inner,
        stats.first_day,
        stats.first_time,
        *link_arrays(links, offsets, matrix[filled], rows.seen, rows.count),
        allowed,
        len(links[0]),
        apart,
    )


def _previous(con: Con, places: Places) -> Previous:
    """What is stored about each node."""
    size = len(places.keys)
    if not con.execute("FROM before LIMIT 1").fetchone():
        nothing = np.broadcast_to(np.int64(NONE), size)
        return Previous(nothing.astype(np.int8), nothing, nothing, nothing)
    stored = con.sql(
        f"""SELECT key, {status_code("status")} AS status, coalesce(known, {NONE}) AS known,
        coalesce(profile_key, {NONE}) AS profile, {profile_key("retired_id")} AS retired FROM before"""
    ).to_arrow_table()
    at = places.find(stored["key"].to_numpy())
    kept = at != NONE
    found = [np.full(size, NONE, dtype=np.int64) for _ in range(4)]
    for values, name in zip(found, ("status", "known", "profile", "retired"), strict=True):
        values[at[kept]] = stored[name].to_numpy()[kept]
    return Previous(found[0].astype(np.int8), found[1], found[2], found[3])
