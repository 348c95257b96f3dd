"""Checks of audiences against traits, scores, funnels and each other."""

from collections.abc import Iterator
from dataclasses import dataclass

from profiles_assets.project.audiences import Audience
from profiles_assets.project.base import Conditions
from profiles_assets.project.check_traits import unknown_column
from profiles_assets.project.conditions import Comparison, ConditionError, comparisons, parse_conditions
from profiles_assets.project.draft import Draft, Place
from profiles_assets.project.problems import Problem
from profiles_assets.project.project import Declared
from profiles_assets.project.value_types import WORDS, Kind, clash, column_kinds

LOG = "log"
Fault = tuple[str, str]


def audience_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with audiences beyond the form of their values."""
    for name in draft.declared.get("audiences", {}):
        if name == LOG:
            message = f'"{name}" is the table with the history of all audiences'
            yield draft.place("audiences", name).problem(message, hint="choose another name", of_key=True)
    for audience in draft.project.audiences.values():
        check = _Check(draft, audience, column_kinds(draft.project, audience.entity))
        yield from check.problems(draft.place("audiences", audience.name))


@dataclass(frozen=True)
class _Check:
    """One audience."""

    draft: Draft
    audience: Declared[Audience]
    kinds: dict[str, Kind | None]

    def problems(self, place: Place) -> Iterator[Problem]:
        for group, conditions in self.audience.spec.conditions.items():
            for index, given in enumerate(conditions):
                yield from self._condition(place, group, index, given)

    def _condition(self, place: Place, group: str, index: int, given: Conditions) -> Iterator[Problem]:
        try:
            parsed = parse_conditions(given)
        except ConditionError as error:
            yield place.problem(f"{group}: {error}", group, index, *error.path)
            return
        for comparison in comparisons(parsed):
            if fault := self._fault(comparison):
                yield place.problem(f"{group}: {fault[0]}", group, index, comparison.field, hint=fault[1])

    def _fault(self, comparison: Comparison) -> Fault | None:
        if unknown := unknown_column(self.draft, self.audience.entity, comparison.field, self.kinds):
            return unknown
        if comparison.field in self.draft.names_of("audiences", self.audience.entity):
            return _of_audience(comparison)
        kind = self.kinds.get(comparison.field)
        if comparison.op == "=" and comparison.value is True and kind not in (None, "boolean"):
            return f'"{comparison.field}" is {WORDS[kind]}, not an audience', _example(comparison.field, kind)
        message = clash(comparison, kind)
        return (message, "") if message else None


def _example(name: str, kind: Kind) -> str:
    wanted = {"number": '">= 10"', "text": "some text", "time": '">= 2025-01-31"'}.get(kind, "contains something")
    return f"write what it should be, such as {name}: {wanted}"


def _of_audience(comparison: Comparison) -> Fault | None:
    if comparison.op == "=" and isinstance(comparison.value, bool):
        return None
    name = comparison.field
    return f'"{name}" is an audience, which people are in or not', f"write {name}, {name}: true or {name}: false"
