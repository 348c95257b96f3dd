"""A chunk as workers get it: rows of people, each followed by the rows of their events.

The row of a person has no source, and tells person, fingerprint, user and store as JSON in `payload`.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from profiles_assets.events.transforms import GIVEN_BY_US

COLUMNS = ("source", "time", "event", "timestamp", "payload")


@dataclass(frozen=True)
class PersonRow:
    """A person of a chunk; `at` is the place of the row, `end` the place after the last event."""

    person: str
    fingerprint: int
    user: dict[str, Any]
    store: dict[str, Any]
    at: int
    end: int


def people_in(table: pa.Table) -> list[PersonRow]:
    """The people of a chunk, in order."""
    places = starts(table)
    ends = [*places[1:], table.num_rows]
    told = table["payload"].take(pa.array(places, pa.int64())).to_pylist()
    found = (orjson.loads(text) for text in told)
    return [
        PersonRow(one["person"], one["fingerprint"], one["user"], one["store"], at, end)
        for one, at, end in zip(found, places, ends, strict=True)
    ]


def starts(table: pa.Table) -> list[int]:
    """Places of the rows of people."""
    return [int(at) for at in np.flatnonzero(table["source"].is_null().to_numpy())]


def events_of(texts: list[str], names: list[str | None], times: list[str | None]) -> list[dict[str, Any]]:
    """Events as dicts: the record as it arrived, with name and time where it has none under these names."""
    events = list(map(orjson.loads, texts))
    snake, camel = GIVEN_BY_US
    for event in events:
        event.pop(snake, None)
        event.pop(camel, None)
    if any(names) or any(times):
        for event, name, time in zip(events, names, times, strict=True):
            if name is not None:
                event.setdefault("event", name)
            if time is not None:
                event.setdefault("timestamp", time)
    return events


def as_message(table: pa.Table) -> memoryview:
    """The chunk as bytes."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return memoryview(sink.getvalue())


def from_message(message: bytes) -> pa.Table:
    """The chunk of such bytes."""
    with pa.ipc.open_stream(message) as reader:
        return reader.read_all()
