"""The profile of each id tuple, from the profiles of its ids."""

import duckdb

from profiles_assets.project.project import Project
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection


def place_tuples(con: Con, project: Project, entity: str, tuples: str, people: str, *, table: str) -> None:
    """Temporary table (tuple_key, profile_id, profile_key) from a select of (tuple_key, nodes).

    `people` is a relation with the columns of the stitched ids. A tuple belongs to the profile of its first id in
    declared order that has one; tuples without are left out.
    """
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
