"""Lines of a landing file in chunks, with those set aside that nobody should parse."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from profiles_assets.events.blocks import DamagedError

CUT = 2000
BOM = b"\xef\xbb\xbf"
DAMAGED = "damaged file: the rest cannot be read"
TOO_LONG = "record longer than max_record_bytes"


@dataclass(frozen=True)
class Lines:
    """Consecutive lines as one text without the last line end; `first` is the number of the first one."""

    first: int
    text: bytes

    @property
    def count(self) -> int:
        """Number of lines."""
        return self.text.count(b"\n") + 1

    def each(self) -> list[tuple[int, bytes]]:
        """Every line with its number."""
        return list(enumerate(self.text.split(b"\n"), self.first))


@dataclass(frozen=True)
class Bad:
    """A record that is rejected before parsing."""

    position: int
    record: bytes
    reason: str


def line_chunks(pieces: Iterable[bytes], limit: int) -> Iterator[Lines | Bad]:
    """Split blocks into lines; lines over the limit and what follows damage come as `Bad`."""
    number, carry, too_long = 1, b"", b""
    try:
        for piece in pieces:
            text, end, carry = _joined(carry, piece, number).rpartition(b"\n")
            if too_long and end:
                yield Bad(number, too_long, TOO_LONG)
                number, too_long, (_, end, text) = number + 1, b"", text.partition(b"\n")
            if end:
                yield from _without_long(Lines(number, text), limit)
                number += text.count(b"\n") + 1
            if too_long or len(carry) > limit:
                too_long, carry = too_long or carry[: CUT * 4], b""
    except DamagedError:
        yield Bad(number, too_long or carry[: CUT * 4], DAMAGED)
        return
    if too_long:
        yield Bad(number, too_long, TOO_LONG)
    elif carry:
        yield Lines(number, carry)


def cut(record: bytes) -> str:
    """Start of a record as text that every engine can hold."""
    return record[: CUT * 4].decode("utf-8", "replace").replace("\0", "\ufffd")[:CUT]


def _joined(carry: bytes, piece: bytes, number: int) -> bytes:
    joined = carry + piece
    if b"\r" in joined:
        joined = joined.replace(b"\r\n", b"\n")
    return joined.removeprefix(BOM) if number == 1 else joined


def _without_long(chunk: Lines, limit: int) -> Iterator[Lines | Bad]:
    if len(chunk.text) <= limit:
        yield chunk
        return
    for number, line in chunk.each():
        yield Bad(number, line[: CUT * 4], TOO_LONG) if len(line) > limit else Lines(number, line)
