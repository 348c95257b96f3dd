"""A project while it is read: its valid parts, the names of all declared parts, and where each stands."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from profiles_assets.project.graph import late_columns
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
    """What the files hold. Names of broken parts count as declared, so that one mistake is reported once.

    `declared` has, by kind (sources, predictions, …), the document that declares each name; `sections` the
    documents that declare traits of each section: the project's own file and those of packages.
    """

    project: Project
    project_file: Document
    declared: dict[str, dict[str, Document]] = field(default_factory=dict)
    sections: dict[str, list[Document]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def sources(self) -> dict[str, Document]:
        """Documents of all declared sources."""
        return self.declared.get("sources", {})

    @cached_property
    def ids(self) -> dict[str, list[str]]:
        """Names of the declared entities with their id types."""
        entities = mapping(self.project_file.data, "entities")
        return {name: list(mapping(entities, name, "ids")) for name in entities}

    @cached_property
    def columns(self) -> dict[str, dict[str, list[Place]]]:
        """Where each trait, metric and audience is declared, by entity and name; several places are a mistake."""
        found: dict[str, dict[str, list[Place]]] = {}
        for document in (document for documents in self.sections.values() for document in documents):
            for name in mapping(document.data, "traits"):
                place = Place(document, ("traits", name))
                found.setdefault(self.entity_of(document), {}).setdefault(name, []).append(place)
        for kind in ("metrics", "audiences"):
            for name, document in self.declared.get(kind, {}).items():
                place = Place(document, (kind, name))
                found.setdefault(self.entity_of(document), {}).setdefault(name, []).append(place)
        return found

    def entity_of(self, document: Document) -> str:
        """Entity of a file of traits, predictions or the like."""
        told = document.data.get("entity")
        return told if isinstance(told, str) else next(iter(self.ids), "")

    def names_of(self, kind: str, entity: str) -> list[str]:
        """Names of the declared predictions, funnels, … about an entity."""
        return [n for n, document in self.declared.get(kind, {}).items() if self.entity_of(document) == entity]

    def late_columns(self, entity: str) -> dict[str, str]:
        """Columns that declared predictions and attributions add to an entity, each with what it comes from."""
        return late_columns(self.names_of("predictions", entity), self.names_of("attribution", entity))

    def entity(self, name: str) -> Place:
        """Where an entity stands."""
        return Place(self.project_file, ("entities", name))

    def place(self, kind: str, name: str) -> Place:
        """Where a source, prediction, funnel, … stands."""
        return Place(self.declared[kind][name], (kind, name))

    def column(self, entity: str, name: str) -> Place:
        """Where a trait, metric or audience stands."""
        return self.columns[entity][name][0]


def mapping(data: Any, *path: str) -> dict[str, Any]:
    """The mapping at a path of raw data; empty when there is none."""
    for part in path:
        data = data.get(part) if isinstance(data, dict) else None
    return data if isinstance(data, dict) else {}
