"""A loaded project: every declared thing by name, and the answers to questions about them."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from profiles_assets.project.entities import Entity
from profiles_assets.project.predictions import Prediction
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait


@dataclass(frozen=True)
class Section:
    """The traits of one file; its name is the file's."""

    name: str
    entity: str
    traits: dict[str, Trait]
    owner: str = ""
    description: str = ""


@dataclass(frozen=True)
class Forecast:
    """A named prediction about an entity."""

    name: str
    entity: str
    spec: Prediction
    owner: str = ""


@dataclass(frozen=True)
class Project:
    """Everything a project folder declares."""

    root: Path
    name: str
    entities: dict[str, Entity]
    sources: dict[str, Source]
    sections: dict[str, Section] = field(default_factory=dict)
    predictions: dict[str, Forecast] = field(default_factory=dict)
    timezone: str = "UTC"
    start: date = date(2020, 1, 1)
    end: date | None = None
    owner: str = ""
    description: str = ""

    def traits_of(self, entity: str) -> dict[str, Trait]:
        """All traits of an entity, by name."""
        return {n: t for s in self.sections.values() if s.entity == entity for n, t in s.traits.items()}

    def predictions_of(self, entity: str) -> dict[str, Forecast]:
        """All predictions about an entity, by name."""
        return {n: p for n, p in self.predictions.items() if p.entity == entity}

    def sources_of_event(self, event: str) -> list[str]:
        """Names of the sources an event comes from: those that declare it, else those that may have it."""
        told = {name: source.has_event(event) for name, source in self.sources.items()}
        return [n for n, has in told.items() if has] or [n for n, has in told.items() if has is None]
