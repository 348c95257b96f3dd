"""predictions/*.yml: what to predict about whom, and how to name the result."""

import re
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from profiles_assets.project.base import Conditions, Days, Name, Spec

Goal = Literal["none", "any", "count", "sum"]
GOALS: dict[str | None, Goal] = {"no": "none", "count": "count", "sum": "sum", None: "any"}
PREDICT = re.compile(r"^(?:(no|count|sum)\s+)?([A-Za-z][\w \-]*?)(?:\.([A-Za-z_][\w.]*))?$")


TARGET_SCHEMA = {"type": "string", "examples": ["no order_completed", "sum order_completed.total"]}


class Target(Spec):
    """What happens within the horizon: no event, any event, their number or a sum over them."""

    goal: Goal
    event: str
    property: str = ""


def parse_target(value: Any) -> Target:
    """Target of `no EVENT`, `EVENT`, `count EVENT` or `sum EVENT.PROPERTY`.

    Raises ValueError for anything else; a Target passes as it is.
    """
    if isinstance(value, Target):
        return value
    match = PREDICT.match(value.strip()) if isinstance(value, str) else None
    if match is None or match[2] in GOALS or (match[1] == "sum") != (match[3] is not None):
        raise ValueError(f'"{value}" is not a target; write no EVENT, EVENT, count EVENT or sum EVENT.PROPERTY')
    return Target(goal=GOALS[match[1]], event=match[2], property=match[3] or "")


class Features(Spec):
    """Traits a model may use; by default all that are numbers, booleans or text."""

    noun: ClassVar[str] = "features"

    include: list[Name] | None = Field(
        default=None, description="Only these traits.", examples=[["orders_90d", "spend_90d"]]
    )
    exclude: list[Name] = Field(default_factory=list, description="All but these traits.", examples=[["city"]])


class Prediction(Spec):
    """One prediction: a probability (no EVENT, EVENT) or an expected amount (count, sum)."""

    noun: ClassVar[str] = "prediction"

    predict: Annotated[Target, BeforeValidator(parse_target), WithJsonSchema(TARGET_SCHEMA)] = Field(
        description="What happens: no EVENT, EVENT, count EVENT or sum EVENT.PROPERTY.",
        examples=["no order_completed"],
    )
    over: Days = Field(description="Horizon, counted from the day after as_of.", examples=["30 days"])
    among: Conditions = Field(
        default_factory=dict,
        description="Conditions on traits that choose the people.",
        examples=[{"orders_90d": "> 0"}],
    )
    features: Features = Field(default=Features(), description="Traits that the model may use.")
    bands: dict[str, str] = Field(
        default_factory=dict,
        description="Names of score bands, highest first: top 10%, next 20%, rest, or >= 0.7.",
        examples=[{"high": "top 10%", "medium": "next 20%", "low": "rest"}],
    )
    retrain: Literal["always", "weekly", "monthly"] = Field(
        default="weekly", description="How often the model learns anew.", examples=["weekly"]
    )
    model: Literal["auto", "btyd", "boosted", "blend"] = Field(
        default="auto", description="Kind of model; auto takes the best in a backtest.", examples=["auto"]
    )
    title: str = Field(default="", description="Name for people.")
    description: str = Field(default="", description="What it means and what it is for.")
    owner: str = Field(default="", description="Who answers for it; by default the owner of the file.")

    @property
    def is_probability(self) -> bool:
        """True when the score is a probability, False when it is an amount."""
        return self.predict.goal in ("none", "any")


class PredictionsFile(Spec):
    """Content of predictions/<file>.yml; its keys owner and entity hold for every prediction in it."""

    entity: Name | None = Field(
        default=None, description="Entity of these predictions; by default the first one.", examples=["user"]
    )
    owner: str = Field(default="", description="Who answers for these predictions.")
    predictions: dict[Name, Prediction] = Field(min_length=1, description="Predictions by name.")
