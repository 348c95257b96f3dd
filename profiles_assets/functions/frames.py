"""Messages between a run and its workers: a length, then bytes."""

import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import IO, Any

import orjson

LENGTH = struct.Struct("<Q")
PLACE = struct.Struct("<QQ")  # of the progress file: number of the person under way, and a count that grows


@dataclass(frozen=True)
class Job:
    """What a worker has to know of a function before it gets people; `env` has values, some of them secret."""

    name: str
    version: int
    file: str
    code: str
    batch: bool
    as_of: str
    files: Mapping[str, str] = field(default_factory=dict)
    transforms: list[tuple[str, str]] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: list[str] = field(default_factory=list, repr=False)
    fetch: bool = False
    seconds: float = 10
    memory_mb: int = 512
    lake: Mapping[str, Any] = field(default_factory=dict)

    def to_bytes(self) -> bytes:
        """The job as a message."""
        return orjson.dumps(asdict(self))


@dataclass(frozen=True)
class Answer:
    """What became of one person: a row, none (`traits` empty), or an error with its kind.

    `stored` are the changes of the person's store: key, JSON of the value (None: deleted), first day without it.
    """

    person: str
    fingerprint: int
    profile_id: str | None = None
    table: str | None = None
    destination: str | None = None
    traits: str | None = None
    stored: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    kind: str = ""
    error: str = ""
    transform_errors: int = 0
    transform_error: str = ""


def write_frame(stream: IO[bytes], payload: bytes | memoryview) -> None:
    """Write one message."""
    stream.write(LENGTH.pack(len(payload)))
    stream.write(payload)
    stream.flush()


def read_frame(stream: IO[bytes]) -> bytes | None:
    """Read one message; None when the other side has ended."""
    head = _exactly(stream, LENGTH.size)
    return None if head is None else _exactly(stream, LENGTH.unpack(head)[0])


def _exactly(stream: IO[bytes], size: int) -> bytes | None:
    parts = []
    while size:
        part = stream.read(size)
        if not part:
            return None
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
