"""Bytes of a landing file in blocks, unpacked, up to the point where the file is damaged."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

BLOCK = 4 << 20
PACKED_BLOCK = 1 << 18
SALVAGE_STEP = 64
GZIP = b"\x1f\x8b"


class DamagedError(Exception):
    """The rest of a file cannot be read, whoever tries; the message says why."""


def blocks(path: str) -> Iterator[bytes]:
    """Unpacked bytes of a plain or gzip file, told apart by content. Raises DamagedError after the last good byte."""
    with Path(path).open("rb") as file:
        packed = file.read(2) == GZIP
        file.seek(0)
        yield from _unpacked(file) if packed else iter(lambda: file.read(BLOCK), b"")


def _unpacked(file: BinaryIO) -> Iterator[bytes]:
    member, started, data = _member(), False, b""
    while data or (data := file.read(PACKED_BLOCK)):
        started = True
        yield from _inflated(member, data)
        data = member.unused_data.lstrip(b"\0")
        if member.eof:
            member, started = _member(), False
    if started:
        raise DamagedError("the gzip stream ends early")


def _inflated(member: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    while True:
        before = member.copy()
        try:
            block = member.decompress(data, BLOCK)
        except zlib.error:
            yield from _salvaged(before, data)
            return
        yield block
        data = member.unconsumed_tail
        if not data and len(block) < BLOCK:
            return


def _salvaged(member: "zlib._Decompress", data: bytes) -> Iterator[bytes]:
    for start in range(0, len(data), SALVAGE_STEP):
        try:
            yield member.decompress(data[start : start + SALVAGE_STEP])
        except zlib.error as error:
            raise DamagedError("the gzip stream is damaged") from error


def _member() -> "zlib._Decompress":
    return zlib.decompressobj(wbits=31)
