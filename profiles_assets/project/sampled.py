"""What a look into the data says about declarations: properties that are not there, values of another kind."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from profiles_assets.project.conditions import comparisons, parse_conditions
from profiles_assets.project.draft import Draft
from profiles_assets.project.problems import Problem, any_of, closest
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait
from profiles_assets.project.value_types import BUILT_IN, WORDS, clash

Kinds = dict[str, int]
FEWEST = 20


@dataclass(frozen=True)
class Sample:
    """Records seen per event, and per event and path in the record how many values of each kind."""

    records: dict[str, int]
    kinds: dict[str, dict[str, Kinds]]


@dataclass(frozen=True)
class Findings:
    """What the data contradicts, and what it only makes doubtful."""

    problems: list[Problem]
    doubts: list[Problem]


def compare_with_data(draft: Draft, samples: Mapping[str, Sample]) -> Findings:
    """Check the properties that traits and metrics read against samples of their sources."""
    problems: list[Problem] = []
    doubts: list[Problem] = []
    for entity in draft.project.entities:
        for name, trait in draft.project.traits_of(entity).items():
            place = draft.column(entity, name)
            for use in _uses(trait):
                fault, certain = _fault(draft.project, samples, trait, use)
                if fault:
                    problem = place.problem(f'trait "{name}": {fault[0]}', *use.at, hint=fault[1])
                    (problems if certain else doubts).append(problem)
    return Findings(problems, doubts)


@dataclass(frozen=True)
class _Use:
    path: str
    at: tuple[str, ...]
    numeric: bool = False


def _uses(trait: Trait) -> Iterator[_Use]:
    if trait.event_property:
        yield _Use(trait.event_property, (trait.verb,), trait.verb in ("sum", "average"))
    for comparison in comparisons(parse_conditions(trait.where)):
        yield _Use(comparison.field, ("where", comparison.field))


def _fault(
    project: Project, samples: Mapping[str, Sample], trait: Trait, use: _Use
) -> tuple[tuple[str, str] | None, bool]:
    sources = project.sources_of_event(trait.event)
    seen = {name: samples[name] for name in sources if name in samples}
    records = sum(sample.records.get(trait.event, 0) for sample in seen.values())
    if use.path in BUILT_IN or len(seen) < len(sources) or records < FEWEST:
        return None, False
    if any(use.path in {**project.sources[name].columns, **project.sources[name].types} for name in seen):
        return None, False
    known = {
        path: kinds for name in seen for path, kinds in _properties(project.sources[name], seen[name], trait.event)
    }
    if use.path not in known:
        return _missing(trait.event, use.path, list(known), records)
    return _wrong_kind(trait, use, known[use.path]), True


def _properties(source: Source, sample: Sample, event: str) -> Iterator[tuple[str, Kinds]]:
    """Properties of an event under the names that definitions use."""
    inside = f"{source.properties or 'properties'}."
    for path, kinds in sample.kinds.get(event, {}).items():
        if path.startswith(inside):
            yield path.removeprefix(inside), kinds
        elif not source.properties:
            yield path, kinds


def _missing(event: str, path: str, known: list[str], records: int) -> tuple[tuple[str, str], bool]:
    meant = closest(path, known)
    message = f'none of the newest {records:,} records of {event} has "{path}"'
    shown = [name for name in known if "." not in name][:12]
    return (message, f'did you mean "{meant}"?' if meant else f"they have {any_of(shown)}"), meant is not None


def _wrong_kind(trait: Trait, use: _Use, kinds: Kinds) -> tuple[str, str] | None:
    only = next((kind for kind in WORDS if set(kinds) == {kind}), None)
    if use.numeric:
        fine = only is None or only == "number"
        message = f'{trait.verb} needs a number, but in the data "{use.path}" is {WORDS[only or "text"]}'
        return None if fine else (message, f"to count values, use unique_count: {trait.event}.{use.path}")
    if only is None:
        return None
    faults = [clash(c, only) for c in comparisons(parse_conditions(trait.where)) if c.field == use.path]
    return next(((f"where: {fault}", "") for fault in faults if fault), None)
