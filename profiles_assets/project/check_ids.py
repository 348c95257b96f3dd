"""Checks of id types: normalisers and their functions, and the patterns of filters."""

from collections.abc import Iterator

from profiles_assets.project.draft import Draft, Place
from profiles_assets.project.entities import IdType
from profiles_assets.project.id_functions import function_fault
from profiles_assets.project.normalisers import functions_in, normaliser_faults
from profiles_assets.project.patterns import pattern_faults
from profiles_assets.project.problems import Problem

PATTERNS = ("block_matching", "only_matching")


def id_type_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with id types beyond the form of their values and the names of others."""
    first: dict[str, str] = {}
    for entity, declared in draft.project.entities.items():
        for name, spec in declared.ids.items():
            place = Place(draft.project_file, ("entities", entity, "ids", name))
            yield from _normaliser_problems(draft, name, spec, place)
            yield from _pattern_problems(name, spec, place)
            other = first.setdefault(name, entity)
            if spec.normalise != draft.project.entities[other].ids[name].normalise:
                message = f'normalise of id type "{name}" is another in entity "{other}"'
                yield place.problem(message, hint="the same id is normalised alike everywhere; write both alike")


def _normaliser_problems(draft: Draft, name: str, spec: IdType, place: Place) -> Iterator[Problem]:
    subject, faults = f'normalise of id type "{name}"', list(normaliser_faults(spec.normalise))
    for fault in faults:
        at, message = ("normalise", *fault.path), f"{subject} {fault.message}"
        yield place.problem(message, *at, hint=fault.hint, of_key=fault.of_key)
    for index, file, function in functions_in(spec.normalise):
        if found := function_fault(draft.project.root, file, function):
            yield place.problem(f"{subject}: {found[0]}", "normalise", *index, hint=found[1])
    if not faults and spec.hashed:
        for key in (*PATTERNS, "block_shared_mailboxes"):
            if getattr(spec, key):
                message = f'{key} of id type "{name}" cannot recognise values that are hashed'
                yield place.problem(message, key, hint="put block in its place, with the values as they were before")


def _pattern_problems(name: str, spec: IdType, place: Place) -> Iterator[Problem]:
    for key in PATTERNS:
        for message, hint in pattern_faults(found) if (found := getattr(spec, key)) else ():
            yield place.problem(f'{key} of id type "{name}": {message}', key, hint=hint)
