"""A project while it is read: its valid parts, the names of all declared parts, and where each stands."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from profiles_assets.project.problems import Problem
from profiles_assets.project.project import Project
from profiles_assets.project.yaml_lines import Document, Part


@dataclass(frozen=True)
class Place:
    """A value in a file."""

    document: Document
    path: tuple[Part, ...] = ()

    def problem(self, message: str, *more: Part, hint: str = "", of_key: bool = False) -> Problem:
        """A problem here, or further down the path."""
        return self.document.problem(message, *self.path, *more, hint=hint, of_key=of_key)

    @property
    def text(self) -> str:
        """File and line, for messages that point here from elsewhere."""
        return f"{self.document.file}:{self.document.line(*self.path, of_key=True)}"


@dataclass
class Draft:
    """What the files hold. Names of broken parts count as declared, so that one mistake is reported once."""

    project: Project
    project_file: Document
    sources: dict[str, Document] = field(default_factory=dict)
    sections: dict[str, Document] = field(default_factory=dict)
    predictions: dict[str, Document] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @cached_property
    def ids(self) -> dict[str, list[str]]:
        """Names of the declared entities with their id types."""
        entities = mapping(self.project_file.data, "entities")
        return {name: list(mapping(entities, name, "ids")) for name in entities}

    @cached_property
    def traits(self) -> dict[str, dict[str, list[str]]]:
        """Sections in which each trait name is declared, by entity."""
        found: dict[str, dict[str, list[str]]] = {}
        for section, document in self.sections.items():
            names = found.setdefault(self.entity_of(document), {})
            for name in mapping(document.data, "traits"):
                names.setdefault(name, []).append(section)
        return found

    def entity_of(self, document: Document) -> str:
        """Entity of a file of traits or predictions."""
        told = document.data.get("entity")
        return told if isinstance(told, str) else next(iter(self.ids), "")

    def predictions_of(self, entity: str) -> list[str]:
        """Names of the declared predictions about an entity."""
        return [name for name, document in self.predictions.items() if self.entity_of(document) == entity]

    def entity(self, name: str) -> Place:
        """Where an entity stands."""
        return Place(self.project_file, ("entities", name))

    def source(self, name: str) -> Place:
        """Where a source stands."""
        return Place(self.sources[name], ("sources", name))

    def trait(self, section: str, name: str) -> Place:
        """Where a trait stands."""
        return Place(self.sections[section], ("traits", name))

    def prediction(self, name: str) -> Place:
        """Where a prediction stands."""
        return Place(self.predictions[name], ("predictions", name))


def mapping(data: Any, *path: str) -> dict[str, Any]:
    """The mapping at a path of raw data; empty when there is none."""
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}
