"""sources.yml: where events come from and where in a record their parts are."""

import re
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path as PathOfFile
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from profiles_assets.project.base import Name, Path, Span, Spec
from profiles_assets.project.id_functions import function_source
from profiles_assets.project.normalisers import FUNCTION
from profiles_assets.project.presets import Preset, with_preset

Format = Literal["jsonl", "csv", "parquet"]
ColumnType = Literal["text", "number", "integer", "boolean", "time"]
VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
ENDINGS: dict[str, Format] = {
    "jsonl": "jsonl",
    "ndjson": "jsonl",
    "json": "jsonl",
    "csv": "csv",
    "tsv": "csv",
    "parquet": "parquet",
}


def _several(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


class Column(Spec):
    """A property computed from the other properties of the same event."""

    noun: ClassVar[str] = "column"

    sql: str = Field(
        min_length=1, description="SQL expression over properties of one event.", examples=["price * quantity"]
    )
    type: ColumnType = Field(description="Type of the value.", examples=["number"])
    description: str = Field(default="", description="What it means.")


class Source(Spec):
    """One stream of events: its files, and the paths of time, event name, ids and properties in a record."""

    noun: ClassVar[str] = "source"

    kind: Literal["events", "records"] = Field(
        default="events",
        description="records are rows of a table that changes, of which the newest version of a key counts.",
        examples=["records"],
    )
    key: Annotated[list[Path], BeforeValidator(_several)] = Field(
        default_factory=list, description="Paths that tell which record it is, for kind: records.", examples=["id"]
    )
    preset: Preset | None = Field(
        default=None,
        description="Layout that fills in the paths, as one of these tools exports it.",
        examples=["segment"],
    )
    files: str = Field(
        default="",
        description="Glob of files, local or an fsspec URL; {day} stands for the load day.",
        examples=["landing/orders/{day}/*.csv"],
    )
    model: Name | None = Field(
        default=None, description="SQL model whose rows are the events, instead of files.", examples=["order_lines"]
    )
    table: str | None = Field(
        default=None,
        min_length=1,
        description="Table of a database whose rows are the events, instead of files.",
        examples=["public.orders"],
    )
    database: str | None = Field(
        default=None,
        min_length=1,
        description="Postgres URL or DuckDB file of the table; ${NAME} stands for an environment variable.",
        examples=["postgresql://reader@db.example/shop"],
    )
    watermark: str | None = Field(
        default=None,
        min_length=1,
        description="Column of the table, a time or a growing number, by which new rows are found.",
        examples=["updated_at"],
    )
    overlap: Span = Field(
        default=3_600,
        description="How far behind the newest watermark late rows are looked for; a number for numbers.",
        examples=["1 hour"],
    )
    format: Format | None = Field(default=None, description="By default told from the file ending.", examples=["csv"])
    delimiter: str = Field(default=",", min_length=1, max_length=1, description="Of CSV files.", examples=[";"])
    time: Path | None = Field(
        default=None, description="Path of the event time; records may have none.", examples=["timestamp"]
    )
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
        description="Identifier type: path of its value; {} for events that are nobody's, such as costs.",
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
    columns: dict[Name, Column] = Field(
        default_factory=dict,
        description="Properties computed from others, row by row.",
        examples=[{"amount": {"sql": "price * quantity", "type": "number"}}],
    )
    pii: list[Path] = Field(
        default_factory=list,
        description="Properties with personal data; traits made from them are personal too.",
        examples=[["email", "phone"]],
    )
    identify_traits: Path | None = Field(
        default=None, description="Path of an object whose keys describe the person.", examples=["traits"]
    )
    distinct: bool = Field(default=False, description="Drop repeated whole records within a day.")
    transform: list[str] = Field(
        default_factory=list,
        description="Functions that every record goes through before everything else.",
        examples=[["functions/clean.py:drop_bots"]],
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

    _code: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, data: Any) -> Any:
        return with_preset(data)

    @model_validator(mode="after")
    def _origin(self) -> Self:
        if [bool(self.files), bool(self.model), bool(self.table)].count(True) != 1:
            raise ValueError("give one of files (a glob), model (an SQL model) and table (of a database)")
        if self.table and not (self.database and self.watermark):
            raise ValueError("a table needs its database and a watermark, such as watermark: updated_at")
        told = [key for key in ("database", "watermark", "overlap") if key in self.model_fields_set]
        if told and not self.table:
            raise ValueError(f"{told[0]} is for a source with a table, such as table: public.orders")
        return self

    @model_validator(mode="after")
    def _one_event_name(self) -> Self:
        if self.kind == "records" and self.event is None:
            return self
        if (self.event is None) == (self.event_is is None):
            raise ValueError("give either event (path of the name) or event_is (one name for all), not both or none")
        return self

    @model_validator(mode="after")
    def _keys_of_the_kind(self) -> Self:
        if (self.kind == "records") != bool(self.key):
            raise ValueError("records need a key that tells which record it is, such as key: id, and events have none")
        if self.kind == "events" and self.time is None:
            raise ValueError("events need a time, such as time: timestamp")
        return self

    @property
    def transforms(self) -> list[tuple[str, str]]:
        """File and name of each transformation."""
        return [(found[1], found[2]) for one in self.transform if (found := FUNCTION.fullmatch(one))]

    @property
    def code(self) -> dict[str, str]:
        """Texts of the files that its transformations are in, as they were when it was read."""
        return self._code

    def with_code(self, root: PathOfFile) -> Self:
        """The same, knowing the code of its transformations as it is now; files that cannot be read are left out."""
        if not self.transform:
            return self
        copy = self.model_copy()
        copy._code = dict(_texts(root, {file for file, _ in self.transforms}))
        return copy

    @property
    def by_path_day(self) -> bool:
        """True when the load day stands in the path of the files."""
        return "{day}" in self.files

    @property
    def file_format(self) -> Format:
        """Declared format, else the one that the file ending tells. Raises ValueError when neither does."""
        if self.format or self.model or self.table:
            return "jsonl" if self.table else self.format or "parquet"
        for part in reversed(self.files.rsplit("/", 1)[-1].split(".")):
            if part in ENDINGS:
                return ENDINGS[part]
        raise ValueError(f'cannot tell the format of "{self.files}"; add format: jsonl, csv or parquet')

    def has_event(self, event: str) -> bool | None:
        """True or False when the source tells that it has this event, None when only the data would tell."""
        if self.event_is or self.events:
            return event in {self.event_is, *self.events}
        return None


def _texts(root: PathOfFile, files: Iterable[str]) -> Iterator[tuple[str, str]]:
    for file in sorted(files):
        try:
            yield file, function_source(root, file)
        except (OSError, UnicodeDecodeError):
            continue  # which is reported elsewhere


class SourcesFile(Spec):
    """Content of sources.yml or of a file in sources/."""

    sources: dict[Name, Source] = Field(min_length=1, description="Sources of events by name.")
