"""Conditions of `where` and `among`, from the short form users write to a small typed tree."""

import math
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from profiles_assets.project.problems import did_you_mean

Op = Literal["=", "!=", "<", "<=", ">", ">=", "in", "not in", "is empty", "is not empty", "contains", "matches"]
Scalar = str | int | float | bool
Value = Scalar | tuple[Scalar, ...] | None

GROUPS = ("any", "all", "none")
ORDERED = ("<", "<=", ">", ">=")
EMPTY: dict[str, Op] = {"is empty": "is empty", "is not empty": "is not empty"}
SYMBOL = re.compile(r"^(!=|<=|>=|=|<|>)(?![=<>!~])\s*(.*)$", re.DOTALL)
WORD = re.compile(r"^(contains|matches|(?:not )?in(?=\s*[\[(]|.*,))\s+(.*)$", re.DOTALL)
MISTAKEN = {
    "==": "=",
    "=>": ">=",
    "=<": "<=",
    "<>": "!=",
    "=!": "!=",
    "!": "!=",
    "~": "matches",
    "=~": "matches",
}
NUMBER = re.compile(r"^-?(?:0|[1-9]\d*)?(?:\.\d+)?(?:[eE][-+]?\d+)?$")
LOOKAROUND = re.compile(r"\(\?(?:[=!]|<[=!]|P=)|(?<!\\)\\[1-9]")
EXAMPLES = '">= 150", "!= shoes", "is empty", "contains sale" or a list of values'


class ConditionError(ValueError):
    """A condition that makes no sense; `path` leads to it."""

    def __init__(self, message: str, *path: str | int) -> None:
        super().__init__(message)
        self.path = path


@dataclass(frozen=True)
class Comparison:
    """A field against a value: a tuple for `in` and `not in`, None for `is empty` and `is not empty`."""

    field: str
    op: Op
    value: Value = None


@dataclass(frozen=True)
class All_:  # noqa: N801
    """Every part holds; with no parts, always true."""

    parts: tuple["Condition", ...] = ()


@dataclass(frozen=True)
class Any_:  # noqa: N801
    """At least one part holds."""

    parts: tuple["Condition", ...]


@dataclass(frozen=True)
class None_:  # noqa: N801
    """No part holds."""

    parts: tuple["Condition", ...]


Condition = Comparison | All_ | Any_ | None_
KINDS: dict[str, type[Any_] | type[All_] | type[None_]] = {"any": Any_, "all": All_, "none": None_}


def parse_conditions(given: Mapping[str, Any]) -> Condition:
    """Tree of conditions that must all hold. Raises ConditionError for anything that makes no sense."""
    return _all(given, ())


def fields(condition: Condition) -> tuple[str, ...]:
    """Names of the fields that a condition reads, each once, in order."""
    return tuple(dict.fromkeys(comparison.field for comparison in comparisons(condition)))


def comparisons(condition: Condition) -> Iterator[Comparison]:
    """All comparisons in a condition."""
    if isinstance(condition, Comparison):
        yield condition
    else:
        for part in condition.parts:
            yield from comparisons(part)


def _all(given: Any, path: tuple[str | int, ...]) -> Condition:
    if not isinstance(given, Mapping):
        raise ConditionError(f'{_shown(given)} is not a condition; write field: value, such as total: ">= 150"', *path)
    parts = [_part(str(key), value, (*path, str(key))) for key, value in given.items()]
    return parts[0] if len(parts) == 1 else All_(tuple(parts))


def _part(key: str, value: Any, path: tuple[str | int, ...]) -> Condition:
    if key in GROUPS:
        return _group(key, value, path)
    if '"' in key or any(part != part.strip() or not part for part in key.split(".")):
        raise ConditionError(f'"{key}" is not the name of a field; write field: value, such as total: ">= 150"', *path)
    try:
        return Comparison(key, *_comparison(value))
    except ConditionError as error:
        raise ConditionError(f"{key}: {error}", *path) from None


