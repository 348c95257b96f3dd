"""What kind of value a property, a trait or a score is, as far as declarations tell."""

from typing import Literal

from profiles_assets.project.audiences import Audience
from profiles_assets.project.conditions import ORDERED, Comparison
from profiles_assets.project.funnels import funnel_columns
from profiles_assets.project.graph import mix_columns, score_columns
from profiles_assets.project.project import Fact, Project
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import WHOLE_EVENT_VERBS

Kind = Literal["number", "text", "boolean", "time", "list", "map"]

KINDS: dict[str, Kind] = {
    "text": "text",
    "number": "number",
    "integer": "number",
    "float": "number",
    "boolean": "boolean",
    "time": "time",
    "date": "time",
    "list": "list",
    "map": "map",
}
BUILT_IN: dict[str, Kind] = {
    "time": "time",
    "received": "time",
    "day": "time",
    "event": "text",
    "event_id": "text",
}
OF_VERB: dict[str, Kind] = {
    "count": "number",
    "days_with": "number",
    "days_since": "number",
    "sum": "number",
    "average": "number",
    "unique_count": "number",
    "ratio": "number",
    "calculate": "number",
    "days_between": "number",
    "percentile": "number",
    "audience": "boolean",
    "exists": "boolean",
    "unique": "list",
    "bucket": "text",
}
WORDS: dict[Kind, str] = {
    "number": "a number",
    "text": "text",
    "boolean": "true or false",
    "time": "a time",
    "list": "a list",
    "map": "a map",
}


def property_kind(project: Project, event: str, path: str) -> Kind | None:
    """Kind of an event's property; None when nothing declares it or sources differ."""
    if path in BUILT_IN:
        return BUILT_IN[path]
    types = {_declared_type(project.sources[source], path) for source in project.sources_of_event(event)}
    told = types.pop() if len(types) == 1 else None
    return KINDS[told] if told else None


def _declared_type(source: Source, path: str) -> str | None:
    computed = source.columns.get(path)
    return computed.type if computed else source.types.get(path)


def trait_kind(project: Project, trait: Fact) -> Kind | None:
    """Kind of the value of a trait or audience; None when only the data tells."""
    if trait.type:
        return KINDS[trait.type]
    if isinstance(trait, Audience):
        return "boolean"
    if trait.verb == "bucket" and trait.at is None:
        return "number"
    if trait.verb in WHOLE_EVENT_VERBS and not trait.event_property:
        return "text"
    return OF_VERB.get(trait.verb) or property_kind(project, trait.event, trait.event_property)


def column_kinds(project: Project, entity: str) -> dict[str, Kind | None]:
    """Kind of every trait, audience, score, credited mix and funnel column of an entity."""
    traits = {name: trait_kind(project, fact) for name, fact in project.facts_of(entity).items()}
    scores = [score_columns(name) for name in project.predictions_of(entity)]
    scores += [mix_columns(name) for name in project.attributions_of(entity)]
    scores += [funnel_columns(name) for name in project.funnels_of(entity)]
    return {column: KINDS[kind] for columns in scores for column, kind in columns.items()} | traits


def clash(comparison: Comparison, kind: Kind | None) -> str:
    """Why a comparison can never make sense for a field of this kind; empty when it can."""
    values = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    if kind is None or comparison.value is None:
        return ""
    if comparison.op in ("contains", "matches"):
        fine = kind == "text" or (kind == "list" and comparison.op == "contains")
    elif comparison.op in ORDERED:
        fine = kind in ("number", "time") and all(isinstance(v, str) == (kind == "time") for v in values)
    else:
        fine = all(_equal_makes_sense(value, kind) for value in values)
    shown = ", ".join(map(str, values))
    return "" if fine else f'{comparison.field} is {WORDS[kind]}, so "{comparison.op} {shown}" makes no sense'


def _equal_makes_sense(value: object, kind: Kind) -> bool:
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "boolean":
        return isinstance(value, bool)
    return kind == "text" or (kind == "time" and isinstance(value, str))


def fits(value: object, kind: Kind | None) -> bool:
    """True when a declared value can stand where values of this kind stand."""
    if kind in (None, "time"):
        return True
    if kind == "text":
        return isinstance(value, str)
    return kind not in ("list", "map") and _equal_makes_sense(value, kind or "text")
