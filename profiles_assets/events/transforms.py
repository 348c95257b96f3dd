"""A chain of functions that each event goes through: kept, changed, dropped or fanned out."""

import inspect
import linecache
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import orjson

Event = dict[str, Any]
Transform = Callable[[Event], Any]
GIVEN_BY_US = ("profile_id", "profileId")


class ResultError(Exception):
    """A result of user code that is none of those allowed; its text says what would be one."""


@dataclass
class Chain:
    """Transformations in turn; an error keeps the event as it was, and is counted."""

    transforms: Sequence[Transform]
    errors: int = 0
    first_error: BaseException | None = None

    def all(self, events: Iterable[Event]) -> list[Event]:
        """The events that come out."""
        return [made for event in events for made in self.one(event)]

    def one(self, event: Event) -> list[Event]:
        """What comes out of one event."""
        before = orjson.dumps(event)
        made = [event]
        try:
            for transform in self.transforms:
                made = [after for one in made for after in outcome(transform(one))]
        except Exception as error:
            self.errors += 1
            self.first_error = self.first_error or error
            return [orjson.loads(before)]
        return made


def outcome(result: Any) -> list[Event]:
    """Events that a transformation gave back. Raises ResultError for what is no event."""
    if result is None or result == "drop":
        return []
    found = result if isinstance(result, list) else [result]
    if not all(isinstance(event, dict) for event in found):
        raise ResultError("a transformation returns an event, a list of events, or None to drop it")
    return found


def with_context(function: Callable[..., Any], context: Callable[[], Any]) -> Transform:
    """A transformation that takes (event) or (event, context) as one that takes the event."""
    takes = [p for p in inspect.signature(function).parameters.values() if p.kind <= p.POSITIONAL_OR_KEYWORD]
    return (lambda event: function(event, context())) if len(takes) > 1 else function


def loaded(file: str, code: str) -> ModuleType:
    """A module from its text; its lines show in tracebacks."""
    module = ModuleType(file.removesuffix(".py").replace("/", "."))
    module.__file__ = file
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    exec(compile(code, file, "exec"), module.__dict__)  # noqa: S102
    return module
