"""What a function may give back, and the row that it becomes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from profiles_assets.events.transforms import ResultError

KEYS = {
    "traits": "traits",
    "profile_id": "profile_id",
    "profileId": "profile_id",
    "table": "table",
    "tableName": "table",
    "destination": "destination",
    "destinationId": "destination",
}
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")
OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY


@dataclass(frozen=True)
class Row:
    """The row of a person; what is None stays as declared."""

    traits: str
    profile_id: str | None = None
    table: str | None = None
    destination: str | None = None


def row_of(result: Any, identify_traits: Mapping[str, Any]) -> Row | None:
    """The row of a result: its traits over the identify traits, key by key. Raises ResultError."""
    if result is None:
        return None
    if not isinstance(result, dict):
        raise ResultError(f"it returned {_shown(result)}; return a dict with traits, or None for no row")
    told: dict[str, Any] = {}
    for key, value in result.items():
        if key not in KEYS:
            raise ResultError(f"the result has an unknown key; it takes {', '.join(dict.fromkeys(KEYS.values()))}")
        told[KEYS[key]] = value
    traits = told.get("traits", {})
    if not isinstance(traits, dict):
        raise ResultError(f"traits is {_shown(traits)}; it should be a dict")
    texts = {name: _text(name, told.get(name)) for name in ("profile_id", "table", "destination")}
    if texts["table"] and not NAME.fullmatch(texts["table"]):
        raise ResultError("table is no name; use small letters, digits and _")
    return Row(json_text({**identify_traits, **traits}, "traits"), **texts)


def json_text(value: Any, what: str) -> str:
    """JSON of a value, keys sorted, NaN and infinity as null. Raises ResultError for what JSON has no word for."""
    try:
        text = orjson.dumps(value, option=OPTIONS).decode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ResultError(f"{what} cannot be written as JSON: {error}") from None
    return text.replace("\\u0000", "")


def _text(name: str, value: Any) -> str | None:
    if value is None or (isinstance(value, str) and value):
        return value
    raise ResultError(f"{name} is {_shown(value)}; it should be a text")


def _shown(value: Any) -> str:
    return "an empty text" if value == "" else f"a {type(value).__name__}"
