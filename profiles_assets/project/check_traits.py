"""Checks of traits against sources, predictions and each other."""

from collections.abc import Iterator
from dataclasses import dataclass

from profiles_assets.project.conditions import ConditionError, comparisons, parse_conditions
from profiles_assets.project.draft import Draft, Place
from profiles_assets.project.events import Events
from profiles_assets.project.graph import cycles, predicted_columns, trait_inputs
from profiles_assets.project.names import name_problem
from profiles_assets.project.problems import Problem, any_of, did_you_mean
from profiles_assets.project.sql_check import sql_problems
from profiles_assets.project.traits import EVENT_VERBS, PROPERTY_VERBS, Trait
from profiles_assets.project.value_types import WORDS, Kind, clash, column_kinds, fits, property_kind


def trait_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with traits beyond the form of their values."""
    yield from _name_problems(draft)
    events = Events(draft)
    for entity in {section.entity: None for section in draft.project.sections.values()}:
        check = _Check(draft, events, entity, column_kinds(draft.project, entity))
        for section in draft.project.sections.values():
            if section.entity == entity:
                for name, trait in section.traits.items():
                    yield from check.problems(name, trait, draft.trait(section.name, name))
        yield from _cycle_problems(draft, entity)


def entity_problems(draft: Draft) -> Iterator[Problem]:
    """Files of traits or predictions about an entity that is not declared."""
    for document in {d.file: d for d in (*draft.sections.values(), *draft.predictions.values())}.values():
        entity = draft.entity_of(document)
        if draft.ids and entity not in draft.ids:
            hint = did_you_mean(entity, draft.ids) or f"project.yml has {any_of(list(draft.ids))}"
            yield document.problem(f'unknown entity "{entity}"', "entity", hint=hint)


def _name_problems(draft: Draft) -> Iterator[Problem]:
    for entity, names in draft.traits.items():
        predicted = predicted_columns(draft.predictions_of(entity))
        for name, sections in names.items():
            for section in sections[1:]:
                message = f'trait "{name}" is declared already, in {draft.trait(sections[0], name).text}'
                yield draft.trait(section, name).problem(message, of_key=True)
            place = draft.trait(sections[0], name)
            if name in predicted:
                message = f'trait "{name}" has the name of a column of prediction "{predicted[name]}"'
                yield place.problem(message, hint="rename one of them", of_key=True)
            if fault := name_problem(name):
                yield place.problem(fault[0], hint=fault[1], of_key=True)


def _cycle_problems(draft: Draft, entity: str) -> Iterator[Problem]:
    for path in cycles(trait_inputs(draft.project, entity)):
        place = draft.trait(draft.traits[entity][path[0]][0], path[0])
        message = f"traits are made from each other in a circle: {' → '.join(path)}"
        yield place.problem(message, hint="break it at one of them", of_key=True)


@dataclass(frozen=True)
class _Check:
    """One trait after the other, for one entity."""

    draft: Draft
    events: Events
    entity: str
    kinds: dict[str, Kind | None]

    def problems(self, name: str, trait: Trait, place: Place) -> Iterator[Problem]:
        if trait.inputs:
            yield from self._inputs(trait, place)
        else:
            yield from self._event(trait, place)
            yield from self._where(trait, place)
        if trait.sql is not None:
            for message, hint in sql_problems(trait.sql):
                yield place.problem(f'sql of trait "{name}": {message}', "sql", hint=hint)
        if trait.unless_none is not None and not fits(trait.unless_none, self.kinds.get(name)):
            kind = WORDS[self.kinds[name] or "text"]
            message = f'unless_none of trait "{name}" is "{trait.unless_none}", but the trait is {kind}'
            yield place.problem(message, "unless_none")

    def _event(self, trait: Trait, place: Place) -> Iterator[Problem]:
        key = "from" if trait.verb == "sql" else trait.verb
        if fault := self._form(trait, key) or self.events.fault(trait.event, self.entity):
            yield place.problem(fault[0], key, hint=fault[1])
        elif trait.verb in ("sum", "average"):
            kind = property_kind(self.draft.project, trait.event, trait.event_property)
            if kind not in (None, "number"):
                message = f'{trait.verb} needs a number, but "{trait.event_property}" is {WORDS[kind or "text"]}'
                yield place.problem(message, key, hint="look at types: of the source")

    def _form(self, trait: Trait, key: str) -> tuple[str, str] | None:
        event, dot, path = trait.reference.partition(".")
        if trait.verb in PROPERTY_VERBS and not all((event, *path.split("."))):
            return (
                f'{key} needs an event and a property, not "{trait.reference}"',
                f"write {key}: {event or 'EVENT'}.PROPERTY",
            )
        if dot and trait.verb in (*EVENT_VERBS, "sql"):
            other = f"; to count values of {path}, use unique_count" if key == "count" else ""
            return (
                f'{key} takes an event without a property, not "{trait.reference}"',
                f"write {key}: {event}{other}",
            )
        return None

    def _where(self, trait: Trait, place: Place) -> Iterator[Problem]:
        try:
            parsed = parse_conditions(trait.where)
        except ConditionError as error:
            yield place.problem(f"where: {error}", "where", *error.path)
            return
        for comparison in comparisons(parsed):
            kind = property_kind(self.draft.project, trait.event, comparison.field)
            if fault := clash(comparison, kind):
                yield place.problem(f"where: {fault}", "where", comparison.field)

    def _inputs(self, trait: Trait, place: Place) -> Iterator[Problem]:
        for index, name in enumerate(trait.inputs):
            at = (trait.verb,) if trait.verb == "bucket" else (trait.verb, index)
            if fault := unknown_column(self.draft, self.entity, name, self.kinds):
                yield place.problem(f"{trait.verb}: {fault[0]}", *at, hint=fault[1])
            elif self.kinds.get(name) not in (None, "number"):
                kind = WORDS[self.kinds[name] or "text"]
                yield place.problem(f'{trait.verb} needs a number, but "{name}" is {kind}', *at)


def unknown_column(draft: Draft, entity: str, name: str, kinds: dict[str, Kind | None]) -> tuple[str, str] | None:
    """Why a name is neither a trait nor a score of an entity, with a hint; None when it is one."""
    declared = draft.traits.get(entity, {})
    predicted = predicted_columns(draft.predictions_of(entity))
    if name in declared or name in predicted or name in kinds:
        return None
    elsewhere = [e for e, names in draft.traits.items() if name in names]
    hint = f"it is a trait of {any_of(elsewhere)}" if elsewhere else did_you_mean(name, [*declared, *predicted])
    return f'"{name}" is neither a trait nor a prediction of {entity}', hint
