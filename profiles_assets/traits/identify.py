"""Identify traits: what sources say about a person, key by key, the newest value winning."""

import duckdb

from profiles_assets.events.visible import counts_sql
from profiles_assets.project.project import Project
from profiles_assets.traits.verbs import ORDER
from resources.tables import columns, quote

Con = duckdb.DuckDBPyConnection


def stage_identify_traits(
    con: Con, project: Project, entity: str, table: str, as_of: str = "DATE '9999-01-01'"
) -> None:
    """Temporary table (profile_id, identify_traits MAP(VARCHAR, VARCHAR)) from a table `attribution`."""
    column = f"tuple_{entity}"
    names = identify_sources(con, project, entity)
    scans = [
        f"SELECT a.profile_id, time, event_id, file, position, identify_traits FROM raw_events.{quote(name)} e "
        f"JOIN attribution a ON a.tuple_key = e.{quote(column)} "
        f"WHERE {counts_sql(project.sources[name], as_of, 'e')} AND identify_traits IS NOT NULL"
        for name in names
    ]
    nothing = "SELECT NULL::VARCHAR AS profile_id, NULL::MAP(VARCHAR, VARCHAR) AS identify_traits WHERE false"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS {newest_by_key(' UNION ALL '.join(scans)) if scans else nothing}"
    )


def identify_sources(con: Con, project: Project, entity: str) -> list[str]:
    """Loaded sources with identify traits of an entity."""
    told = [name for name, source in project.sources.items() if source.identify_traits]
    return [name for name in told if f"tuple_{entity}" in columns(con, f"raw_events.{quote(name)}")]


def newest_by_key(scan: str) -> str:
    """SELECT that keeps the newest value of each key of each person."""
    return f"""
    WITH pairs AS (
        SELECT * EXCLUDE (identify_traits), unnest(map_entries(identify_traits::JSON::MAP(VARCHAR, VARCHAR))) AS pair
        FROM ({scan})),
    newest AS (
        SELECT profile_id, pair.key AS key, arg_max(pair.value, {ORDER}) AS value
        FROM pairs WHERE pair.value IS NOT NULL GROUP BY ALL)
    SELECT profile_id, map_from_entries(list((key, value) ORDER BY key)) AS identify_traits
    FROM newest GROUP BY profile_id"""
