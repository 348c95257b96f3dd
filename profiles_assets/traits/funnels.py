"""Funnels: how far each person came, when the last step was reached and how long it took."""

import duckdb

from profiles_assets.project.funnels import Funnel
from profiles_assets.project.project import Declared, Project
from profiles_assets.traits.columns import EventColumns, event_columns
from profiles_assets.traits.compile import Who

Con = duckdb.DuckDBPyConnection


def stage_funnel(
    con: Con, project: Project, funnel: Declared[Funnel], as_of: str, table: str, *, who: Who | None = None
) -> None:
    """Temporary table with one row per person: profile_id and the columns of a funnel, as of a day (a SQL date)."""
    sql = compile_funnel(project, funnel, event_columns(con, project), as_of, who)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {sql}")


def compile_funnel(
    project: Project, funnel: Declared[Funnel], events: EventColumns, as_of: str, who: Who | None = None
) -> str:
    """SELECT of one row per person with how far they came."""
    raise NotImplementedError
