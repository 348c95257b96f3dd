"""Reader of JSON lines."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from profiles_assets.events.blocks import blocks
from profiles_assets.events.lines import Bad, Lines, line_chunks
from profiles_assets.events.records import Good, Records

NOT_UTF8 = "not valid UTF-8"


def read_jsonl(path: str, limit: int) -> Iterator[Records]:
    """Records of a JSON lines file; a record's position is its line number, blank lines are none."""
    for chunk in line_chunks(blocks(path), limit):
        if isinstance(chunk, Bad):
            yield chunk
        else:
            yield from _records(chunk)


def _records(chunk: Lines) -> Iterator[Records]:
    try:
        yield _all_at_once(chunk)
    except pa.ArrowInvalid:
        yield from _one_by_one(chunk)


def _all_at_once(chunk: Lines) -> Good:
    text = pa.array([chunk.text], pa.binary()).cast(pa.string())
    lines = pc.split_pattern(text, "\n").flatten()
    return _without_blank(pa.array(np.arange(chunk.first, chunk.first + len(lines))), lines)


def _without_blank(numbers: pa.Array, lines: pa.Array) -> Good:
    sizes = pc.binary_length(lines)
    if pc.min(sizes).as_py() == 0:
        filled = pc.greater(sizes, 0)
        return Good(numbers.filter(filled), lines.filter(filled))
    return Good(numbers, lines)


def _one_by_one(chunk: Lines) -> Iterator[Records]:
    kept: dict[int, str] = {}
    for number, line in chunk.each():
        if is_utf8(line):
            kept[number] = line.decode()
        else:
            yield Bad(number, line, NOT_UTF8)
    yield _without_blank(pa.array(list(kept), pa.int64()), pa.array(list(kept.values()), pa.string()))


def is_utf8(line: bytes) -> bool:
    """True when the bytes are valid UTF-8."""
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
