"""sources.yml: where events come from and where in a record their parts are."""

from datetime import date
from typing import ClassVar, Literal, Self

from pydantic import Field, field_validator, model_validator

from profiles_assets.project.base import Name, Path, Spec

Format = Literal["jsonl", "csv", "parquet"]
ColumnType = Literal["text", "number", "integer", "boolean", "time"]
ENDINGS: dict[str, Format] = {
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "jsonl",
    "csv": "csv",
    "tsv": "csv",
    "parquet": "parquet",
}


class Source(Spec):
    """One stream of events: its files, and the paths of time, event name, ids and properties in a record."""

    noun: ClassVar[str] = "source"

    files: str = Field(
        min_length=1,
        description="Glob of files, local or an fsspec URL; {day} stands for the load day.",
        examples=["landing/orders/{day}/*.csv"],
    )
    format: Format | None = Field(default=None, description="By default told from the file ending.", examples=["csv"])
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="Of CSV files.", examples=[";"])
    time: Path = Field(description="Path of the event time.", examples=["timestamp"])
    received: Path | None = Field(default=None, description="Path of the arrival time.", examples=["received_at"])
    event_id: Path | None = Field(
        default=None,
        description="Path of the id that makes a repeated event a duplicate.",
        examples=["messageId"],
    )
    event: Path | None = Field(default=None, description="Path of the event name.", examples=["event"])
    event_is: str | None = Field(
        default=None,
        min_length=1,
        description="Name of every event of this source.",
        examples=["order_completed"],
    )
    events: list[str] = Field(
        default_factory=list,
        description="Names of the events to expect; lets typos be found.",
        examples=[["page_viewed", "product_viewed"]],
    )
    ids: dict[Name, Path] = Field(
        min_length=1,
        description="Identifier type: path of its value.",
        examples=[{"user_id": "userId", "email": "context.traits.email"}],
    )
    properties: Path | None = Field(
        default=None,
        description="Path of the object with properties; default properties, then the record.",
        examples=["properties"],
    )
    types: dict[Path, ColumnType] = Field(
        default_factory=dict,
        description="Types of properties; inferred where not said.",
        examples=[{"total": "number"}],
    )
    identify_traits: Path | None = Field(
        default=None, description="Path of an object whose keys describe the person.", examples=["traits"]
    )
    distinct: bool = Field(default=False, description="Drop repeated whole records within a day.")
    transform: list[str] = Field(
        default_factory=list, description="Functions applied to every event, file.py:function."
    )
    not_before: date = Field(
        default=date(1980, 1, 1), description="Events dated earlier are rejects.", examples=["2020-01-31"]
    )
    warn_rejects: float = Field(
        default=0.01, ge=0, le=1, description="Share of rejects above which a check warns.", examples=[0.01]
    )
    max_record_bytes: int = Field(
        default=8_000_000, ge=1_000, description="Longer records are rejects.", examples=[8_000_000]
    )
    title: str = Field(default="", description="Name for people.")
    description: str = Field(default="", description="What these events are.")
    owner: str = Field(default="", description="Who answers for these events.")

    @field_validator("transform")
    @classmethod
    def _no_transformations_yet(cls, value: list[str]) -> list[str]:
        if value:
            raise ValueError("transformations are not available in this version; leave the key out")
        return value

    @model_validator(mode="after")
    def _one_event_name(self) -> Self:
        if (self.event is None) == (self.event_is is None):
            raise ValueError("give either event (path of the name) or event_is (one name for all), not both or none")
        return self

    @property
    def by_path_day(self) -> bool:
        """True when the load day stands in the path of the files."""
        return "{day}" in self.files

    @property
    def file_format(self) -> Format:
        """Declared format, else the one that the file ending tells. Raises ValueError when neither does."""
        if self.format:
            return self.format
        for part in reversed(self.files.rsplit("/", 1)[-1].split(".")):
            if part in ENDINGS:
                return ENDINGS[part]
        raise ValueError(f'cannot tell the format of "{self.files}"; add format: jsonl, csv or parquet')

    def has_event(self, event: str) -> bool | None:
        """True or False when the source tells that it has this event, None when only the data would tell."""
        if self.event_is or self.events:
            return event in {self.event_is, *self.events}
        return None


class SourcesFile(Spec):
    """Content of sources.yml or of a file in sources/."""

    sources: dict[Name, Source] = Field(min_length=1, description="Sources of events by name.")
