"""How traits build on each other and on predictions: order, cycles, and what must wait for a prediction."""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from graphlib import TopologicalSorter

from profiles_assets.project.project import Project
from profiles_assets.project.score_columns import MIX, PARTS

Inputs = Mapping[str, tuple[str, ...]]


def score_columns(prediction: str) -> dict[str, str]:
    """Columns that a prediction adds to a profile, and their types."""
    return {prediction + part.suffix: part.kind for part in PARTS}


def predicted_columns(predictions: Iterable[str]) -> dict[str, str]:
    """Columns that several predictions add, each with the prediction it comes from."""
    return {column: prediction for prediction in predictions for column in score_columns(prediction)}


def mix_columns(attribution: str) -> dict[str, str]:
    """Columns that an attribution adds to a profile, and their types."""
    return {attribution + part.suffix: part.kind for part in MIX}


def late_columns(predictions: Iterable[str], attributions: Iterable[str]) -> dict[str, str]:
    """Columns that come back as traits once all others are known, each with what it comes from, in words."""
    found = {column: f'prediction "{name}"' for column, name in predicted_columns(predictions).items()}
    return found | {column: f'attribution "{name}"' for name in attributions for column in mix_columns(name)}


def trait_inputs(project: Project, entity: str) -> dict[str, tuple[str, ...]]:
    """The traits, scores and audiences that each trait and audience of an entity is made from."""
    return {name: fact.inputs for name, fact in project.facts_of(entity).items()}


def ordered_traits(project: Project, entity: str) -> list[str]:
    """Names of all traits and audiences of an entity, inputs before what is made from them."""
    return list(_ordered(tuple(trait_inputs(project, entity).items())))


@lru_cache(maxsize=16)
def _ordered(inputs: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[str, ...]:
    """The names in order, kept since every section asks for those of all sections."""
    known = dict(inputs)
    return tuple(name for name in TopologicalSorter(known).static_order() if name in known)


def traits_after_predictions(project: Project, entity: str) -> list[str]:
    """Traits and audiences that depend on a prediction or an attribution, in the order to compute them in."""
    late = set(late_columns(project.predictions_of(entity), project.attributions_of(entity)))
    if not late:
        return []
    inputs, ordered = trait_inputs(project, entity), []
    for name in ordered_traits(project, entity):
        if not late.isdisjoint(inputs[name]):
            late.add(name)
            ordered.append(name)
    return ordered


def depends_on_prediction(project: Project, entity: str, trait: str) -> bool:
    """True for a trait or audience made from a prediction or an attribution, directly or through others."""
    return trait in traits_after_predictions(project, entity)


def reachable(inputs: Inputs, start: str) -> set[str]:
    """Everything that a trait is made from, through any number of steps."""
    found: set[str] = set()
    waiting = list(inputs.get(start, ()))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(inputs.get(name, ()))
    return found


def cycles(inputs: Inputs) -> list[list[str]]:
    """Cycles as paths that end where they begin, found depth first: at least one in every knot of traits."""
    found: list[list[str]] = []
    done: set[str] = set()
    for start in inputs:
        if start not in done:
            found += _cycles_from(inputs, start, done)
    return found


def _cycles_from(inputs: Inputs, start: str, done: set[str]) -> list[list[str]]:
    found, path, waiting = [], [start], [iter(inputs[start])]
    while path:
        name = next(waiting[-1], None)
        if name is None:
            done.add(path.pop())
            waiting.pop()
        elif name in path:
            found.append([*path[path.index(name) :], name])
        elif name in inputs and name not in done:
            path.append(name)
            waiting.append(iter(inputs[name]))
    return found
