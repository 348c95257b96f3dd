"""metrics/*.yml: numbers of the organisation, each with a value per person, a daily series and a distribution."""

from typing import ClassVar, Self

from pydantic import Field, model_validator

from profiles_assets.project.base import Name, Spec
from profiles_assets.project.traits import Trait

METRIC_VERBS = ("count", "sum", "average", "min", "max", "unique_count", "days_with", "sql")
SECTION = "metrics"
DISTRIBUTIONS = "distributions"


class Metric(Trait):
    """A number per person and per day, from one verb over events."""

    noun: ClassVar[str] = "metric"

    @model_validator(mode="after")
    def _a_number(self) -> Self:
        if self.verb not in METRIC_VERBS:
            raise ValueError(f"a metric is a number over events, made with one of {', '.join(METRIC_VERBS)}")
        if self.verb == "sql" and self.type not in ("number", "integer", "float"):
            raise ValueError(f"a metric is a number, so its type is number, integer or float, not {self.type}")
        return self


class MetricsFile(Spec):
    """Content of metrics/<file>.yml; its keys owner and entity hold for every metric in it."""

    entity: Name | None = Field(
        default=None, description="Entity whose people have the number; by default the first one.", examples=["user"]
    )
    owner: str = Field(default="", description="Who answers for these metrics.")
    metrics: dict[Name, Metric] = Field(
        min_length=1, description="Metrics by name.", examples=[{"revenue": {"sum": "order_completed.total"}}]
    )
