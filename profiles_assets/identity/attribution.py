"""Attribution: the profile of every id tuple, so of every event."""

from datetime import date

import duckdb

from profiles_assets.identity import schema
from profiles_assets.identity.owners import is_current, owned_sql
from profiles_assets.identity.placing import place_tuples
from profiles_assets.project.project import Project
from resources.tables import literal, quote

STITCHED = "identity.stitched_ids"
Con = duckdb.DuckDBPyConnection


def create_attribution(
    con: Con,
    project: Project,
    entity: str,
    stitched: str = STITCHED,
    as_of: date | None = None,
    *,
    table: str = "attribution",
) -> None:
    """Temporary table (tuple_key, profile_id, profile_key) of all tuples, those that count at a day where one is given.

    A tuple belongs to the profile of its first id in declared order that is neither blocked nor quarantined;
    tuples without such an id are left out.
    """
    if (stitched, as_of) == (STITCHED, None) and is_current(con, project, entity):
        con.execute(f"CREATE OR REPLACE TEMP TABLE {quote(table)} AS {owned_sql(entity)}")
        return
    edges, visible = schema.view(con, "id_edges"), f"AND {schema.counts_sql(as_of)}" if as_of else ""
    people = schema.view(con, "stitched_ids") if stitched == STITCHED else quote(stitched)
    tuples = f"SELECT DISTINCT tuple_key, nodes FROM {edges} WHERE entity = {literal(entity)} {visible}"
    place_tuples(con, project, entity, tuples, people, table=table)
