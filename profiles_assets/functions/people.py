"""Who is to be computed: people of a function with a hash of all that goes into their result."""

from datetime import date

import duckdb

from profiles_assets.functions.tables import INPUTS, RESULTS
from profiles_assets.identity.attribution import STITCHED, create_attribution
from profiles_assets.project.functions import ProfileFunction
from profiles_assets.project.project import Project
from resources.tables import exists, literal

Con = duckdb.DuckDBPyConnection
USER = "user_id"


def known_types(project: Project, function: ProfileFunction) -> list[str]:
    """Id types that make a person known."""
    ids = list(project.entities[function.entity].ids)
    return function.config.known_by or [USER if USER in ids else ids[0]]


def sources_of(project: Project, function: ProfileFunction) -> list[str]:
    """Sources whose events a function gets."""
    named = function.config.sources or list(project.sources)
    return [name for name in named if project.sources[name].kind == "events"]


def stage_people(con: Con, project: Project, function: ProfileFunction, as_of: date, stitched: str = STITCHED) -> None:
    """Temporary table `function_people` (_person, person_key, events, fingerprint) of all who get a result.

    These are the known people (or all, with `anonymous`) with events in the window. Leaves `attribution_all` behind.
    """
    entity, config = literal(function.entity), function.config
    create_attribution(con, project, function.entity, stitched, as_of, table="attribution_all")
    if not exists(con, INPUTS):
        con.execute(
            "CREATE OR REPLACE TEMP TABLE function_people (_person VARCHAR, person_key BIGINT, events BIGINT, "
            "fingerprint BIGINT)"
        )
        return
    in_window = f"source IN ({_list(sources_of(project, function))}) AND event_day > DATE '{as_of}' - {config.window}"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE function_people AS
        WITH ids AS (
            SELECT profile_id, bool_or(id_type IN ({_list(known_types(project, function))})) AS known,
                hash(sum(hash(id_type, value)), {_newest("user_id")}, {_newest("anonymous_id")}) AS ids
            FROM {stitched} WHERE entity = {entity} AND profile_id IS NOT NULL GROUP BY profile_id),
        seen AS (
            SELECT profile_id, any_value(profile_key) AS person_key,
                coalesce(sum(events) FILTER ({in_window}), 0)::BIGINT AS events,
                sum(content) FILTER ({in_window}) AS content, sum(told) AS told
            FROM {INPUTS} JOIN attribution_all USING (tuple_key)
            WHERE entity = {entity} AND day <= DATE '{as_of}' AND event_day <= DATE '{as_of}' GROUP BY profile_id)
        SELECT profile_id AS _person, person_key, events,
            (hash(events, content, told, ids) >> 1)::BIGINT AS fingerprint
        FROM seen JOIN ids USING (profile_id) WHERE events > 0 AND ({str(config.anonymous).lower()} OR known)"""
    )


def stage_pending(con: Con, name: str, version: int, *, skip_errors: str = "") -> int:
    """Temporary table `function_pending` of the people whose result is not of what they are now; how many.

    `skip_errors` is a table of errors of this version that are not tried again.
    """
    mine = f"function = {literal(name)} AND version = {version} AND fingerprint = p.fingerprint AND _person = p._person"
    tried = f"AND NOT EXISTS (FROM {skip_errors} WHERE kind <> 'transform' AND {mine})" if skip_errors else ""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE function_pending AS FROM function_people p "
        f"WHERE NOT EXISTS (FROM {RESULTS} WHERE {mine}) {tried}"
    )
    row = con.execute("SELECT count(*) FROM function_pending").fetchone()
    return int(row[0]) if row else 0


def _newest(id_type: str) -> str:
    return f"arg_max(value, (last_seen, value)) FILTER (id_type = {literal(id_type)})"


def _list(names: list[str]) -> str:
    return ", ".join(map(literal, names)) or "NULL"
