"""Texts that leave a worker, without secrets and without what is personal: logs and errors."""

import re
import traceback
from collections.abc import Iterable, Iterator
from typing import Any

STAND_IN = "***"
SHORTEST = 3
EMAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")
NAMES_OF_EVENTS = ("event", "type", "name")
LAST_LINES = 6
LONGEST = 2_000


def masked(text: str, values: Iterable[str], words: Iterable[str] = ()) -> str:
    """A text with stand-ins for these values, longest first, for shorter ones as words, and for e-mail addresses."""
    text = EMAIL.sub(STAND_IN, text)
    for word in sorted(set(words)):
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", STAND_IN, text)
    for value in sorted({v for v in values if len(v) >= SHORTEST}, key=lambda v: (-len(v), v)):
        if value in text:
            text = text.replace(value, STAND_IN)
    return text[:LONGEST]


def told_by(*parts: Any) -> set[str]:
    """Every text and number in nested values, but for names of events."""
    return set(_leaves(list(parts)))


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key not in NAMES_OF_EVENTS:
                yield from _leaves(part)
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _leaves(part)
    elif isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def last_lines(error: BaseException, file: str) -> str:
    """The last lines of a traceback, from where the user's code begins, without machine paths."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename[0] not in "/<"]
    where = [f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line or ''}".rstrip(": ") for frame in own]
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return "\n".join([*where[-LAST_LINES:], what]) if where else f"{file}: {what}"
