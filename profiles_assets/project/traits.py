"""traits/<section>.yml: traits, each with one verb."""

from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import ConfigDict, Field, FiniteFloat, StringConstraints, model_validator

from profiles_assets.project.base import Conditions, Days, Name, Path, Pii, Spec
from profiles_assets.project.formulas import formula_names

Verb = Literal[
    "count", "days_with", "days_since", "exists", "sum", "average", "min", "max", "first", "latest",
    "most_frequent", "unique", "unique_count", "ratio", "calculate", "days_between", "bucket", "percentile", "sql",
    "function",
]  # fmt: skip
VERBS: tuple[Verb, ...] = get_args(Verb)
EVENT_VERBS = ("count", "days_with", "days_since", "exists")
TRAIT_VERBS = ("ratio", "calculate", "days_between", "bucket", "percentile")
WHOLE_EVENT_VERBS = ("first", "latest")
PROPERTY_VERBS = tuple(verb for verb in VERBS if verb not in (*EVENT_VERBS, *TRAIT_VERBS, "sql", "function"))
PERCENTILE = r"^p(?:100|[0-9]{1,2})$"
PercentileEdge = Annotated[str, StringConstraints(pattern=PERCENTILE)]
TraitType = Literal["text", "number", "integer", "float", "boolean", "time", "date", "list"]


