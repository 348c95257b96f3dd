"""Checks of feature views against entities, traits and each other."""

from collections.abc import Iterator
from dataclasses import dataclass

from profiles_assets.project.check_traits import unknown_column
from profiles_assets.project.draft import Draft, Place
from profiles_assets.project.problems import Problem, any_of, did_you_mean
from profiles_assets.project.project import Declared
from profiles_assets.project.value_types import Kind, column_kinds
from profiles_assets.project.views import KEYS, OWN_COLUMNS, View


def view_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with feature views beyond the form of their values."""
    names = draft.declared.get("views", {})
    for name in names:
        if (table := name + KEYS) in names:
            message = f'view "{table}" has the name of the table of keys of view "{name}"'
            yield draft.place("views", table).problem(message, hint="rename one of them", of_key=True)
    for view in draft.project.views.values():
        check = _Check(draft, view, column_kinds(draft.project, view.entity))
        yield from check.problems(draft.place("views", view.name))


@dataclass(frozen=True)
class _Check:
    """One view."""

    draft: Draft
    view: Declared[View]
    kinds: dict[str, Kind | None]

    def problems(self, place: Place) -> Iterator[Problem]:
        yield from self._key(place)
        names = self.view.spec.traits
        for index, name in enumerate(names):
            if fault := self._fault(name, names[:index]):
                yield place.problem(f"traits: {fault[0]}", "traits", index, hint=fault[1])

    def _key(self, place: Place) -> Iterator[Problem]:
        key, ids = self.view.spec.key, self.draft.ids.get(self.view.entity)
        if ids is not None and key not in ids:
            hint = did_you_mean(key, ids) or f"it has {any_of(ids)}"
            yield place.problem(f'key: "{key}" is no id type of {self.view.entity}', "key", hint=hint)
        elif key in OWN_COLUMNS:
            message = f'key: "{key}" has the name of a column that every view has'
            yield place.problem(message, "key", hint="choose another id type, or rename it")

    def _fault(self, name: str, before: list[str]) -> tuple[str, str] | None:
        if name in before:
            return f'"{name}" is here twice', "leave one of them out"
        if name in (self.view.spec.key, *OWN_COLUMNS):
            return f'"{name}" has the name of a column that the view has already', "rename the trait, or leave it out"
        return unknown_column(self.draft, self.view.entity, name, self.kinds)
