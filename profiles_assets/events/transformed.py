"""Records of a source that go through its transformations before everything else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson
import pyarrow as pa

from profiles_assets.events.masks import last_lines, masked, told_by
from profiles_assets.events.records import SCHEMA
from profiles_assets.events.transforms import Chain, Event, loaded
from profiles_assets.project.sources import Source
from resources.limits import TimeLimitExceeded
from resources.watchdog import Watchdog

SECONDS = 10.0
LISTED = 100
NEXT = 2**40  # above any number of a record in its file: what else came out of a record has positions of its own
WORDS = ("changed", "dropped", "added", "failed")


@dataclass
class Tally:
    """What became of the records of a file: counts by outcome, and the first errors (position, text)."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(WORDS, 0))
    errors: list[tuple[int, str]] = field(default_factory=list)

    def count(self, before: str, texts: list[str]) -> None:
        """Count what came out of a record."""
        self.counts["changed"] += any(text != before for text in texts)
        self.counts["dropped"] += not texts
        self.counts["added"] += max(len(texts) - 1, 0)

    def fail(self, position: int, error: str) -> None:
        """Count a record whose transformation failed."""
        self.counts["failed"] += 1
        if len(self.errors) < LISTED:
            self.errors.append((position, error))


class Transformer:
    """The transformations of a source, loaded from the text that its definition was read with."""

    def __init__(self, source: Source) -> None:
        modules = {file: loaded(file, text) for file, text in source.code.items()}
        self._functions = [getattr(modules[file], name) for file, name in source.transforms]
        self._id = _IdPath.of(source)
        self._dog = Watchdog(SECONDS)

    def batch(self, rows: pa.RecordBatch, tally: Tally) -> pa.RecordBatch:
        """The rows that come out of a batch of records; rejects go through as they are."""
        texts, positions = rows["text"].to_pylist(), rows["position"].to_pylist()
        places, numbers, made = list[int](), list[int](), list[str | None]()
        for place, (position, text) in enumerate(zip(positions, texts, strict=True)):
            found = [None] if text is None else self.texts(text, position, tally)
            places += [place] * len(found)
            numbers += [position + NEXT * number for number in range(len(found))]
            made += found
        taken = rows.take(pa.array(places, pa.int64()))
        columns = {"position": pa.array(numbers, pa.int64()), "text": pa.array(made, pa.string())}
        return pa.record_batch([columns.get(name, taken[name]) for name in SCHEMA.names], schema=SCHEMA)

    def array(self, texts: pa.Array) -> pa.Array:
        """The texts that come out of those of records."""
        tally = Tally()
        return pa.array([made for text in texts.to_pylist() for made in self.texts(text, 0, tally)], pa.string())

    def texts(self, text: str, position: int, tally: Tally) -> list[str]:
        """The texts that come out of that of a record; the same one where it is no JSON object, or on an error."""
        event = _object(text)
        if event is None:
            return [text]
        chain, before = Chain(self._functions), orjson.dumps(event)
        try:
            with self._dog:
                events = self._id.distinct(chain.one(event))
                found = [text if (after := orjson.dumps(one)) == before else after.decode() for one in events]
            error: BaseException | None = chain.first_error
        except (Exception, TimeLimitExceeded) as problem:
            self._dog.rest()  # the time may have been over while it was stopped
            error, found = problem, [text]
        if error is None:
            tally.count(text, found)
        else:
            tally.fail(position, self._told(error, orjson.loads(before)))
        return found

    def _told(self, error: BaseException, event: Event) -> str:
        if isinstance(error, TimeLimitExceeded):
            return f"it took longer than {SECONDS:g} seconds"
        return masked(last_lines(error, "transform"), told_by(event))


@dataclass(frozen=True)
class _IdPath:
    """Where the event id is in a record: several paths, each a list of keys."""

    paths: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, source: Source) -> "_IdPath":
        flat = source.file_format == "csv"
        told = (source.event_id or "").split("|") if source.event_id else []
        return cls(tuple((path,) if flat else tuple(path.split(".")) for path in told))

    def distinct(self, events: list[Event]) -> list[Event]:
        """Events of one record, each with an id of its own, so that none is taken for a repetition of another."""
        if len(events) < 2 or not self.paths:
            return events
        seen, found = set[str](), list[Event]()
        for number, event in enumerate(events, 1):
            holder, key = self._holder(event)
            if holder is not None and str(holder[key]) in seen:
                event = orjson.loads(orjson.dumps(event))  # noqa: PLW2901 - two of the list may be one object
                holder, key = self._holder(event)
                holder[key] = f"{holder[key]}#{number}"  # type: ignore[index]
            if holder is not None:
                seen.add(str(holder[key]))
            found.append(event)
        return found

    def _holder(self, event: Event) -> tuple[dict[str, Any] | None, str]:
        for *inner, last in self.paths:
            place: Any = event
            for key in inner:
                place = place.get(key) if isinstance(place, Mapping) else None
            if isinstance(place, dict) and place.get(last) not in (None, ""):
                return place, last
        return None, ""


def _object(text: str) -> Event | None:
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None
