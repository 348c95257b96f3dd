"""predictions/*.yml: what to predict about whom, and how to name the result."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, WithJsonSchema

from profiles_assets.project.base import CONDITIONS_SCHEMA, Conditions, Days, Name, Spec
from profiles_assets.project.conditions import fields, parse_conditions
from profiles_assets.project.model_files import KINDS, SCHEMA, model_kind, model_source

Goal = Literal["none", "any", "count", "sum", "becomes"]
GOALS: dict[str | None, Goal] = {"no": "none", "count": "count", "sum": "sum", None: "any"}
PREDICT = re.compile(r"^(?:(no|count|sum)\s+)?([A-Za-z][\w \-]*?)(?:\.([A-Za-z_][\w.]*))?$")


COMPARISON = re.compile(r"^([a-z][a-z0-9_]*)\s*(!=|<=|>=|=|<|>)\s*(\S.*)$")
FORMS = "no EVENT, EVENT, count EVENT, sum EVENT.PROPERTY or a condition on traits such as {plan: premium}"

TARGET_SCHEMA = {
    "anyOf": [
        {"type": "string", "examples": ["no order_completed", "sum order_completed.total"]},
        CONDITIONS_SCHEMA | {"examples": [{"plan": "premium"}, {"lifetime_value": ">= 500"}]},
    ]
}


class Target(Spec):
    """What happens within the horizon: no event, any event, their number or a sum, or a condition that is met."""

    goal: Goal
    event: str = ""
    property: str = ""
    met: Conditions = Field(default_factory=dict)


def parse_target(value: Any) -> Target:
    """Target of `no EVENT`, `EVENT`, `count EVENT`, `sum EVENT.PROPERTY` or of conditions on traits.

    Raises ValueError for anything else; a Target passes as it is.
    """
    if isinstance(value, Target):
        return value
    if isinstance(value, Mapping) and value:
        return Target(goal="becomes", met=dict(value))
    match = PREDICT.match(value.strip()) if isinstance(value, str) else None
    if match is None or match[2] in GOALS or (match[1] == "sum") != (match[3] is not None):
        near = COMPARISON.match(value.strip()) if isinstance(value, str) else None
        hint = f'; did you mean {{{near[1]}: "{near[2]} {near[3]}"}}?' if near else ""
        raise ValueError(f'"{value}" is not a target; write {FORMS}{hint}')
    return Target(goal=GOALS[match[1]], event=match[2], property=match[3] or "")


class Features(Spec):
    """Traits a model may use; by default all that are numbers, booleans or text."""

    noun: ClassVar[str] = "features"

    include: list[Name] | None = Field(
        default=None, description="Only these traits.", examples=[["orders_90d", "spend_90d"]]
    )
    exclude: list[Name] = Field(default_factory=list, description="All but these traits.", examples=[["city"]])


class Prediction(Spec):
    """One prediction: a probability (no EVENT, EVENT, a condition) or an expected amount (count, sum)."""

    noun: ClassVar[str] = "prediction"

    predict: Annotated[Target, BeforeValidator(parse_target), WithJsonSchema(TARGET_SCHEMA)] = Field(
        description="What happens: no EVENT, EVENT, count EVENT, sum EVENT.PROPERTY or conditions on traits.",
        examples=["no order_completed", {"plan": "premium"}],
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
    model: Annotated[str, AfterValidator(model_kind), WithJsonSchema(SCHEMA)] = Field(
        default="auto",
        description="Kind of model, auto for the best in a backtest, or a Python file with an estimator.",
        examples=["auto", "models/churn.py"],
    )
    title: str = Field(default="", description="Name for people.")
    description: str = Field(default="", description="What it means and what it is for.")
    owner: str = Field(default="", description="Who answers for it; by default the owner of the file.")

    _source: str = PrivateAttr(default="")
    _folder: Path | None = PrivateAttr(default=None)

    def with_code(self, folder: Path) -> Self:
        """The same, knowing the Python file of its model as it is now in the folder that declares it."""
        if self.is_python:
            self._folder, self._source = folder, model_source(folder, self.model)
        return self

    @property
    def is_python(self) -> bool:
        """True when the model is a Python file."""
        return self.model not in KINDS

    @property
    def source(self) -> str:
        """Text of the Python file of the model; empty for built-in models."""
        return self._source

    @property
    def folder(self) -> Path | None:
        """Folder that has the Python file of the model; None for built-in models."""
        return self._folder

    @property
    def of_traits(self) -> bool:
        """True when it predicts traits at the end of the horizon, not an event."""
        return self.predict.goal == "becomes"

    @property
    def predicted_traits(self) -> tuple[str, ...]:
        """The traits it predicts; none for events. Raises ConditionError for conditions that make no sense."""
        return fields(parse_conditions(self.predict.met)) if self.of_traits else ()

    @property
    def is_probability(self) -> bool:
        """True when the score is a probability, False when it is an amount."""
        return self.predict.goal in ("none", "any", "becomes")


class PredictionsFile(Spec):
    """Content of predictions/<file>.yml; its keys owner and entity hold for every prediction in it."""

    entity: Name | None = Field(
        default=None, description="Entity of these predictions; by default the first one.", examples=["user"]
    )
    owner: str = Field(default="", description="Who answers for these predictions.")
    predictions: dict[Name, Prediction] = Field(min_length=1, description="Predictions by name.")
