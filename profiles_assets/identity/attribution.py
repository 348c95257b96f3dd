"""Attribution: the profile of every id tuple, so of every event."""

from datetime import date

import duckdb

from profiles_assets.identity import schema
from profiles_assets.project.project import Project
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection


def create_attribution(
    con: Con,
    project: Project,
    entity: str,
    stitched: str = "identity.stitched_ids",
    as_of: date | None = None,
    *,
    table: str = "attribution",
) -> None:
    """Temporary table (tuple_key, profile_id, profile_key) of all tuples, those that count at a day where one is given.

    A tuple belongs to the profile of its first id in declared order that is neither blocked nor quarantined;
    tuples without such an id are left out.
    """
    edges, visible = schema.view(con, "id_edges"), f"AND {schema.counts_sql(as_of)}" if as_of else ""
    people = schema.view(con, "stitched_ids") if stitched == "identity.stitched_ids" else quote(stitched)
    tuples = f"SELECT DISTINCT tuple_key, nodes FROM {edges} WHERE entity = {literal(entity)} {visible}"
    place_tuples(con, project, entity, tuples, people, table=table)


def place_tuples(con: Con, project: Project, entity: str, tuples: str, people: str, *, table: str) -> None:
    """The same of a select of (tuple_key, nodes), by a relation with the columns of the stitched ids."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE unplaced AS {tuples}")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {quote(table)} (tuple_key BIGINT, profile_id VARCHAR, profile_key BIGINT)"
    )
    for position in range(1, len(project.entities[entity].ids) + 1):
        _place(con, entity, people, quote(table), position)


def _place(con: Con, entity: str, people: str, table: str, position: int) -> None:
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE placed AS SELECT u.tuple_key, u.nodes, s.profile_id, s.profile_key "
        f"FROM unplaced u LEFT JOIN {people} s ON s.key = u.nodes[{position}] AND s.entity = {literal(entity)} "
        f"WHERE len(u.nodes) >= {position}"
    )
    con.execute(
        f"INSERT INTO {table} SELECT tuple_key, profile_id, profile_key FROM placed WHERE profile_key IS NOT NULL"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE unplaced AS SELECT tuple_key, nodes FROM placed WHERE profile_key IS NULL"
    )
