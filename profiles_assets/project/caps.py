"""How many values of an id type a profile may have: `5`, or `{most: 5, per: month}`."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticKnownError

from profiles_assets.project.base import Spec

Limit = Annotated[int, Field(ge=1)]
Period = Literal["ever", "week", "month", "year"]


class Cap(Spec):
    """A limit of values, or of those whose first event is in one calendar week (ISO), month or year."""

    most: Limit = Field(description="Most values.", examples=[5])
    per: Period = Field(default="ever", description="Calendar period in which they are new.", examples=["month"])


def _cap(value: Any) -> Any:
    """A limit written as a mere number; mappings pass."""
    if value is None or isinstance(value, dict | Cap):
        return value
    if isinstance(value, bool) or not str(value).strip().lstrip("-").isdigit():
        raise PydanticKnownError("int_type")
    if int(value) < 1:
        raise PydanticKnownError("greater_than_equal", {"ge": 1})
    return Cap(most=int(value))


SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "integer", "minimum": 1},
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["most"],
            "properties": {
                "most": {"type": "integer", "minimum": 1, "description": "Most values."},
                "per": {"enum": ["ever", "week", "month", "year"], "description": "Calendar period of new values."},
            },
        },
        {"type": "null"},
    ]
}
DeclaredCap = Annotated[Cap | None, BeforeValidator(_cap), WithJsonSchema(SCHEMA)]
