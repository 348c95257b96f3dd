"""Traits made from other traits, and where each trait is computed.

A trait is *stored* when its value stays the same until the person changes: verbs over events, and what is
made from stored traits of the same section. The rest (days since, ages, anything over a prediction or over
another section) is computed by whoever reads: the published view, or the select that feeds a model.
"""

from collections.abc import Iterable
from itertools import pairwise

from profiles_assets.project.graph import ordered_traits
from profiles_assets.project.project import Project
from profiles_assets.project.traits import TRAIT_VERBS, Trait
from profiles_assets.traits.verbs import constant, finished
from resources.tables import literal, quote

ANCHOR = "__since"


def stored_traits(project: Project, section: str) -> list[str]:
    """Names of the traits that the table of a section keeps, inputs before what is made from them."""
    traits = project.sections[section].traits
    kept: list[str] = []
    for name in ordered_traits(project, project.sections[section].entity):
        if name in traits and (traits[name].verb not in TRAIT_VERBS or _all_kept(traits, name, kept)):
            kept.append(name)
    return kept


def _all_kept(traits: dict[str, Trait], name: str, kept: list[str]) -> bool:
    return all(i in kept and traits[i].verb != "days_since" for i in traits[name].inputs)


def read_traits(project: Project, entity: str) -> list[str]:
    """Names of the traits computed when reading, inputs before what is made from them."""
    kept = {n for s, section in project.sections.items() if section.entity == entity for n in stored_traits(project, s)}
    traits = project.traits_of(entity)
    return [n for n in ordered_traits(project, entity) if n not in kept or traits[n].verb == "days_since"]


def stored_column(name: str, trait: Trait) -> str:
    """Column in which a section keeps a trait; what moves with as_of is kept as its anchor day."""
    return name + ANCHOR if trait.verb == "days_since" else name


def add_traits(select: str, names: Iterable[str], traits: dict[str, Trait], as_of: str) -> str:
    """Wrap a select so that it also gives the traits that are made from its columns."""
    for name in names:
        anchors = f" EXCLUDE ({quote(name + ANCHOR)})" if traits[name].verb == "days_since" else ""
        select = f"SELECT *{anchors}, {read_sql(name, traits[name], as_of)} AS {quote(name)} FROM ({select})"
    return select


def read_sql(name: str, trait: Trait, as_of: str) -> str:
    """Expression of a trait over the columns of the traits it is made from."""
    if trait.verb == "days_since":
        value = f"date_diff('day', {quote(name + ANCHOR)}, {as_of})"
        return value if trait.unless_none is None else f"coalesce({value}, {constant(trait.unless_none)})"
    if trait.verb == "ratio":
        above, below = (quote(i) for i in trait.inputs)
        return finished(trait, f"{above}::DOUBLE / nullif({below}, 0)")
    return finished(trait, bucket_sql(trait))


def bucket_sql(trait: Trait) -> str:
    """CASE that names the bucket of a value; a value on an edge is above it."""
    edges = trait.at or []
    labels = trait.labels or default_labels(edges)
    cases = [
        f"WHEN {quote(trait.inputs[0])} < {edge} THEN {literal(label)}"
        for edge, label in zip(edges, labels, strict=False)
    ]
    return f"CASE {' '.join(cases)} WHEN {quote(trait.inputs[0])} IS NOT NULL THEN {literal(labels[-1])} END"


def default_labels(edges: list[float]) -> list[str]:
    """Names for buckets that were given none: under 50, 50 to 200, 200 and over."""
    between = [f"{low:g} to {high:g}" for low, high in pairwise(edges)]
    return [f"under {edges[0]:g}", *between, f"{edges[-1]:g} and over"]
