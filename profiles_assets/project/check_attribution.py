"""Checks of attributions against sources."""

from collections.abc import Iterator

from profiles_assets.project.draft import Draft
from profiles_assets.project.events import Events
from profiles_assets.project.names import name_problem
from profiles_assets.project.problems import Problem
from profiles_assets.project.value_types import WORDS, property_kind


def attribution_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with attributions beyond the form of their values."""
    for name in draft.declared.get("attribution", {}):
        if fault := name_problem(name):
            yield draft.place("attribution", name).problem(fault[0], hint=fault[1], of_key=True)
    events = Events(draft)
    for name, found in draft.project.attribution.items():
        place, spec = draft.place("attribution", name), found.spec
        for index, touch in enumerate(spec.touchpoints):
            if fault := events.fault(touch.event, found.entity):
                yield place.problem(f"touchpoint {index + 1}: {fault[0]}", "touchpoints", index, "event", hint=fault[1])
        if fault := events.fault(spec.conversion, found.entity):
            yield place.problem(f"conversion: {fault[0]}", "conversion", hint=fault[1])
        elif spec.value:
            kind = property_kind(draft.project, spec.conversion, spec.value)
            if kind not in (None, "number"):
                message = f'value: "{spec.value}" is {WORDS[kind or "text"]}, and a value is a number'
                yield place.problem(message, "value", hint="look at types: of the source")
