"""Checks of funnels against sources, predictions and themselves."""

from collections.abc import Iterator
from dataclasses import dataclass

from profiles_assets.project.conditions import ConditionError, comparisons, parse_conditions
from profiles_assets.project.draft import Draft, Place
from profiles_assets.project.events import Events
from profiles_assets.project.funnels import REPORT, Funnel, Step, funnel_columns
from profiles_assets.project.names import name_problem
from profiles_assets.project.problems import Problem
from profiles_assets.project.project import Declared
from profiles_assets.project.value_types import WORDS, clash, property_kind
from profiles_assets.project.yaml_lines import Part

MOST_CONDITIONS = 4
Spot = tuple[Part, ...]


def funnel_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with funnels beyond the form of their values."""
    for name in draft.declared.get("funnels", {}):
        yield from _name_problems(draft, name)
    events = Events(draft)
    for funnel in draft.project.funnels.values():
        yield from _Check(draft, events, funnel, draft.place("funnels", funnel.name)).problems()


def _name_problems(draft: Draft, name: str) -> Iterator[Problem]:
    place, names = draft.place("funnels", name), draft.declared["funnels"]
    late = draft.late_columns(draft.entity_of(place.document))
    for column in funnel_columns(name):
        if column in late:
            message = f'funnel "{name}" has a column "{column}", as {late[column]} has'
            yield place.problem(message, hint="rename one of them", of_key=True)
    if fault := next(filter(None, map(name_problem, funnel_columns(name))), None):
        yield place.problem(fault[0], hint=fault[1], of_key=True)
    if (report := name + REPORT) in names:
        message = f'funnel "{report}" has the name of the report of funnel "{name}"'
        yield draft.place("funnels", report).problem(message, hint="rename one of them", of_key=True)


@dataclass(frozen=True)
class _Check:
    """One funnel."""

    draft: Draft
    events: Events
    funnel: Declared[Funnel]
    place: Place

    @property
    def spec(self) -> Funnel:
        return self.funnel.spec

    def problems(self) -> Iterator[Problem]:
        for key, steps in (("steps", self.spec.steps), ("unless", self.spec.unless)):
            for index, step in enumerate(steps):
                yield from self._step(step, (key, index))
        yield from self._same()
        yield from self._exclusions()
        yield from self._conditions()
        if self.spec.during and self.spec.within and self.spec.during * 86_400 < self.spec.within:
            message = f"during ({self.spec.during} days) is shorter than within, so nobody has that long"
            yield self.place.problem(message, "during", hint="make during longer, or within shorter")

    def _step(self, step: Step, spot: Spot) -> Iterator[Problem]:
        if fault := self.events.fault(step.event, self.funnel.entity):
            yield self.place.problem(f"{_words(spot)}: {fault[0]}", *spot, "event", hint=fault[1])
        try:
            parsed = parse_conditions(step.where)
        except ConditionError as error:
            yield self.place.problem(f"{_words(spot)}: where: {error}", *spot, "where", *error.path)
            return
        for comparison in comparisons(parsed):
            kind = property_kind(self.draft.project, step.event, comparison.field)
            if clashes := clash(comparison, kind):
                yield self.place.problem(f"{_words(spot)}: where: {clashes}", *spot, "where", comparison.field)

    def _same(self) -> Iterator[Problem]:
        names = dict.fromkeys(step.event for step in self.spec.steps)
        for index, path in enumerate(self.spec.same):
            told = {name: property_kind(self.draft.project, name, path) for name in names}
            kinds = {kind: name for name, kind in told.items() if kind}
            if "list" in kinds:
                message = f'same: "{path}" of {kinds["list"]} is a list, and lists are never the same'
                yield self.place.problem(message, "same", index, hint="take a property with a single value")
            elif len(kinds) > 1:
                shown = ", but ".join(f"{WORDS[kind]} in {name}" for kind, name in kinds.items())
                message = f'same: "{path}" is {shown}'
                yield self.place.problem(message, "same", index, hint="look at types: of the sources")

    def _exclusions(self) -> Iterator[Problem]:
        for index, ends in enumerate(self.spec.unless):
            for k, step in enumerate(self.spec.steps[1:-1], 2):
                if step.event == ends.event and ends.where in ({}, step.where):
                    message = f'unless: "{ends.event}" is also what takes step {k}, so nobody could get past it'
                    yield self.place.problem(message, "unless", index, hint="give it a where, or leave it out")

    def _conditions(self) -> Iterator[Problem]:
        """In any order, which of an event's steps it takes is a choice that grows with their number."""
        found: dict[str, list[object]] = {}
        for step in self.spec.steps if self.spec.order == "any" else ():
            wheres = found.setdefault(step.event, [])
            wheres.extend([step.where] if step.where not in wheres else [])
        for event, wheres in found.items():
            if len(wheres) > MOST_CONDITIONS:
                message = (
                    f'steps: in any order at most {MOST_CONDITIONS} steps can ask for the event "{event}" with '
                    f"different conditions, not {len(wheres)}"
                )
                yield self.place.problem(message, "steps", hint="use order: loose, or fewer steps")


def _words(spot: Spot) -> str:
    return f"step {int(spot[1]) + 1}" if spot[0] == "steps" else "unless"
