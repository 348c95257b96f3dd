"""funnels/*.yml: steps that people take one after the other, and how far each person came."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from profiles_assets.project.base import Conditions, Days, Name, Path, Span, Spec
from profiles_assets.project.conditions import ORDERED, comparisons, parse_conditions

Order = Literal["loose", "strict", "any"]
REPORT = "_report"


def _step(value: Any) -> Any:
    return {"event": value} if isinstance(value, str) else value


class Step(Spec):
    """One step: an event that fits."""

    noun: ClassVar[str] = "step"

    event: str = Field(min_length=1, description="Event that takes the step.", examples=["product_viewed"])
    where: Conditions = Field(
        default_factory=dict, description="Conditions on the event's properties.", examples=[{"total": ">= 150"}]
    )
    name: str = Field(default="", description="Name for people; by default the event's.", examples=["Paid"])

    @property
    def title(self) -> str:
        """Name for people."""
        return self.name or self.event.replace("_", " ")


StepOrEvent = Annotated[Step, BeforeValidator(_step)]


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str | dict) else value


def _paths(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Funnel(Spec):
    """Steps in order; gives each person the furthest step, the time of completion and the hours it took."""

    noun: ClassVar[str] = "funnel"

    steps: list[StepOrEvent] = Field(
        min_length=2,
        max_length=20,
        description="Events, or mappings with event, where and name.",
        examples=[["product_viewed", "order_completed"]],
    )
    within: Span | None = Field(
        default=None,
        description="Longest time from the first step to the last.",
        examples=["7 days"],
    )
    order: Order = Field(
        default="loose",
        description="loose: other events may come between; strict: no other step of the funnel; any: any order.",
        examples=["strict"],
    )
    same: Annotated[list[Path], BeforeValidator(_paths)] = Field(
        default_factory=list,
        description="Properties that must have the same value in all steps.",
        examples=["product_id"],
    )
    unless: Annotated[list[StepOrEvent], BeforeValidator(_several)] = Field(
        default_factory=list,
        description="Events that end an attempt when they come between its steps.",
        examples=["cart_abandoned"],
    )
    during: Days | None = Field(
        default=None, description="Only events of the last days, as_of included.", examples=["90 days"]
    )
    title: str = Field(default="", description="Name for people.", examples=["From view to order"])
    description: str = Field(default="", description="What it means and what it is for.")
    owner: str = Field(default="", description="Who answers for it; by default the owner of the file.")

    @model_validator(mode="after")
    def _order_and_exclusion(self) -> Self:
        if self.order == "any" and self.unless:
            raise ValueError("unless needs an order of steps; use order: loose or strict with it")
        return self

    @property
    def events(self) -> tuple[Step, ...]:
        """Steps and exclusions."""
        return (*self.steps, *self.unless)


class FunnelsFile(Spec):
    """Content of funnels/<file>.yml; its keys owner and entity hold for every funnel in it."""

    entity: Name | None = Field(
        default=None, description="Entity that takes the steps; by default the first one.", examples=["user"]
    )
    owner: str = Field(default="", description="Who answers for these funnels.")
    funnels: dict[Name, Funnel] = Field(min_length=1, description="Funnels by name.")


def funnel_columns(name: str) -> dict[str, str]:
    """Columns that a funnel adds to a profile, and their types."""
    return {f"{name}_step": "integer", f"{name}_completed_at": "time", f"{name}_hours": "float"}


def used_properties(funnel: Funnel) -> Iterator[tuple[str, str, bool]]:
    """Event and property path of everything a funnel reads; True for what must be a number."""
    for step in funnel.events:
        for path in funnel.same:
            yield step.event, path, False
        for found in comparisons(parse_conditions(step.where)):
            yield step.event, found.field, found.op in ORDERED and isinstance(found.value, int | float)


FUNNEL_MEANING = {
    "_step": "furthest step reached",
    "_completed_at": "time of the first completion",
    "_hours": "hours that the first completion took",
}
