"""A loaded project: every declared thing by name, and the answers to questions about them."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Generic, TypeVar

from profiles_assets.project.attribution import Attribution
from profiles_assets.project.audiences import Audience
from profiles_assets.project.base import Spec
from profiles_assets.project.entities import Entity
from profiles_assets.project.functions import ProfileFunction
from profiles_assets.project.funnels import Funnel
from profiles_assets.project.metrics import Metric
from profiles_assets.project.models import Model
from profiles_assets.project.predictions import Prediction
from profiles_assets.project.rules import Ruling
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait
from profiles_assets.project.views import View

S = TypeVar("S", bound=Spec)
Fact = Trait | Audience
DEFAULT_PROJECT = "examples/shop"


@dataclass(frozen=True)
class Section:
    """The traits of one file, whose name is the file's, or the metrics of an entity."""

    name: str
    entity: str
    traits: dict[str, Trait]
    owner: str = ""
    description: str = ""


@dataclass(frozen=True)
class Declared(Generic[S]):
    """A named thing about an entity."""

    name: str
    entity: str
    spec: S
    owner: str = ""


Forecast = Declared[Prediction]


@dataclass(frozen=True)
class Project:
    """Everything a project folder declares.

    `sections` holds the metrics of each entity as a section of its own, so that they are traits like others.
    """

    root: Path
    name: str
    entities: dict[str, Entity]
    sources: dict[str, Source]
    sections: dict[str, Section] = field(default_factory=dict)
    predictions: dict[str, Forecast] = field(default_factory=dict)
    funnels: dict[str, Declared[Funnel]] = field(default_factory=dict)
    metrics: dict[str, Declared[Metric]] = field(default_factory=dict)
    audiences: dict[str, Declared[Audience]] = field(default_factory=dict)
    views: dict[str, Declared[View]] = field(default_factory=dict)
    attribution: dict[str, Declared[Attribution]] = field(default_factory=dict)
    models: dict[str, Model] = field(default_factory=dict)
    functions: dict[str, ProfileFunction] = field(default_factory=dict)
    rules: list[Ruling] = field(default_factory=list)
    timezone: str = "UTC"
    start: date = date(2020, 1, 1)
    end: date | None = None
    retain: int = 7
    owner: str = ""
    description: str = ""
    packages: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        known = {name: entity.with_code(self.root) for name, entity in self.entities.items()}
        object.__setattr__(self, "entities", known)

    def sections_of(self, entity: str) -> dict[str, Section]:
        """All sections of an entity, by name."""
        return {n: s for n, s in self.sections.items() if s.entity == entity}

    def traits_of(self, entity: str) -> dict[str, Trait]:
        """All traits of an entity, metrics included, by name."""
        return {n: t for s in self.sections.values() if s.entity == entity for n, t in s.traits.items()}

    def facts_of(self, entity: str) -> dict[str, Fact]:
        """All traits and audiences of an entity, by name."""
        return {**self.traits_of(entity), **{n: a.spec for n, a in self.audiences_of(entity).items()}}

    def predictions_of(self, entity: str) -> dict[str, Forecast]:
        """All predictions about an entity, by name."""
        return about(self.predictions, entity)

    def funnels_of(self, entity: str) -> dict[str, Declared[Funnel]]:
        """All funnels of an entity, by name."""
        return about(self.funnels, entity)

    def metrics_of(self, entity: str) -> dict[str, Declared[Metric]]:
        """All metrics of an entity, by name."""
        return about(self.metrics, entity)

    def audiences_of(self, entity: str) -> dict[str, Declared[Audience]]:
        """All audiences of an entity, by name."""
        return about(self.audiences, entity)

    def views_of(self, entity: str) -> dict[str, Declared[View]]:
        """All feature views of an entity, by name."""
        return about(self.views, entity)

    def functions_of(self, entity: str) -> dict[str, ProfileFunction]:
        """All profile functions over the events of an entity, by name."""
        return {name: found for name, found in self.functions.items() if found.entity == entity}

    def attributions_of(self, entity: str) -> dict[str, Declared[Attribution]]:
        """All attributions of the conversions of an entity, by name."""
        return about(self.attribution, entity)

    def function_traits_of(self, entity: str) -> dict[str, dict[str, Trait]]:
        """Traits of an entity whose values profile functions give, by function and name."""
        found: dict[str, dict[str, Trait]] = {}
        for name, trait in self.traits_of(entity).items():
            if trait.function:
                found.setdefault(trait.function_key[0], {})[name] = trait
        return found

    def sources_of_event(self, event: str) -> list[str]:
        """Names of the sources an event comes from: those that declare it, else those that may have it."""
        told = {name: source.has_event(event) for name, source in self.sources.items()}
        return [n for n, has in told.items() if has] or [n for n, has in told.items() if has is None]


def about(declared: dict[str, Declared[S]], entity: str) -> dict[str, Declared[S]]:
    """Those of some declared things that are about an entity."""
    return {name: found for name, found in declared.items() if found.entity == entity}
