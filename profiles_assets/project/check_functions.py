"""Checks of profile functions against entities, sources, transformations and each other."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from profiles_assets.project.draft import Draft, Place
from profiles_assets.project.function_files import ConfigDocument
from profiles_assets.project.functions import ProfileFunction
from profiles_assets.project.id_functions import function_fault
from profiles_assets.project.names import name_problem
from profiles_assets.project.normalisers import FUNCTION
from profiles_assets.project.problems import Problem, any_of, did_you_mean
from profiles_assets.project.yaml_lines import Document

TRANSFORM = (2, "event)")


def function_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with profile functions beyond their own files."""
    for function in draft.project.functions.values():
        document = ConfigDocument.of(function.file, function.code)
        yield from _entity_problems(draft, function, document)
        yield from _name_problems(draft, function, document)
        for index, name in enumerate(function.config.sources):
            if name not in draft.sources:
                message = f'there is no source "{name}"'
                yield document.problem(message, "sources", index, hint=did_you_mean(name, draft.sources))
        yield from transform_problems(draft.project.root, function.config.transform, document, TRANSFORM)


def _entity_problems(draft: Draft, function: ProfileFunction, document: ConfigDocument) -> Iterator[Problem]:
    if function.entity not in draft.ids:
        hint = did_you_mean(function.entity, draft.ids) or f"it should be {any_of([*draft.ids])}"
        yield document.problem(f'there is no entity "{function.entity}"', "entity", hint=hint)
        return
    known = draft.ids[function.entity]
    for index, name in enumerate(function.config.known_by):
        if name not in known:
            hint = did_you_mean(name, known) or f"it has {any_of(known)}"
            yield document.problem(f'{function.entity} has no id type "{name}"', "known_by", index, hint=hint)


def _name_problems(draft: Draft, function: ProfileFunction, document: ConfigDocument) -> Iterator[Problem]:
    if fault := name_problem(function.name):
        yield document.problem(fault[0], "name", hint=fault[1])
    if function.name in draft.columns.get(function.entity, {}):
        place = draft.column(function.entity, function.name).text
        message = f'function "{function.name}" has the name of a column of the profile, in {place}'
        yield document.problem(message, "name", hint="rename one of them")


def transform_problems(
    root: Path, transform: Sequence[str], place: Document | Place, takes: tuple[int, str]
) -> Iterator[Problem]:
    """What is wrong with the transformations named under the key `transform` of a place."""
    for index, text in enumerate(transform):
        found = FUNCTION.fullmatch(text)
        if found is None:
            message = f'"{text}" is no function; write its file and name, such as functions/clean.py:drop_bots'
            yield place.problem(message, "transform", index)
        elif fault := function_fault(root, found[1], found[2], takes):
            yield place.problem(fault[0], "transform", index, hint=fault[1])
