"""attribution/*.yml: which touchpoints lead to which conversion."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import Field

from profiles_assets.project.base import Days, Name, Path, Spec

Rule = Literal["first", "last", "last_non_direct", "linear", "time_decay", "position", "shapley"]


class Touchpoint(Spec):
    """Events by which a channel touches a person; those without a channel are none."""

    noun: ClassVar[str] = "touchpoint"

    event: str = Field(min_length=1, description="Event that is a touch.", examples=["page_viewed"])
    channel: Path = Field(description="Property that names the channel.", examples=["utm_source"])


class Cost(Spec):
    """Events that say what a channel cost on a day."""

    noun: ClassVar[str] = "cost"

    event: str = Field(min_length=1, description="Event that tells a cost.", examples=["ad_spend"])
    channel: Path = Field(description="Property that names the channel.", examples=["utm_source"])
    amount: Path = Field(description="Property that is the amount, in the unit of value.", examples=["cost"])


class Attribution(Spec):
    """Credits of one kind of conversion, by every model."""

    noun: ClassVar[str] = "attribution"

    touchpoints: list[Touchpoint] = Field(
        min_length=1,
        description="Events that are touches, each with the property that names its channel.",
        examples=[[{"event": "page_viewed", "channel": "utm_source"}]],
    )
    conversion: str = Field(min_length=1, description="Event that counts.", examples=["order_completed"])
    value: Path | None = Field(
        default=None, description="Property of the conversion that is its value.", examples=["total"]
    )
    within: Days = Field(default=30, description="How long before a conversion touches count.", examples=["30 days"])
    direct: list[str] = Field(
        default_factory=lambda: ["direct"], description="Channels that are no reason to come.", examples=[["direct"]]
    )
    half_life: Days = Field(default=7, description="After how long a touch counts half in time_decay.")
    costs: list[Cost] = Field(
        default_factory=list,
        description="Events that tell what channels cost, each with the properties that name channel and amount.",
        examples=[[{"event": "ad_spend", "channel": "utm_source", "amount": "cost"}]],
    )
    mix: Rule = Field(
        default="linear", description="Model whose shares come back as traits of people.", examples=["position"]
    )
    title: str = Field(default="", description="Name for people.")
    description: str = Field(default="", description="What it is for.")
    owner: str = Field(default="", description="Who answers for it; by default the owner of the file.")


class AttributionFile(Spec):
    """Content of attribution/<file>.yml; its keys owner and entity hold for everything in it."""

    entity: Name | None = Field(
        default=None, description="Entity that converts; by default the first one.", examples=["user"]
    )
    owner: str = Field(default="", description="Who answers for these.")
    attribution: dict[Name, Attribution] = Field(min_length=1, description="Attributions by name.")


def properties_read(spec: Attribution) -> Iterator[tuple[str, str, bool]]:
    """Event and path of every property that is read; True for what must be a number."""
    yield from ((touch.event, touch.channel, False) for touch in spec.touchpoints)
    if spec.value:
        yield spec.conversion, spec.value, True
    for cost in spec.costs:
        yield from ((cost.event, cost.channel, False), (cost.event, cost.amount, True))
