"""project.yml: the project itself, its entities and their identifiers."""

from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PrivateAttr, WithJsonSchema

from profiles_assets.project.base import Days, Name, Pii, Spec
from profiles_assets.project.caps import DeclaredCap, Limit, Period
from profiles_assets.project.id_functions import function_hash
from profiles_assets.project.normalisers import SCHEMA, Step, functions_in, steps_of
from profiles_assets.project.patterns import Patterns

WEAK_NAMES = (
    "anonymous",
    "device",
    "cookie",
    "session",
    "visitor",
    "client",
    "browser",
    "idfa",
    "gaid",
    "ip",
)
DEFAULT_MAX_PER_PROFILE = {"user_id": 1}
DEFAULT_MAX_BRIDGED = 1


class IdType(Spec):
    """One kind of identifier of an entity and the guards on it."""

    noun: ClassVar[str] = "id type"

    normalise: Annotated[Any, WithJsonSchema(SCHEMA)] = Field(
        default="trim",
        description="How values are written alike before they are compared: a normaliser, or several in turn.",
        examples=["email", {"phone": {"region": "DE"}}, ["functions/ids.py:clean", "email"]],
    )
    weak: bool | None = Field(
        default=None, description="Identifies a thing rather than a person; by default told from the name."
    )
    max_per_profile: DeclaredCap = Field(
        default=None,
        description="Most values of this type in one profile, or most new ones in a period.",
        examples=[5, {"most": 5, "per": "month"}],
    )
    max_linked: dict[Name, Limit] = Field(
        default_factory=dict,
        description="Most values of another type seen with one value.",
        examples=[{"email": 1}],
    )
    max_bridged: Limit | None = Field(
        default=None, description="Most known people that one weak value may join.", examples=[1]
    )
    block: list[str] = Field(
        default_factory=list,
        description="Values that identify nobody, beside the built-in ones.",
        examples=[["test@example.com"]],
    )
    block_matching: Patterns = Field(
        default_factory=list,
        description="Values in which one of these regular expressions is found identify nobody.",
        examples=["^test"],
    )
    only_matching: Patterns = Field(
        default_factory=list,
        description="Values in which none of these regular expressions is found identify nobody.",
        examples=["^usr_"],
    )
    pii: Pii = Field(default=False, description="Personal data: true hides it from readers, hash and mask stand in.")
    block_shared_mailboxes: bool = Field(
        default=False, description="Also block noreply@, info@, support@ and the like."
    )
    _code: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The normalisers, in turn."""
        return steps_of(self.normalise, self._code)

    def with_code(self, root: Path) -> "IdType":
        """The same, knowing the code of its functions as it is now, so that it is another one when that changes."""
        found = {file: function_hash(root, file) for _, file, _ in functions_in(self.normalise)}
        copy = self.model_copy()
        copy._code = found
        return copy if found else self

    @property
    def hashed(self) -> bool:
        """True when values are hashes, in which nothing can be recognised."""
        return any(step.name == "hash" for step in self.steps)


class Entity(Spec):
    """A kind of thing that gets profiles; the order of its ids is their priority."""

    noun: ClassVar[str] = "entity"

    ids: dict[Name, IdType] = Field(
        min_length=1,
        description="Identifier types with their guards, the most trusted first.",
        examples=[{"user_id": {}, "email": {"normalise": "email"}}],
    )
    guards: Literal["default", "none"] = Field(default="default", description="none switches all guards off.")
    description: str = Field(default="", description="What it stands for.")

    def with_code(self, root: Path) -> "Entity":
        """The same, knowing the code of the functions that normalise its ids."""
        ids = {name: spec.with_code(root) for name, spec in self.ids.items()}
        return (
            self if all(spec is self.ids[name] for name, spec in ids.items()) else self.model_copy(update={"ids": ids})
        )

    def is_weak(self, id_type: str) -> bool:
        """True for ids that tell a device or a visit rather than a person."""
        declared = self.ids[id_type].weak
        parts = id_type.split("_")
        return any(word in parts for word in WEAK_NAMES) if declared is None else declared

    def max_per_profile(self, id_type: str) -> int | None:
        """Limit of values per profile, or of new ones in a period; with the default where nothing is declared."""
        declared = self.ids[id_type].max_per_profile
        if self.guards == "none":
            return None
        return declared.most if declared else DEFAULT_MAX_PER_PROFILE.get(id_type)

    def period(self, id_type: str) -> Period:
        """The calendar period that `max_per_profile` counts new values in."""
        declared = self.ids[id_type].max_per_profile
        return declared.per if declared else "ever"

    def max_linked(self, id_type: str) -> dict[str, int]:
        """Limits of values of other types seen with one value of this type."""
        return {} if self.guards == "none" else self.ids[id_type].max_linked

    def max_bridged(self, id_type: str) -> int | None:
        """Limit of known people that one value may join; None for ids that are people themselves."""
        if self.guards == "none" or not self.is_weak(id_type):
            return None
        return self.ids[id_type].max_bridged or DEFAULT_MAX_BRIDGED


class ProjectFile(Spec):
    """Content of project.yml."""

    name: Name = Field(description="Name of the project.", examples=["shop"])
    entities: dict[Name, Entity] = Field(
        min_length=1,
        description="What gets profiles: people, accounts, …",
        examples=[{"user": {"ids": {"user_id": {}, "email": {}}}}],
    )
    timezone: str = Field(
        default="UTC", description="Time zone whose days partition everything.", examples=["Europe/Berlin"]
    )
    start: date = Field(default=date(2020, 1, 1), description="First load day.", examples=["2025-01-31"])
    end: date | None = Field(default=None, description="Last load day; open by default.", examples=["2025-12-31"])
    retain: Days = Field(
        default=7,
        description="How many days, of as_of, published states stay readable after newer ones.",
        examples=["7 days"],
    )
    description: str = Field(default="", description="What the project is for.")
    owner: str = Field(default="", description="Who answers for everything that names no other owner.")
    packages: list[str] = Field(
        default_factory=list,
        description="Folders or installed Python packages whose sources, traits, … are used, unless overridden.",
        examples=[["shared/basics"]],
    )
