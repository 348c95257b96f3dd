"""Traits that profile functions give, typed and named in YAML: one table per function, a row for everybody."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import duckdb

from profiles_assets.events.columns import cast_sql
from profiles_assets.events.derive import Extraction
from profiles_assets.functions.tables import RESULTS
from profiles_assets.functions.versions import state_of
from profiles_assets.project.project import Project
from profiles_assets.project.traits import Trait
from profiles_assets.traits.derived import function_table
from profiles_assets.traits.evaluate import stage_people
from profiles_assets.traits.verbs import SQL_TYPES, settled
from resources import progress
from resources.lake import Lake
from resources.tables import Change, Merge, exists, literal, quote, rows_after, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection
STAGED = "staged_function_traits"
NOBODY = "(SELECT NULL::VARCHAR AS _person, NULL::VARCHAR AS traits WHERE false)"


@dataclass(frozen=True)
class TypedReport:
    """What filling the typed traits of a function changed; `unfit` counts values that are not of their type."""

    people: int = 0
    change: Change = field(default_factory=Change)
    unfit: Mapping[str, int] = field(default_factory=dict)


def typed_traits(project: Project, name: str) -> dict[str, Trait]:
    """Traits declared in YAML that a function gives."""
    return project.function_traits_of(project.functions[name].entity).get(name, {})


def update_typed(lake: Lake, project: Project, name: str) -> TypedReport:
    """Bring the typed traits of a function to the version of it that people see; nothing where none is declared."""
    traits, entity = typed_traits(project, name), project.functions[name].entity
    step, table, people = f"functions/{name}", function_table(name), f"stitched_ids/{entity}"

    def compute(con: Con) -> tuple[TypedReport, dict[str, str], Merge | None]:
        notes = progress.applied(con, step)
        version = _version(traits, notes.get("all"), progress.fingerprint(con, [people]))
        if notes.get("typed") == version and exists(con, table):
            return TypedReport(unfit=json.loads(notes["unfit"])), {}, None
        stage_people(con, entity)
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE {STAGED} AS {typed_select(project, traits, visible_rows(con, name))}"
        )
        merge, unfit = stage_merge(con, table, STAGED, ["profile_id"]), unfit_values(con, project, traits, name)
        report = TypedReport(rows_after(con, merge), merge.change, unfit)
        return report, {"typed": version, "unfit": json.dumps(unfit)}, merge

    def write(con: Con, staged: tuple[TypedReport, dict[str, str], Merge | None]) -> None:
        if staged[2] is not None:
            con.execute("CREATE SCHEMA IF NOT EXISTS function_traits")
            write_merge(con, staged[2])
            progress.record(con, step, staged[1])

    return lake.step(compute, write, [people, step])[0] if traits else TypedReport()


def _version(traits: Mapping[str, Trait], rows: str | None, people: str) -> str:
    told = [f"{name}: {trait.model_dump_json()}" for name, trait in sorted(traits.items())]
    return hashlib.md5("|".join([*told, str(rows), people]).encode(), usedforsecurity=False).hexdigest()


def visible_rows(con: Con, name: str) -> str:
    """Relation (_person, traits) of the rows of a function that people see."""
    state = state_of(con, name)
    if state is None or state.visible is None:
        return NOBODY
    mine = f"function = {literal(name)} AND version = {state.visible} AND traits IS NOT NULL"
    return f"(SELECT _person, traits FROM {RESULTS} WHERE {mine})"


def typed_select(
    project: Project, traits: Mapping[str, Trait], rows: str, people: str = "people", *, known: bool = True
) -> str:
    """SELECT of one row per person with typed traits, from rows (_person, traits).

    Where rows are not `known`, nothing is known of anybody, so `unless_none` does not count.
    """
    values, extraction = texts_of(traits)
    typed = {n: typed_sql(t, values[n], project.timezone) for n, t in traits.items()}
    columns = ", ".join(f"{settled(traits[n], sql) if known else sql} AS {quote(n)}" for n, sql in typed.items())
    return (
        f"SELECT profile_id, {columns} FROM (SELECT p.profile_id, {extraction.sql} AS v "
        f"FROM {people} p LEFT JOIN {rows} r ON r._person = p.profile_id)"
    )


def unfit_values(con: Con, project: Project, traits: Mapping[str, Trait], name: str) -> dict[str, int]:
    """How many values of each trait are there and not of its type; traits without such values are left out."""
    values, extraction = texts_of(traits)
    counts = [
        f"count(*) FILTER ({values[n]} IS NOT NULL AND {typed_sql(t, values[n], project.timezone)} IS NULL)"
        for n, t in traits.items()
    ]
    rows = f"(SELECT {extraction.sql} AS v FROM {visible_rows(con, name)} r)"
    found = con.execute(f"SELECT {', '.join(counts)} FROM {rows}").fetchone() or ()
    return {n: int(count) for n, count in zip(traits, found, strict=True) if count}


def texts_of(traits: Mapping[str, Trait]) -> tuple[dict[str, str], Extraction]:
    """SQL of the text that each trait has in the JSON of a row, and the extraction that gives these texts."""
    extraction = Extraction(flat=False, record="r.traits")
    return {name: extraction.take(trait.function_key[1]) for name, trait in traits.items()}, extraction


def typed_sql(trait: Trait, text: str, timezone: str) -> str:
    """SQL of a text of JSON in the type of a trait; NULL where it is of another."""
    if trait.type == "list":
        return f"CASE WHEN {text}[1] = '[' AND json_valid({text}) THEN from_json({text}, '[\"VARCHAR\"]') END"
    return cast_sql(SQL_TYPES[str(trait.type)], text, timezone)
