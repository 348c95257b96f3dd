"""Which columns, ids and identify traits hold personal data, declared or because of what they are made from."""

from collections.abc import Mapping

from profiles_assets.project.base import Pii
from profiles_assets.project.graph import ordered_traits
from profiles_assets.project.project import Fact, Project
from profiles_assets.project.traits import Trait

REVEALING = ("min", "max", "first", "latest", "most_frequent", "unique", "sql")
OVER_TRAITS = ("ratio", "calculate", "days_between")


def personal_columns(project: Project, entity: str) -> dict[str, Pii]:
    """Traits of an entity that hold personal data, and how readers see them instead.

    A trait is personal when it says so, when its verb gives back values of a property that a source declares
    personal, or when it is calculated from a personal trait. Counts, buckets and audiences are not.
    """
    found: dict[str, Pii] = {}
    facts = project.facts_of(entity)
    for name in ordered_traits(project, entity):
        if how := facts[name].pii or _inherited(project, facts[name], found):
            found[name] = how
    return found


def _inherited(project: Project, fact: Fact, found: Mapping[str, Pii]) -> Pii:
    if not isinstance(fact, Trait):
        return False
    if fact.verb in OVER_TRAITS:
        return any(name in found for name in fact.inputs)
    if fact.verb not in REVEALING:
        return False
    personal = [path for source in project.sources_of_event(fact.event) for path in project.sources[source].pii]
    if fact.verb == "sql":
        return any(path in str(fact.sql) for path in personal)
    return fact.event_property in personal if fact.event_property else bool(personal)


def personal_ids(project: Project, entity: str) -> dict[str, Pii]:
    """Id types of an entity that hold personal data, and how readers see their values instead."""
    return {name: spec.pii for name, spec in project.entities[entity].ids.items() if spec.pii}


def personal_keys(project: Project, entity: str) -> dict[str, Pii]:
    """Keys of identify traits that hold personal data: a source says so, or a personal trait is made from them."""
    traits, found = project.traits_of(entity), dict[str, Pii]()
    for source in project.sources.values():
        if source.identify_traits:
            inside = f"{source.identify_traits}."
            found |= {path.removeprefix(inside): True for path in source.pii}
    for name, how in personal_columns(project, entity).items():
        if name in traits and traits[name].event_property:
            found[traits[name].event_property] = how
    return found