def _group(key: str, value: Any, path: tuple[str | int, ...]) -> Condition:
    if not isinstance(value, list) or not value:
        example = f'{key}: [{{category: shoes}}, {{total: ">= 150"}}]'
        raise ConditionError(f"{key} takes a list of conditions, such as {example}", *path)
    return KINDS[key](tuple(_all(item, (*path, index)) for index, item in enumerate(value)))


def _comparison(value: Any) -> tuple[Op, Value]:
    if value is None:
        return "is empty", None
    if isinstance(value, list):
        return "in", _several(value)
    if isinstance(value, str):
        return _text(value.strip())
    return "=", _scalar(value)


def _text(text: str) -> tuple[Op, Value]:
    if text.lower() in EMPTY:
        return EMPTY[text.lower()], None
    if symbol := SYMBOL.match(text):
        return _symbol(symbol[1], symbol[2].strip())
    if word := WORD.match(text):
        return _word(word[1], word[2].strip())
    return _plain(text)


def _plain(text: str) -> tuple[Op, Value]:
    signs = re.match(r"^[=<>!~]+", text)
    if signs:
        right = MISTAKEN.get(signs[0], "")
        hint = f'did you mean "{right} {text[signs.end() :].strip()}"?' if right else f"write {EXAMPLES}"
        raise ConditionError(f'"{text}" has no comparison that is known; {hint}')
    if text.startswith("is ") and (hint := did_you_mean(text, EMPTY)):
        raise ConditionError(f'"{text}" is not a comparison; {hint}')
    if not text or text in ("contains", "matches"):
        raise ConditionError(f'there is nothing to compare with; write {EXAMPLES}, or "is empty"')
    return "=", text


def _symbol(op: str, text: str) -> tuple[Op, Value]:
    if not text:
        raise ConditionError(f'"{op}" needs a value after it, such as "{op} 150"')
    value = _typed(text)
    if op in ORDERED and not _has_order(value):
        raise ConditionError(f'"{op} {text}" needs one number or date, such as "{op} 150" or "{op} 2025-01-31"')
    return op, value  # type: ignore[return-value]


def _has_order(value: Scalar) -> bool:
    if isinstance(value, str):
        try:
            datetime.fromisoformat(value)
        except ValueError:
            return False
    return not isinstance(value, bool)


def _word(op: str, text: str) -> tuple[Op, Value]:
    if op in ("in", "not in"):
        return op, _several([_typed(part.strip()) for part in text.strip("[]()").split(",")])  # type: ignore[return-value]
    if op == "matches":
        _check_pattern(text)
        return "matches", text
    return "contains", _unquoted(text)


def _check_pattern(text: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise ConditionError(f'"{text}" is not a regular expression: {error}') from None
    if LOOKAROUND.search(text):
        raise ConditionError(f'"{text}" looks ahead, behind or back, which patterns here cannot do')


def _several(values: list[Any]) -> tuple[Scalar, ...]:
    if not values:
        raise ConditionError("the list of values is empty; give at least one")
    found = tuple(_scalar(value) for value in values)
    if len({_kind(value) for value in found}) > 1:
        raise ConditionError(f"the values {_shown(values)} are of different kinds; give only text, or only numbers")
    return found


def _kind(value: Scalar) -> type:
    return float if type(value) is int else type(value)


def _scalar(value: Any) -> Scalar:
    if isinstance(value, str) and value:
        return value
    if isinstance(value, bool) or (isinstance(value, int | float) and math.isfinite(value)):
        return value
    raise ConditionError(f"{_shown(value)} is nothing to compare with; write {EXAMPLES}")


def _typed(text: str) -> Scalar:
    if text in ("true", "false"):
        return text == "true"
    if text and text not in "-." and NUMBER.match(text):
        return int(text) if text.lstrip("-").isdigit() and len(text) < 20 else _finite(text)
    return _unquoted(text)


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ConditionError(f"{text} is too large a number")
    return number


def _unquoted(text: str) -> str:
    quoted = len(text) > 1 and text[0] == text[-1] and text[0] in "\"'"
    return text[1:-1] if quoted else text


def _shown(value: Any) -> str:
    text = "nothing" if value in (None, "", [], {}) else str(value)
    return text if len(text) <= 60 else f"{text[:60]}…"
