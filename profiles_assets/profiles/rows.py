"""The stored part of profiles: of everybody, or of those whom something happened to since it was stored."""

import hashlib
from collections.abc import Callable

import duckdb

from profiles_assets.identity.attribution import create_attribution
from profiles_assets.identity.owners import is_current
from profiles_assets.project.project import Project
from profiles_assets.traits.derived import stored_tables
from profiles_assets.traits.identify import identify_sources, stage_identify_traits
from resources.feed import Feed, changes_since, tells
from resources.tables import columns, exists, literal, quote

Con = duckdb.DuckDBPyConnection
ROWS = "staged_rows"
IDS, OWNERS = ("identity", "stitched_ids"), ("identity", "tuple_owners")
EVERYBODY, CONCERNED = "true", "profile_id IN (SELECT profile_id FROM concerned)"


def rows_table(entity: str) -> str:
    """Name of the stored table."""
    return f"profiles.{quote(entity + '_rows')}"


def rows_shape(con: Con, project: Project, entity: str) -> str:
    """Hash of the tables that rows are made from and of their columns."""
    parts = [f"{table}: {columns(con, table)}" for table in filled_tables(con, project, entity)]
    parts += [f"{name}: {project.sources[name].identify_traits}" for name in identify_sources(con, project, entity)]
    return hashlib.md5("\n".join(parts).encode(), usedforsecurity=False).hexdigest()


def filled_tables(con: Con, project: Project, entity: str) -> list[str]:
    """Tables of stored traits of an entity that have been filled."""
    return [table for table in stored_tables(project, entity).values() if exists(con, table)]


def stage_rows(con: Con, project: Project, entity: str, notes: dict[str, str]) -> str:
    """Temporary table `staged_rows`; returns the condition that picks the rows of the stored table it stands for."""
    feed = _feed(con, project, entity, notes)
    if feed is None:
        create_attribution(con, project, entity)
    else:
        _stage_concerned(con, project, entity, feed)
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE attribution AS SELECT tuple_key, profile_id, profile_key
            FROM identity.tuple_owners JOIN concerned USING (profile_key) WHERE entity = {literal(entity)}"""
        )
    scope = EVERYBODY if feed is None else CONCERNED
    stage_identify_traits(con, project, entity, "staged_identify")
    joins = "".join(f" LEFT JOIN {table} USING (profile_id)" for table in filled_tables(con, project, entity))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {ROWS} AS
        WITH of_type AS (
            SELECT profile_id, id_type, list_sort(list(value)) AS vals, min(first_seen) AS first_seen,
                   max(last_seen) AS last_seen
            FROM identity.stitched_ids WHERE entity = ? AND profile_id IS NOT NULL AND {scope} GROUP BY ALL),
        people AS (
            SELECT profile_id, map_from_entries(list((id_type, vals) ORDER BY id_type)) AS ids,
                   min(first_seen) AS first_seen, max(last_seen) AS last_seen
            FROM of_type GROUP BY profile_id)
        SELECT * FROM people LEFT JOIN staged_identify USING (profile_id){joins}""",
        [entity],
    )
    return scope


def _feed(con: Con, project: Project, entity: str, notes: dict[str, str]) -> Feed | None:
    """What changed since the stored rows were made; None where they must be made anew."""
    if notes.get("shape") != rows_shape(con, project, entity) or not is_current(con, project, entity):
        return None
    feed = changes_since(con, notes.get("snapshot")) if exists(con, rows_table(entity)) else None
    return feed if feed and all(tells(con, feed, *table) for table in _read(con, project, entity)) else None


def _read(con: Con, project: Project, entity: str) -> list[tuple[str, str]]:
    tables = [tuple(table.replace('"', "").split(".", 1)) for table in filled_tables(con, project, entity)]
    return [IDS, OWNERS, *((schema, name) for schema, name in tables), *_identify_tables(con, project, entity)]


def _identify_tables(con: Con, project: Project, entity: str) -> list[tuple[str, str]]:
    return [("raw_events", name) for name in identify_sources(con, project, entity)]


def _stage_concerned(con: Con, project: Project, entity: str, feed: Feed) -> None:
    """Temporary table `concerned` (profile_id, profile_key) of people with other ids, traits or identify events."""
    mine = f"entity = {literal(entity)} AND profile_key IS NOT NULL"
    found = [f"SELECT profile_key FROM {of(*table)} WHERE {mine}" for table in (IDS, OWNERS) for of in _both(feed)]
    key = "('0x' || profile_id)::BIGINT AS profile_key"
    for schema, name in _read(con, project, entity)[2:]:
        if schema != "raw_events":
            found += [f"SELECT {key} FROM {of(schema, name)}" for of in _both(feed)]
            continue
        join = f"JOIN identity.tuple_owners a ON {mine} AND a.tuple_key = e.{quote(f'tuple_{entity}')}"
        some = "WHERE identify_traits IS NOT NULL"
        found += [f"SELECT profile_key FROM {of(schema, name)} e {join} {some}" for of in _both(feed)]
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE concerned AS
        SELECT format('{{:015x}}', profile_key) AS profile_id, profile_key FROM ({" UNION ".join(found)})"""
    )


def _both(feed: Feed) -> tuple[Callable[[str, str], str], ...]:
    return feed.came, feed.went
