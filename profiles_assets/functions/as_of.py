"""What functions would have given at a past day, for those that depend on nothing but the events of the person."""

import os
from collections.abc import Sequence
from datetime import date

import duckdb
import pyarrow as pa

from profiles_assets.functions import versions
from profiles_assets.functions.feed import People, chunks
from profiles_assets.functions.jobs import job_of
from profiles_assets.functions.people import stage_people
from profiles_assets.functions.pool import Pool
from profiles_assets.functions.tables import SHARED
from profiles_assets.functions.typed import NOBODY, typed_select
from profiles_assets.project.functions import ProfileFunction
from profiles_assets.project.graph import reachable, trait_inputs
from profiles_assets.project.project import Project
from resources.tables import quote

Con = duckdb.DuckDBPyConnection
ROWS = "function_rows_then"


def stage_functions_as_of(con: Con, project: Project, entity: str, as_of: date) -> Sequence[str]:
    """Temporary tables, by profile_id, of the typed traits of functions as of a past day; their names.

    Needs `stitched_then` and `people_then`. A function that is not pure has given something then that nobody can
    tell now, so its traits are empty. Raises BrokenFunctionError.
    """
    tables = []
    for name, traits in project.function_traits_of(entity).items():
        tables.append(quote(f"then_function_{name}"))
        known = pure_version(con, project, name)
        rows = NOBODY if known is None else _stage_rows(con, project, known[0], known[1], as_of)
        select = typed_select(project, traits, rows, "people_then", known=known is not None)
        con.execute(f"CREATE OR REPLACE TEMP TABLE {tables[-1]} AS {select}")
    return tables


def pure_version(con: Con, project: Project, name: str) -> tuple[ProfileFunction, int] | None:
    """The function that people see and its version, if it is pure."""
    state = versions.state_of(con, name)
    if state is None or state.visible is None:
        return None
    found = versions.published(con, project, name, state.visible)
    return (found, state.visible) if found.pure else None


def unknown_then(con: Con, project: Project, entity: str) -> set[str]:
    """Traits that are unknown at past days: those of functions that are not pure, and what is made from them."""
    functions = project.function_traits_of(entity)
    found = {n for name, traits in functions.items() if pure_version(con, project, name) is None for n in traits}
    inputs = trait_inputs(project, entity)
    return found | {name for name in inputs if found & reachable(inputs, name)}


def visible_versions(con: Con, project: Project, entity: str) -> str:
    """Which version of each function with typed traits people see, as a text; empty where there is no such function."""
    states = {name: versions.state_of(con, name) for name in sorted(project.function_traits_of(entity))}
    return ", ".join(f"{name} {state.visible if state else None}" for name, state in states.items())


def _stage_rows(con: Con, project: Project, function: ProfileFunction, version: int, as_of: date) -> str:
    """Temporary table (_person, traits) of what a function gives the people of a past day."""
    stage_people(con, project, function, as_of, "stitched_then")
    most = function.config.max_events
    con.execute(f"CREATE OR REPLACE TEMP TABLE function_slice AS FROM function_people WHERE events <= {most}")
    stream = chunks(con, project, function, as_of, People("function_slice", SHARED, "stitched_then"))
    people, traits = list[str](), list[str]()
    with Pool(job_of(function, version, as_of, None, con), os.cpu_count() or 1) as pool:
        for outcome in pool.outcomes(stream):
            found = [answer for answer in outcome.answers if answer.traits is not None]
            people += [answer.person for answer in found]
            traits += [str(answer.traits) for answer in found]
    con.register("function_rows", pa.table({"_person": pa.array(people, pa.string()), "traits": traits}))
    con.execute(f"CREATE OR REPLACE TEMP TABLE {ROWS} AS SELECT _person, traits::VARCHAR AS traits FROM function_rows")
    con.unregister("function_rows")
    return ROWS
