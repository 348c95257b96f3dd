"""What the tables are that a model may name, and the columns of each as far as declarations tell."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from profiles_assets.project.funnels import funnel_columns
from profiles_assets.project.graph import ordered_traits
from profiles_assets.project.project import Project
from profiles_assets.project.traits import TRAIT_VERBS

TableKind = Literal["source", "model", "section", "funnel", "stitched_ids"]
STITCHED = "stitched_ids"
STITCHED_COLUMNS = ("entity", "id_type", "value", "profile_id", "first_seen", "last_seen")
EVENT_COLUMNS = ("time", "received", "event", "event_id", "day", "load_day", "profile_id")


@dataclass(frozen=True)
class Columns:
    """Names of columns, in small letters; an open table may have more than those it is known to have."""

    known: frozenset[str]
    is_open: bool = False

    @classmethod
    def of(cls, names: Iterable[str], is_open: bool = False) -> "Columns":
        """Columns of these names."""
        return cls(frozenset(name.lower() for name in names), is_open)


def table_kinds(project: Project, name: str) -> list[TableKind]:
    """What a name stands for in a model; several only when the project uses one name twice.

    A model that is a source of its own name is read as that source.
    """
    found: list[TableKind] = []
    if name == STITCHED:
        found.append("stitched_ids")
    if name in project.sources:
        found.append("source")
    if name in project.models and not is_source_of_its_name(project, name):
        found.append("model")
    if name in project.sections:
        found.append("section")
    if name in project.funnels:
        found.append("funnel")
    return found


def table_names(project: Project) -> list[str]:
    """Every name that a model may select from."""
    return sorted({STITCHED, *project.sources, *project.models, *project.sections, *project.funnels})


def is_source_of_its_name(project: Project, name: str) -> bool:
    """True when a model's rows are the events of a source with the model's name."""
    return name in project.sources and project.sources[name].model == name


def source_columns(project: Project, name: str) -> Columns:
    """Columns that a source is known to have; any other name is a property of its events."""
    source = project.sources[name]
    return Columns.of([*EVENT_COLUMNS, *source.ids, *source.types, *source.columns], is_open=True)


def section_traits(project: Project, section: str) -> list[str]:
    """Traits of a section that its own table is enough to compute, inputs before what is made from them."""
    traits, known = project.sections[section].traits, set[str]()
    for name in ordered_traits(project, project.sections[section].entity):
        if name not in traits or traits[name].function:
            continue
        if traits[name].verb not in TRAIT_VERBS or known.issuperset(traits[name].inputs):
            known.add(name)
    return [name for name in ordered_traits(project, project.sections[section].entity) if name in known]


def columns_of(project: Project, kind: TableKind, name: str) -> Columns:
    """Columns of a table that is no model."""
    match kind:
        case "source":
            return source_columns(project, name)
        case "section":
            return Columns.of(["profile_id", *section_traits(project, name)])
        case "funnel":
            return Columns.of(["profile_id", *funnel_columns(name)])
        case _:
            return Columns.of(STITCHED_COLUMNS)


def own_names(alias: exp.Expr | None) -> list[str]:
    """Names that an alias gives to the columns of a table, as in `t(a, b)`."""
    return [column.name for column in alias.args.get("columns") or ()] if alias is not None else []
