"""Rows as the text of lines: JSON for tracks and identifies, CSV for orders."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa

from profiles_assets.simulator import words
from profiles_assets.simulator.arrays import Column, Rows
from profiles_assets.simulator.noise import BAD_TIME, MISSING_TIME, NOT_JSON, TRUNCATED, WRONG_COLUMNS
from profiles_assets.simulator.world import World

ORDER_COLUMNS = (
    "order_id", "ordered_at", "received_at", "user_id", "email", "anonymous_id", "total", "currency", "items",
    "category", "coupon", "payment",
)  # fmt: skip
NUMBERS = ("number", "time_ms", "received_ms", "fault", "capitals")


def _iso(column: str) -> str:
    return f"strftime(make_timestamp({column} * 1000), '%Y-%m-%dT%H:%M:%S.%gZ')"


MAIL = "CASE WHEN capitals THEN upper(email) ELSE email END"
BROKEN_TIME = f"CASE fault WHEN {MISSING_TIME} THEN NULL WHEN {BAD_TIME} THEN '2025-13-45T25:61' ELSE time END"
JSON_TIME = f"""coalesce('"timestamp":"' || ({BROKEN_TIME}) || '",', '')"""
USER = """coalesce('"userId":"' || user || '",', CASE WHEN number % 2 = 0 THEN '"userId":null,' ELSE '' END)"""
ANONYMOUS = """coalesce('"anonymousId":"' || anonymous || '",', '')"""
DEVICE = """coalesce('"device":{"id":"' || device || '"},', '')"""
JUNK = "['<html><body>502 Bad Gateway</body></html>', 'ERROR upstream timed out', 'track,page_viewed,;;']"

TRACK = f"""'{{"messageId":"' || message || '","type":"track","event":"' || event || '",' || {JSON_TIME}
    || '"received_at":"' || received || '",' || {USER} || {ANONYMOUS} || '"context":{{' || {DEVICE}
    || coalesce('"traits":{{"email":"' || mail || '"}},', '') || '"ip":"' || ip || '"'
    || coalesce(',"userAgent":"' || agent || '"', '') || '}},"properties":' || properties || '}}'"""
IDENTIFY = f"""'{{"messageId":"' || message || '","type":"identify",' || {JSON_TIME}
    || '"received_at":"' || received || '",' || {USER} || {ANONYMOUS}
    || '"context":{{' || rtrim({DEVICE}, ',') || '}},"traits":{{"email":"' || mail
    || '","first_name":"' || first_name || '","last_name":"' || last_name || '","city":"' || city
    || '","country":"' || country || '","plan":"' || plan || '","newsletter":' || newsletter || '}}}}'"""
ORDER = f"""concat_ws(',', 'o' || (100000 + number), coalesce({BROKEN_TIME}, ''), received,
    coalesce(user, ''), coalesce(mail, ''), coalesce(anonymous, ''),
    (cents // 100) || '.' || lpad((cents % 100)::VARCHAR, 2, '0'), 'EUR', items, category,
    coalesce(coupon, ''), payment)"""


def _named(codes: Column, names: pa.Array) -> pa.Array:
    return names.take(pa.array(codes, mask=codes < 0))


def _words_of(rows: Rows, pools: dict[str, Sequence[str]]) -> dict[str, pa.Array]:
    return {name: _named(rows[name], pa.array(pool)) for name, pool in pools.items()}


def _ids_of(world: World, rows: Rows) -> dict[str, pa.Array]:
    return {name: _named(rows[name], names) for name, names in world.ids.items()}


def _numbers_of(rows: Rows, *more: str) -> dict[str, pa.Array]:
    return {name: pa.array(rows[name]) for name in (*NUMBERS, *more)}


def _addresses(person: Column) -> pa.Array:
    pool = pa.array([f"{net}.{host}" for net in ("192.0.2", "198.51.100", "203.0.113") for host in range(1, 255)])
    return pool.take(pa.array((person * 7919 + 13) % len(pool)))


def _track_words(rows: Rows) -> dict[str, pa.Array]:
    pools = {"event": words.EVENTS, "properties": words.property_texts(), "agent": words.AGENTS}
    return {**_words_of(rows, pools), "ip": _addresses(rows["person"])}


def _identify_words(rows: Rows) -> dict[str, pa.Array]:
    names = {"first_name": words.FIRST_NAMES, "last_name": words.LAST_NAMES, "plan": words.PLANS}
    countries = pa.array([country for _, country in words.CITIES])
    city = {"city": [city for city, _ in words.CITIES]}
    return {**_words_of(rows, {**names, **city}), "country": _named(rows["city"], countries)}


def _order_words(rows: Rows) -> dict[str, pa.Array]:
    return _words_of(rows, {"category": words.CATEGORIES, "coupon": words.COUPONS, "payment": words.PAYMENTS})


def _table(world: World, source: str, rows: Rows) -> pa.Table:
    own = {"tracks": _track_words, "identifies": _identify_words, "orders": _order_words}[source](rows)
    more = {"tracks": (), "identifies": ("newsletter",), "orders": ("cents", "items")}[source]
    return pa.table({**_ids_of(world, rows), **_numbers_of(rows, *more), **own})


def _query(source: str, seed: int) -> str:
    text = {"tracks": TRACK, "identifies": IDENTIFY, "orders": ORDER}[source]
    return f"""
        WITH named AS (
            SELECT *, {MAIL} AS mail, left(md5('{source}:{seed}:' || number), 20) AS message,
                {_iso("time_ms")} AS time, {_iso("received_ms")} AS received
            FROM batch),
        whole AS (SELECT fault, number, {text} AS line FROM named)
        SELECT CASE fault
            WHEN {TRUNCATED} THEN left(line, (length(line) * (0.2 + (number % 13) / 20))::INTEGER)
            WHEN {NOT_JSON} THEN ({JUNK})[1 + number % 3]
            WHEN {WRONG_COLUMNS} THEN
                CASE WHEN number % 2 = 0 THEN line || ',extra'
                ELSE regexp_replace(line, ',[^,]*,[^,]*$', '') END
            ELSE line END || chr(10) AS line
        FROM whole"""


def _text_per_part(lines: pa.Array, ends: Column) -> list[bytes]:
    """The joined lines up to each end; text and offsets are read from the buffers as they are."""
    _, offsets_buffer, text = lines.buffers()
    offsets = np.frombuffer(offsets_buffer, dtype=np.int32)[lines.offset :]
    cuts = [0, *ends.tolist()]
    data = memoryview(text) if text is not None else memoryview(b"")
    return [bytes(data[offsets[a] : offsets[b]]) for a, b in pairwise(cuts)]


def day_texts(con: duckdb.DuckDBPyConnection, world: World, source: str, first: int, last: int) -> list[bytes]:
    """The text of the lines that arrive on each day from first to last."""
    rows = world.loaded(source, first, last)
    if len(rows) == 0:
        return [b""] * (last - first + 1)
    con.register("batch", _table(world, source, rows))
    lines = con.sql(_query(source, world.settings.seed)).to_arrow_table().column(0)
    con.unregister("batch")
    ends = np.searchsorted(rows["load"], np.arange(first, last + 1), "right")
    return _text_per_part(pa.concat_arrays(lines.chunks), ends)
