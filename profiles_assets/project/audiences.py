"""audiences/*.yml: who belongs to a group, by traits, predictions and other audiences."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from profiles_assets.project.base import Conditions, Name, Spec
from profiles_assets.project.conditions import GROUPS, ConditionError, fields, parse_conditions


def _named(value: Any) -> Any:
    """The name of an audience stands for belonging to it, in nested groups too."""
    return [_condition(item) for item in value] if isinstance(value, list) else value


def _condition(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: _named(part) if key in GROUPS else part for key, part in item.items()}
    return {item: True} if isinstance(item, str) else item


Group = Annotated[list[Conditions], BeforeValidator(_named)]


class Audience(Spec):
    """People for whom everything in `all`, something in `any` and nothing in `none` holds."""

    noun: ClassVar[str] = "audience"

    all: Group = Field(
        default_factory=list,
        description="Conditions that must all hold, or names of audiences.",
        examples=[[{"spend_90d": ">= 200"}, "newsletter_readers"]],
    )
    any: Group = Field(
        default_factory=list,
        description="Conditions of which at least one must hold, or names of audiences.",
        examples=[[{"city": "Berlin"}, {"city": "Wien"}]],
    )
    none: Group = Field(
        default_factory=list,
        description="Conditions of which none may hold, or names of audiences.",
        examples=[[{"churn_risk_band": "high"}]],
    )
    title: str = Field(default="", description="Name for people.", examples=["Loyal customers"])
    description: str = Field(default="", description="What it means and what it is for.")
    owner: str = Field(default="", description="Who answers for it; by default the owner of the file.")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.all or self.any or self.none):
            raise ValueError('an audience needs all, any or none, such as all: [{spend_90d: ">= 200"}]')
        return self

    verb: ClassVar[Literal["audience"]] = "audience"
    type: ClassVar[Literal["boolean"]] = "boolean"
    unit: ClassVar[str] = ""
    pii: ClassVar[bool] = False
    reference: ClassVar[str] = ""
    event: ClassVar[str] = ""
    unless_none: ClassVar[None] = None
    place_in: ClassVar[str] = ""

    @property
    def conditions(self) -> dict[str, Any]:
        """All of it as one mapping of conditions."""
        return {group: found for group in ("all", "any", "none") if (found := getattr(self, group))}

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the traits, scores and audiences it is made from; none while the conditions make no sense."""
        try:
            return fields(parse_conditions(self.conditions))
        except ConditionError:
            return ()


class AudiencesFile(Spec):
    """Content of audiences/<file>.yml; its keys owner and entity hold for every audience in it."""

    entity: Name | None = Field(
        default=None, description="Entity of these audiences; by default the first one.", examples=["user"]
    )
    owner: str = Field(default="", description="Who answers for these audiences.")
    audiences: dict[Name, Audience] = Field(min_length=1, description="Audiences by name.")
