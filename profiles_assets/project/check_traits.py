"""Checks of traits against sources, predictions and each other."""

from collections.abc import Iterator
from dataclasses import dataclass

from profiles_assets.project.conditions import ConditionError, comparisons, parse_conditions
from profiles_assets.project.draft import Draft, Place
from profiles_assets.project.events import Events
from profiles_assets.project.formulas import formula_problems
from profiles_assets.project.funnels import funnel_columns
from profiles_assets.project.graph import cycles, trait_inputs
from profiles_assets.project.names import name_problem
from profiles_assets.project.problems import Problem, any_of, did_you_mean
from profiles_assets.project.sql_check import sql_problems
from profiles_assets.project.traits import EVENT_VERBS, PROPERTY_VERBS, TRAIT_VERBS, WHOLE_EVENT_VERBS, Trait
from profiles_assets.project.value_types import WORDS, Kind, clash, column_kinds, fits, property_kind


def trait_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with traits and metrics beyond the form of their values."""
    yield from _name_problems(draft)
    events = Events(draft)
    for entity in {section.entity: None for section in draft.project.sections.values()}:
        check = _Check(draft, events, entity, column_kinds(draft.project, entity))
        for name, trait in draft.project.traits_of(entity).items():
            yield from check.problems(name, trait, draft.column(entity, name))
    for entity in draft.columns:
        yield from _cycle_problems(draft, entity)


def entity_problems(draft: Draft) -> Iterator[Problem]:
    """Files of traits, predictions, … about an entity that is not declared."""
    documents = [document for documents in draft.sections.values() for document in documents]
    documents += [d for kind, found in draft.declared.items() if kind != "sources" for d in found.values()]
    for document in {d.file: d for d in documents}.values():
        entity = draft.entity_of(document)
        if draft.ids and entity not in draft.ids:
            hint = did_you_mean(entity, draft.ids) or f"project.yml has {any_of(list(draft.ids))}"
            yield document.problem(f'unknown entity "{entity}"', "entity", hint=hint)


def _name_problems(draft: Draft) -> Iterator[Problem]:
    for entity, names in draft.columns.items():
        taken = draft.late_columns(entity)
        taken |= {column: f'funnel "{f}"' for f in draft.names_of("funnels", entity) for column in funnel_columns(f)}
        for name, places in names.items():
            for place in places[1:]:
                message = f'{_noun(place)} "{name}" is declared already, in {places[0].text}'
                yield place.problem(message, of_key=True)
            if name in taken:
                message = f'{_noun(places[0])} "{name}" has the name of a column of {taken[name]}'
                yield places[0].problem(message, hint="rename one of them", of_key=True)
            if fault := name_problem(name):
                yield places[0].problem(fault[0], hint=fault[1], of_key=True)


def _noun(place: Place) -> str:
    return str(place.path[0]).removesuffix("s")


def _cycle_problems(draft: Draft, entity: str) -> Iterator[Problem]:
    for path in cycles(trait_inputs(draft.project, entity)):
        place = draft.column(entity, path[0])
        message = f"{_noun(place)}s are made from each other in a circle: {' → '.join(path)}"
        yield place.problem(message, hint="break it at one of them", of_key=True)


@dataclass(frozen=True)
class _Check:
    """One trait after the other, for one entity."""

    draft: Draft
    events: Events
    entity: str
    kinds: dict[str, Kind | None]

    def problems(self, name: str, trait: Trait, place: Place) -> Iterator[Problem]:
        if trait.function is not None:
            yield from self._function(trait.function_key[0], place)
        elif trait.verb in TRAIT_VERBS:
            yield from self._inputs(trait, place)
            for message, hint in formula_problems(trait.calculate) if trait.calculate is not None else ():
                yield place.problem(f'calculate of trait "{name}": {message}', "calculate", hint=hint)
        else:
            yield from self._event(trait, place)
            yield from self._where(trait, place)
        if trait.sql is not None:
            for message, hint in sql_problems(trait.sql, ordered=trait.order_by is not None):
                yield place.problem(f'sql of trait "{name}": {message}', "sql", hint=hint)
        if trait.unless_none is not None and not fits(trait.unless_none, self.kinds.get(name)):
            kind = WORDS[self.kinds[name] or "text"]
            message = f'unless_none of trait "{name}" is "{trait.unless_none}", but the trait is {kind}'
            yield place.problem(message, "unless_none")

    def _function(self, name: str, place: Place) -> Iterator[Problem]:
        known = self.draft.project.functions
        if name not in known:
            hint = did_you_mean(name, known) or (f"there are {any_of(list(known))}" if known else "functions/ has none")
            yield place.problem(f'there is no profile function "{name}"', "function", hint=hint)
        elif known[name].entity != self.entity:
            message = f'function "{name}" is about {known[name].entity}, and the trait about {self.entity}'
            yield place.problem(message, "function")

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
        if trait.verb in WHOLE_EVENT_VERBS and event and not dot:
            return None
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
        wanted: Kind = "time" if trait.verb == "days_between" else "number"
        for index, name in enumerate(trait.inputs):
            at = (trait.verb, index) if isinstance(getattr(trait, trait.verb), list) else (trait.verb,)
            if fault := unknown_column(self.draft, self.entity, name, self.kinds):
                yield place.problem(f"{trait.verb}: {fault[0]}", *at, hint=fault[1])
            elif self.kinds.get(name) not in (None, wanted):
                kind = WORDS[self.kinds[name] or "text"]
                yield place.problem(f'{trait.verb} needs {WORDS[wanted]}, but "{name}" is {kind}', *at)
            elif trait.place_in and name not in self.draft.project.metrics_of(self.entity):
                yield place.problem(self._no_metric(trait, name), *at)

    def _no_metric(self, trait: Trait, name: str) -> str:
        what = "percentiles" if trait.verb == "percentile" or trait.at else "a bucket without edges (at)"
        return f'{what} need the distribution of a metric, and "{name}" is none; declare it in metrics/'


def unknown_column(draft: Draft, entity: str, name: str, kinds: dict[str, Kind | None]) -> tuple[str, str] | None:
    """Why a name is no trait, score, audience or funnel column of an entity, with a hint; None when it is one."""
    known = {**draft.columns.get(entity, {}), **draft.late_columns(entity), **kinds}
    if name in known:
        return None
    elsewhere = [e for e, names in draft.columns.items() if name in names]
    hint = f"it is a trait of {any_of(elsewhere)}" if elsewhere else did_you_mean(name, known)
    return f'"{name}" is neither a trait nor a prediction of {entity}', hint
