"""Notes of what each step has applied, committed together with the rows it made.

A step is an asset key such as `id_edges`; a partition is any name within it (usually `source/day`); a
version is a hash of the content that went in. A step is done when its notes equal those of its input.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

import duckdb

Con = duckdb.DuckDBPyConnection
Notes = list[tuple[str, str, str]]


@dataclass
class _Reading:
    con: Con
    notes: Notes | None = None


_reading: ContextVar[_Reading | None] = ContextVar("reading", default=None)


@contextmanager
def read_once(con: Con) -> Iterator[None]:
    """Read the notes at most once in here, in a transaction that changes none of them."""
    token = _reading.set(_Reading(con))
    try:
        yield
    finally:
        _reading.reset(token)


def create(con: Con) -> None:
    """Create the table of notes."""
    con.execute("CREATE TABLE IF NOT EXISTS ops.progress (step VARCHAR, partition VARCHAR, version VARCHAR)")


def applied(con: Con, step: str) -> dict[str, str]:
    """Partitions that a step has applied, each with the version of its content."""
    if (notes := _notes(con)) is not None:
        return {partition: version for one, partition, version in notes if one == step}
    rows = con.execute("SELECT partition, version FROM ops.progress WHERE step = ?", [step]).fetchall()
    return dict(rows)


def record(con: Con, step: str, versions: Mapping[str, str], removed: Sequence[str] = ()) -> None:
    """Note that a step has applied these partitions (and dropped the removed ones)."""
    gone = [*versions, *removed]
    if not gone:
        return
    con.execute("DELETE FROM ops.progress WHERE step = ? AND list_contains(?, partition)", [step, gone])
    con.execute(
        "INSERT INTO ops.progress SELECT ?, unnest(?::VARCHAR[]), unnest(?::VARCHAR[])",
        [step, list(versions), list(versions.values())],
    )


def pending(upstream: Mapping[str, str], done: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Partitions of the input that are new or changed, and those that are gone, against what is done."""
    changed = {name: version for name, version in upstream.items() if done.get(name) != version}
    return changed, [name for name in done if name not in upstream]


def fingerprint(con: Con, steps: Sequence[str]) -> str:
    """Hash of the notes of these steps: equal as long as none of them has moved."""
    if (notes := _notes(con)) is not None:
        told = ";".join("|".join(note) for note in notes if note[0] in steps)
        return hashlib.md5(told.encode(), usedforsecurity=False).hexdigest()
    row = con.execute(
        "SELECT md5(coalesce(string_agg(concat_ws('|', step, partition, version), ';' "
        "ORDER BY step, partition, version), '')) FROM ops.progress WHERE list_contains(?, step)",
        [list(steps)],
    ).fetchone()
    assert row is not None
    return str(row[0])


def _notes(con: Con) -> Notes | None:
    """All notes in order, where they are read once; else None."""
    reading = _reading.get()
    if reading is None or reading.con is not con:
        return None
    if reading.notes is None:
        reading.notes = con.execute("SELECT step, partition, version FROM ops.progress ORDER BY ALL").fetchall()
    return reading.notes
