"""Column lineage: from which columns of which assets each trait comes, read off the SQL that it becomes."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import sqlglot
from sqlglot import exp

from profiles_assets.events.columns import SQL_TYPES, column_inputs, used_paths
from profiles_assets.project.funnels import funnel_columns
from profiles_assets.project.graph import predicted_columns
from profiles_assets.project.project import Project
from profiles_assets.project.score_columns import MIX, PARTS
from profiles_assets.project.traits import TRAIT_VERBS
from profiles_assets.traits.columns import BUILTIN, EventColumns
from profiles_assets.traits.compile import compile_section
from profiles_assets.traits.derived import Reading, read_sql

Columns = dict[str, list["Origin"]]


@dataclass(frozen=True, order=True)
class Origin:
    """A column of an asset, such as `total` of `raw_events/orders`."""

    asset: str
    column: str

    def __str__(self) -> str:
        return f"{self.asset}.{self.column}"


def section_lineage(project: Project, section: str) -> Columns:
    """Columns that each trait of a section is made from: of raw events, or of other traits."""
    return {name: trait_lineage(project, section, name) for name in project.sections[section].traits}


def trait_lineage(project: Project, section: str, name: str) -> list[Origin]:
    """Columns that one trait is made from."""
    found = project.sections[section]
    trait = found.traits[name]
    if trait.function:
        return [Origin(f"functions/{trait.function_key[0]}", "traits")]
    if trait.verb in TRAIT_VERBS:
        expression = read_sql(name, trait, Reading.of(project, found.entity, "as_of"))
        return _known(project, found.entity, _columns(expression))
    alone = replace(project, sections={section: replace(found, traits={name: trait})})
    names = _columns(compile_section(alone, section, declared_columns(project), "as_of"))
    built_in = {*_columns(trait.sql or "NULL"), trait.event_property}.intersection(BUILTIN)
    return _of_events(project, trait.event, names, built_in)


def profile_lineage(project: Project, entity: str) -> Columns:
    """Columns that each column of the profiles of an entity is made from."""
    known = _places(project, entity)
    audiences = project.audiences_of(entity)
    reading = Reading.of(project, entity, "as_of")
    made = {n: _known(project, entity, _columns(read_sql(n, a.spec, reading))) for n, a in audiences.items()}
    return {name: [origin] for name, origin in known.items() if name not in made} | made


def declared_columns(project: Project) -> EventColumns:
    """Columns that raw events will have once they are loaded, by what definitions use."""
    tables = {
        name: {
            f"p_{path}": SQL_TYPES.get(source.types.get(path, "text"), "VARCHAR") for path in used_paths(project, name)
        }
        | dict.fromkeys(("event_id", "time"), "VARCHAR")
        for name, source in project.sources.items()
    }
    return EventColumns(project, tables)


def _columns(sql: str) -> list[str]:
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    return list(dict.fromkeys(column.name for column in tree.find_all(exp.Column)))


def _of_events(project: Project, event: str, names: Iterable[str], built_in: Iterable[str]) -> list[Origin]:
    carried = [name.partition(":") for name in names if ":" in name]
    found = {
        Origin(f"raw_events/{source}", f"p_{used}")
        for source, _, path in carried
        for used in column_inputs(project.sources[source], path)
    }
    sources = project.sources_of_event(event)
    found |= {Origin(f"raw_events/{source}", BUILTIN[name][0]) for source in sources for name in built_in}
    return sorted(found or {Origin(f"raw_events/{source}", "event") for source in sources})


def _known(project: Project, entity: str, names: Iterable[str]) -> list[Origin]:
    known = _places(project, entity)
    return [known[name.removesuffix("__since")] for name in names if name.removesuffix("__since") in known]


def _places(project: Project, entity: str) -> dict[str, Origin]:
    """The asset in which each trait, score, audience and funnel column is first to be found."""
    found = {
        n: Origin(f"entity_vars/{s}", n) for s, section in project.sections_of(entity).items() for n in section.traits
    }
    found |= {n: Origin(f"functions/{f}", "traits") for f, ts in project.function_traits_of(entity).items() for n in ts}
    found |= {c: Origin(f"funnels/{f}", c) for f in project.funnels_of(entity) for c in funnel_columns(f)}
    found |= {n: Origin(f"profiles/{entity}", n) for n in project.audiences_of(entity)}
    scores = {part.suffix: part.column for part in PARTS}
    for column, prediction in predicted_columns(project.predictions_of(entity)).items():
        found[column] = Origin(f"predictions/{prediction}", scores.get(column.removeprefix(prediction), column))
    for name in project.attributions_of(entity):
        found |= {name + part.suffix: Origin(f"attribution/{name}", part.column) for part in MIX}
    return found


def used_by(project: Project, entity: str, name: str) -> list[str]:
    """What is made from a column: traits, audiences, predictions and views, each with its kind."""
    traits, audiences = project.traits_of(entity), project.audiences_of(entity)
    found = [f"trait {n}" for n, t in traits.items() if name in t.inputs]
    found += [f"audience {n}" for n, a in audiences.items() if name in a.spec.inputs]
    found += [f"prediction {n} (among)" for n, p in project.predictions_of(entity).items() if name in p.spec.among]
    found += [
        f"prediction {n} (predict)"
        for n, p in project.predictions_of(entity).items()
        if name in p.spec.predicted_traits
    ]
    return found + [f"view {n}" for n, v in project.views_of(entity).items() if name in v.spec.traits]
