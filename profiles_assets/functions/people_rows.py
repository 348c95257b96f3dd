"""A chunk as workers get it: rows of people, each followed by the rows of their events.

The row of a person has no source. It has the person in `event`, the fingerprint in `timestamp`, marked where there are
identify traits, and user and store as JSON in `payload`.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from profiles_assets.events.transforms import GIVEN_BY_US

TOLD = "+"
COLUMNS = ("source", "time", "event", "timestamp", "payload")


@dataclass(frozen=True)
class PersonRow:
    """A person of a chunk; `at` is the place of the row, `end` the place after the last event.

    `text` has user and store, which are read when they are asked for.
    """

    person: str
    mark: str
    text: str
    at: int
    end: int

    @property
    def fingerprint(self) -> int:
        """Hash of what the result is made from."""
        return int(self.mark.removesuffix(TOLD))

    @property
    def told(self) -> bool:
        """True when there are identify traits."""
        return self.mark.endswith(TOLD)

    @cached_property
    def _head(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = orjson.loads(self.text)
        return found

    @property
    def user(self) -> dict[str, Any]:
        """Ids and identify traits."""
        return self._head["user"]

    @property
    def store(self) -> dict[str, Any]:
        """What is kept for the person."""
        return self._head["store"]


def people_in(table: pa.Table) -> list[PersonRow]:
    """The people of a chunk, in order."""
    places = starts(table)
    ends = [*places[1:], table.num_rows]
    taken = table.select(["event", "timestamp", "payload"]).take(pa.array(places, pa.int64()))
    return list(map(PersonRow, *(column.to_pylist() for column in taken.columns), places, ends))


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
