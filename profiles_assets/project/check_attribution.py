"""Checks of attributions against sources, and of the names of what comes back as traits."""

from collections.abc import Iterator

from profiles_assets.project.draft import Draft, Place
from profiles_assets.project.events import Events
from profiles_assets.project.graph import mix_columns, predicted_columns
from profiles_assets.project.names import name_problem
from profiles_assets.project.problems import Problem
from profiles_assets.project.value_types import WORDS, property_kind
from profiles_assets.project.yaml_lines import Part

NOUNS: dict[Part, str] = {"value": "a value", "amount": "an amount"}


def attribution_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with attributions beyond the form of their values."""
    for name in draft.declared.get("attribution", {}):
        yield from _name_problems(draft, name)
    events = Events(draft)
    for name, found in draft.project.attribution.items():
        place, spec = draft.place("attribution", name), found.spec
        for index, touch in enumerate(spec.touchpoints):
            if fault := events.fault(touch.event, found.entity):
                yield place.problem(f"touchpoint {index + 1}: {fault[0]}", "touchpoints", index, "event", hint=fault[1])
        if fault := events.fault(spec.conversion, found.entity):
            yield place.problem(f"conversion: {fault[0]}", "conversion", hint=fault[1])
        elif spec.value:
            yield from _no_number(draft, place, (spec.conversion, spec.value), ("value",))
        for index, cost in enumerate(spec.costs):
            if fault := events.fault(cost.event):
                yield place.problem(f"cost {index + 1}: {fault[0]}", "costs", index, "event", hint=fault[1])
            else:
                yield from _no_number(draft, place, (cost.event, cost.amount), ("costs", index, "amount"))


def _name_problems(draft: Draft, name: str) -> Iterator[Problem]:
    place = draft.place("attribution", name)
    if fault := name_problem(name):
        yield place.problem(fault[0], hint=fault[1], of_key=True)
    scores = predicted_columns(draft.names_of("predictions", draft.entity_of(place.document)))
    for column in mix_columns(name):
        if column in scores:
            message = f'attribution "{name}" has a column "{column}", as prediction "{scores[column]}" has'
            yield place.problem(message, hint="rename one of them", of_key=True)


def _no_number(draft: Draft, place: Place, of: tuple[str, str], at: tuple[Part, ...]) -> Iterator[Problem]:
    kind = property_kind(draft.project, *of)
    if kind not in (None, "number"):
        message = f'{at[-1]}: "{of[1]}" is {WORDS[kind or "text"]}, and {NOUNS[at[-1]]} is a number'
        yield place.problem(message, *at, hint="look at types: of the source")
