"""Pieces shared by every declared spec: strict models, names, durations."""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, StringConstraints, WithJsonSchema

NAME = r"^[a-z][a-z0-9_]*$"
Pii = bool | Literal["hash", "mask"]
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=60)]

DAYS = {"day": 1, "days": 1, "d": 1, "week": 7, "weeks": 7, "w": 7}
DURATION = re.compile(r"^\s*([0-9]{1,9})\s*([a-z]+)\s*$")
LONGEST = 36_500


class Spec(BaseModel):
    """A declared thing: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)
    noun: ClassVar[str] = ""


def parse_days(value: Any) -> int:
    """Whole days of a duration such as `30 days` or `12 weeks`.

    Raises ValueError for anything else, and for durations under a day.
    """
    match = DURATION.match(value) if isinstance(value, str) else None
    if match is None or match[2] not in DAYS or int(match[1]) == 0:
        raise ValueError(f'"{value}" is not a duration; write it in days or weeks, such as 30 days or 12 weeks')
    days = int(match[1]) * DAYS[match[2]]
    if days > LONGEST:
        raise ValueError(f'"{value}" is longer than {LONGEST // 365} years; leave it out to have no limit')
    return days


SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400, "week": 604_800}
SPAN = re.compile(r"^\s*([0-9]{1,9})\s*(minute|hour|day|week)s?\s*$")


def parse_span(value: Any) -> int:
    """Seconds of a duration such as `30 minutes`, `24 hours` or `7 days`; whole seconds pass. Raises ValueError."""
    if type(value) is int and 0 < value <= LONGEST * 86_400:
        return value
    match = SPAN.match(value) if isinstance(value, str) else None
    if match is None or int(match[1]) == 0:
        raise ValueError(f'"{value}" is not a duration; write it as 30 minutes, 24 hours, 7 days or 2 weeks')
    seconds = int(match[1]) * SECONDS[match[2]]
    if seconds > LONGEST * 86_400:
        raise ValueError(f'"{value}" is longer than {LONGEST // 365} years; leave it out to have no limit')
    return seconds


def _plain_path(value: str) -> str:
    if not value or any(not part for part in value.split(".")) or '"' in value:
        raise ValueError(f'"{value}" is not a path; write field names joined by dots, such as context.traits.email')
    return value


def _days(value: Any) -> int:
    """Days of a duration; counts of days that are parsed already pass."""
    return value if type(value) is int and 0 < value <= LONGEST else parse_days(value)


DAYS_SCHEMA = {
    "type": ["string", "integer"],
    "pattern": r"^\s*[0-9]+\s*(day|days|d|week|weeks|w)\s*$",
    "examples": ["30 days", "12 weeks"],
}
Days = Annotated[int, BeforeValidator(_days), WithJsonSchema(DAYS_SCHEMA)]
SPAN_SCHEMA = {
    "type": ["string", "integer"],
    "pattern": r"^\s*[0-9]+\s*(minute|hour|day|week)s?\s*$",
    "examples": ["24 hours", "7 days"],
}
Span = Annotated[int, BeforeValidator(parse_span), WithJsonSchema(SPAN_SCHEMA)]
Path = Annotated[str, AfterValidator(_plain_path)]

SCALAR_SCHEMA = {"type": ["string", "number", "boolean", "null"]}
CONDITIONS_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {
        "anyOf": [SCALAR_SCHEMA, {"type": "array", "items": SCALAR_SCHEMA}],
        "description": "A value, a list of values, or a comparison such as >= 150, is empty, contains x.",
    },
    "properties": {
        "any": {"type": "array", "items": {"type": "object"}, "description": "At least one of these holds."},
        "all": {"type": "array", "items": {"type": "object"}, "description": "All of these hold."},
        "none": {"type": "array", "items": {"type": "object"}, "description": "None of these holds."},
    },
    "examples": [{"total": ">= 150", "category": ["shoes", "hats"]}],
}
Conditions = Annotated[dict[str, Any], WithJsonSchema(CONDITIONS_SCHEMA)]