class Trait(Spec):
    """One fact about a person, derived from events or from other traits by exactly one verb."""

    model_config = ConfigDict(json_schema_extra={"oneOf": [{"required": [verb]} for verb in VERBS]})
    noun: ClassVar[str] = "trait"

    count: str | None = Field(default=None, description="Number of events.", examples=["order_completed"])
    sum: str | None = Field(default=None, description="Sum of an event's property.", examples=["order_completed.total"])
    average: str | None = Field(
        default=None, description="Mean of an event's property.", examples=["order_completed.total"]
    )
    min: str | None = Field(
        default=None, description="Smallest value of an event's property.", examples=["order_completed.total"]
    )
    max: str | None = Field(
        default=None, description="Largest value of an event's property.", examples=["order_completed.total"]
    )
    first: str | None = Field(
        default=None,
        description="Property of the first event that has it, or the whole first event.",
        examples=["order_completed.category"],
    )
    latest: str | None = Field(
        default=None,
        description="Property of the latest event that has it, or the whole latest event.",
        examples=["identify.city"],
    )
    most_frequent: str | None = Field(
        default=None,
        description="Value seen most often; the latest wins a tie.",
        examples=["product_viewed.category"],
    )
    unique: str | None = Field(
        default=None, description="Distinct values, sorted.", examples=["product_viewed.category"]
    )
    unique_count: str | None = Field(
        default=None, description="Number of distinct values.", examples=["product_viewed.product_id"]
    )
    days_with: str | None = Field(
        default=None, description="Number of days with such an event.", examples=["page_viewed"]
    )
    days_since: str | None = Field(
        default=None, description="Days since the latest such event.", examples=["order_completed"]
    )
    exists: str | None = Field(default=None, description="Whether there is such an event.", examples=["app_opened"])
    ratio: list[Name] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="First trait divided by the second.",
        examples=[["coupon_orders", "orders"]],
    )
    calculate: str | None = Field(
        default=None,
        description="Arithmetic with other traits: + - * / and parentheses.",
        examples=["spend_90d / orders_90d"],
    )
    days_between: list[Name] | None = Field(
        default=None,
        min_length=2,
        max_length=2,
        description="Whole days from the first trait to the second; both are times or dates.",
        examples=[["first_order_at", "last_order_at"]],
    )
    bucket: Name | None = Field(
        default=None,
        description="Trait to place between the edges in `at`; a metric without edges gives its histogram bin.",
        examples=["spend_90d"],
    )
    percentile: Name | None = Field(
        default=None, description="Metric in whose distribution to place the person, 0 to 100.", examples=["revenue"]
    )
    sql: str | None = Field(
        default=None,
        description="One SQL aggregate over the events named in `from`.",
        examples=["avg((dayofweek(time) in (0, 6))::int)"],
    )
    function: str | None = Field(
        default=None,
        description="Profile function and the key of its traits, nested ones with dots.",
        examples=["engagement.best"],
    )

    within: Days | None = Field(
        default=None, description="Only events of the last days, as_of included.", examples=["30 days"]
    )
    where: Conditions = Field(
        default_factory=dict,
        description="Conditions on the event's properties.",
        examples=[{"total": ">= 150"}],
    )
    unless_none: str | float | int | bool | None = Field(
        default=None, description="Value where there is none.", examples=[0]
    )
    at: list[FiniteFloat | PercentileEdge] | None = Field(
        default=None,
        min_length=1,
        description="Edges of a bucket, rising; a value on an edge is above it. For metrics also percentiles: p50.",
        examples=[[50, 200, 1000]],
    )
    labels: list[str] | None = Field(
        default=None,
        description="Names of the buckets, one more than edges.",
        examples=[["light", "regular", "heavy", "whale"]],
    )
    from_: str | None = Field(
        default=None,
        alias="from",
        description="Event whose rows an sql trait aggregates.",
        examples=["order_completed"],
    )
    order_by: Path | None = Field(
        default=None,
        description="Property in whose order the window functions of sql see the events of a person.",
        examples=["time"],
    )
    at_least: int | None = Field(
        default=None, ge=1, description="most_frequent: how often it must have been seen.", examples=[3]
    )
    keep: int | None = Field(
        default=None, ge=1, description="unique: how many values to keep, the most recently seen.", examples=[10]
    )
    variants: dict[str, Any] | None = Field(
        default=None,
        description="Makes one trait per value of a key: within takes a list, other keys a mapping of name endings.",
        examples=[{"within": ["7 days", "30 days", "90 days"]}],
    )
    type: TraitType | None = Field(
        default=None, description="Type of the value; needed for sql and function.", examples=["float"]
    )
    title: str = Field(default="", description="Name for people.", examples=["Orders, last 30 days"])
    description: str = Field(default="", description="What it means and what it is for.")
    owner: str = Field(default="", description="Who answers for it; by default the owner of the file.")
    unit: str = Field(default="", description="Unit of the value.", examples=["EUR"])
    pii: Pii = Field(
        default=False, description="Personal data: true hides it from readers, hash and mask show a stand-in."
    )

    @model_validator(mode="after")
    def _one_verb(self) -> Self:
        used = [verb for verb in VERBS if getattr(self, verb) is not None]
        if len(used) != 1:
            has = f"it has {' and '.join(used)}" if used else f"choose one of {', '.join(VERBS)}"
            raise ValueError(f"a trait needs exactly one verb; {has}")
        return self

    @model_validator(mode="after")
    def _keys_of_the_verb(self) -> Self:
        verb = self.verb
        if self.at is not None and verb != "bucket":
            raise ValueError("at goes with bucket")
        if (verb == "sql") != (self.from_ is not None):
            raise ValueError("sql needs the event to read, such as from: order_completed, and no other verb does")
        if verb == "sql" and self.type is None:
            raise ValueError("sql needs the type of its value, such as type: float")
        if self.function is not None and (self.type is None or not all(self.function_key)):
            raise ValueError("function needs a function, a key of its traits and a type: function: f.key, type: number")
        if self.function is not None and (self.within or self.where):
            raise ValueError("within and where go with events; the window of a function stands in its config")
        if verb in TRAIT_VERBS and (self.within or self.where):
            raise ValueError(f"within and where go with events, but {verb} is made from other traits")
        for key, owner in (("at_least", "most_frequent"), ("keep", "unique"), ("order_by", "sql")):
            if getattr(self, key) is not None and verb != owner:
                raise ValueError(f"{key} goes with {owner}, not with {verb}")
        return self

    @model_validator(mode="after")
    def _fitting_labels(self) -> Self:
        edges = self.at or []
        if self.labels is not None and self.at is None:
            raise ValueError("labels go with bucket and its edges, such as at: [50, 200]")
        if self.labels is not None and len(self.labels) != len(edges) + 1:
            raise ValueError(f"{len(edges)} edges need {len(edges) + 1} labels, not {len(self.labels)}")
        if len({isinstance(edge, str) for edge in edges}) > 1:
            raise ValueError("the edges are numbers or percentiles such as p50, not both")
        places = [float(edge.removeprefix("p")) if isinstance(edge, str) else edge for edge in edges]
        if sorted(set(places)) != places:
            shown = ", ".join(edge if isinstance(edge, str) else f"{edge:g}" for edge in edges)
            raise ValueError(f"the edges [{shown}] must rise")
        return self

    @property
    def verb(self) -> Verb:
        """The verb of this trait."""
        return next(verb for verb in VERBS if getattr(self, verb) is not None)

    @property
    def reference(self) -> str:
        """Event or event.property that the verb reads; empty for verbs over traits and functions."""
        if self.verb in TRAIT_VERBS or self.function is not None:
            return ""
        return str(self.from_ if self.verb == "sql" else getattr(self, self.verb))

    @property
    def event(self) -> str:
        """Event that the verb reads; empty for verbs over traits."""
        return self.reference.split(".", 1)[0]

    @property
    def event_property(self) -> str:
        """Property of the event that the verb reads, or empty."""
        return self.reference.partition(".")[2] if self.verb in PROPERTY_VERBS else ""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the traits this one is made from."""
        if self.calculate is not None:
            return formula_names(self.calculate)
        single = self.bucket or self.percentile
        return (single,) if single else tuple(self.ratio or self.days_between or ())

    @property
    def function_key(self) -> tuple[str, str]:
        """Profile function and the path in its traits that the value comes from; empty for other verbs."""
        name, _, path = (self.function or "").partition(".")
        return name, path

    @property
    def place_in(self) -> str:
        """Metric in whose frozen distribution this trait places a person, or empty."""
        of_bins = self.verb == "bucket" and (self.at is None or isinstance(self.at[0], str))
        return str(self.percentile or self.bucket) if self.percentile or of_bins else ""


class SectionFile(Spec):
    """Content of traits/<section>.yml; its keys owner, entity and defaults hold for every trait in it."""

    entity: Name | None = Field(
        default=None, description="Entity of these traits; by default the first one.", examples=["user"]
    )
    owner: str = Field(default="", description="Who answers for these traits.")
    description: str = Field(default="", description="What these traits are about.")
    defaults: dict[str, Any] = Field(
        default_factory=dict,
        description="Keys for every trait of the file that says nothing else.",
        examples=[{"within": "90 days", "unit": "EUR"}],
    )
    traits: dict[Name, Trait] = Field(
        min_length=1,
        description="Traits by name.",
        examples=[{"orders": {"count": "order_completed"}}],
    )
