"""The events of chosen people as one sorted stream, cut into chunks between people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from profiles_assets.events.derive import json_pointer
from profiles_assets.events.visible import counts_sql
from profiles_assets.functions.people import sources_of
from profiles_assets.functions.people_rows import COLUMNS, TOLD, starts
from profiles_assets.functions.tables import SHARED, STORE
from profiles_assets.identity.attribution import STITCHED
from profiles_assets.project.functions import ProfileFunction
from profiles_assets.project.project import Project
from profiles_assets.traits.verbs import ORDER
from resources.tables import columns, exists, literal, quote

Con = duckdb.DuckDBPyConnection
ROWS_OF_CHUNK, ROWS_OF_BATCH = 20_000, 400_000
TIME = "strftime(e.time, '%Y-%m-%dT%H:%M:%S.%gZ')"
NO_STORE = "SELECT NULL::VARCHAR AS _person, NULL::JSON AS store WHERE false"


@dataclass(frozen=True)
class People:
    """A table (_person, person_key, fingerprint) of people, the version whose store they have, and their ids."""

    table: str
    version: int
    stitched: str = STITCHED


def chunks(con: Con, project: Project, function: ProfileFunction, as_of: date, people: People) -> Iterator[pa.Table]:
    """Chunks of people, each with all events in the window.

    Sorted by (time, event id); DuckDB sorts within its memory limit. The connection is busy until the last one.
    """
    stage_users(con, project, function, as_of, people)
    size = ROWS_OF_BATCH if function.batch else ROWS_OF_CHUNK
    reader = con.execute(stream_sql(con, project, function, as_of)).to_arrow_reader(size)
    yield from cut(reader, size)


def cut(batches: Iterator[pa.RecordBatch], size: int) -> Iterator[pa.Table]:
    """Tables of at least `size` rows, cut where a person begins."""
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held.append(batch)
        if sum(part.num_rows for part in held) < size:
            continue
        table = pa.Table.from_batches(held)
        if last := starts(table)[-1]:
            yield table.slice(0, last)
            held = table.slice(last).to_batches()
    if held:
        yield pa.Table.from_batches(held)


def stream_sql(con: Con, project: Project, function: ProfileFunction, as_of: date) -> str:
    """SELECT of the rows of people and events, sorted; needs `function_users` and `attribution`."""
    more = function.config.columns if function.batch else []
    empty = "".join(f", NULL::VARCHAR AS {quote(path)}" for path in more)
    heads = (
        "SELECT person_key, NULL::TIMESTAMP AS time, NULL::VARCHAR AS event_id, NULL::VARCHAR AS source, "
        f"NULL::VARCHAR AS file, NULL::BIGINT AS position, person AS event, mark AS timestamp, "
        f"head::VARCHAR AS payload{empty} FROM function_users"
    )
    events = [
        events_sql(project, function, name, as_of, more)
        for name in sources_of(project, function)
        if f"tuple_{function.entity}" in columns(con, f"raw_events.{quote(name)}")
    ]
    names = ", ".join(quote(name) for name in (*COLUMNS, *more))
    order = "person_key, time NULLS FIRST, event_id, source, file, position"
    return f"SELECT {names} FROM ({' UNION ALL '.join([heads, *events])}) ORDER BY {order}"


def events_sql(project: Project, function: ProfileFunction, name: str, as_of: date, more: Sequence[str]) -> str:
    """SELECT of the events of a source in the window."""
    source = project.sources[name]
    event = "e.event" if function.batch or source.event != "event" else "NULL"
    time = TIME if source.time != "timestamp" and not function.batch else "NULL"
    payload = "NULL" if function.batch else "e.payload"
    flat, day = source.file_format == "csv", f"DATE '{as_of}'"
    taken = "".join(
        f", json_extract_string(e.payload, {literal(json_pointer(path, flat))}) AS {quote(path)}" for path in more
    )
    return (
        f"SELECT a.profile_key AS person_key, e.time, e.event_id, {literal(name)} AS source, e.file, e.position, "
        f"{event} AS event, {time} AS timestamp, {payload} AS payload{taken} "
        f"FROM raw_events.{quote(name)} e JOIN attribution a ON a.tuple_key = e.{quote(f'tuple_{function.entity}')} "
        f"WHERE {counts_sql(source, day, 'e')} "
        f"AND e.event_day > DATE '{as_of}' - {function.config.window}"
    )


def stage_users(con: Con, project: Project, function: ProfileFunction, as_of: date, people: People) -> None:
    """Temporary tables `attribution` and `function_users` (person_key, person, mark, head) of some people."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE attribution AS FROM attribution_all "
        f"WHERE profile_key IN (SELECT person_key FROM {people.table})"
    )
    entity = literal(function.entity)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE function_users AS
        WITH told AS ({identify_sql(con, project, function, as_of)}),
        kept AS ({store_sql(function.name, people.version, as_of) if exists(con, STORE) else NO_STORE}),
        ids AS (
            SELECT profile_id, {_newest("user_id")} AS user_id, {_newest("anonymous_id")} AS anonymous_id,
                map_from_entries(list((id_type, vals) ORDER BY id_type)) AS ids
            FROM (
                SELECT profile_id, id_type, list_sort(list(value)) AS vals,
                    arg_max(value, (last_seen, value)) AS newest
                FROM {people.stitched}
                WHERE entity = {entity} AND profile_id IN (SELECT _person FROM {people.table}) GROUP BY ALL)
            GROUP BY profile_id)
        SELECT p.person_key, p._person AS person,
            p.fingerprint::VARCHAR || CASE WHEN traits IS NULL THEN '' ELSE {literal(TOLD)} END AS mark,
            json_object('user', json_object(
                'profile_id', p._person, 'user_id', user_id, 'anonymous_id', anonymous_id, 'ids', ids::JSON,
                'traits', coalesce(traits, '{{}}'::JSON)), 'store', coalesce(store, '{{}}'::JSON)) AS head
        FROM {people.table} p LEFT JOIN ids ON ids.profile_id = p._person LEFT JOIN told ON told.profile_id = p._person
            LEFT JOIN kept USING (_person)"""
    )


def _newest(id_type: str) -> str:
    return f"max(newest) FILTER (id_type = {literal(id_type)})"


def identify_sql(con: Con, project: Project, function: ProfileFunction, as_of: date) -> str:
    """SELECT (profile_id, traits JSON) of what sources of events say about people, the newest value of each key."""
    column, day = f"tuple_{function.entity}", f"DATE '{as_of}'"
    scans = [
        f"SELECT a.profile_id, time, event_id, file, position, identify_traits FROM raw_events.{quote(name)} e "
        f"JOIN attribution a ON a.tuple_key = e.{quote(column)} "
        f"WHERE {counts_sql(source, day, 'e')} AND identify_traits IS NOT NULL"
        for name, source in project.sources.items()
        if source.kind == "events" and source.identify_traits and column in columns(con, f"raw_events.{quote(name)}")
    ]
    if not scans:
        return "SELECT NULL::VARCHAR AS profile_id, NULL::JSON AS traits WHERE false"
    return f"""
        WITH pairs AS (
            SELECT * EXCLUDE (identify_traits), unnest(map_entries(identify_traits::JSON::MAP(VARCHAR, JSON))) AS pair
            FROM ({" UNION ALL ".join(scans)})),
        newest AS (
            SELECT profile_id, pair.key AS key, arg_max(pair.value, {ORDER}) AS value
            FROM pairs WHERE json_type(pair.value) <> 'NULL' GROUP BY ALL)
        SELECT profile_id, map_from_entries(list((key, value) ORDER BY key))::JSON AS traits
        FROM newest GROUP BY profile_id"""


def store_sql(name: str, version: int, as_of: date) -> str:
    """SELECT (_person, store JSON) of what a function keeps; what a version being built keeps goes first."""
    return f"""
        WITH newest AS (
            SELECT _person, key, arg_max({{'value': value, 'expires': expires}}, version) AS last FROM {STORE}
            WHERE function = {literal(name)} AND version IN ({SHARED}, {version}) GROUP BY ALL)
        SELECT _person, map_from_entries(list((key, last.value::JSON) ORDER BY key))::JSON AS store FROM newest
        WHERE last.value IS NOT NULL AND (last.expires IS NULL OR last.expires > DATE '{as_of}') GROUP BY _person"""
