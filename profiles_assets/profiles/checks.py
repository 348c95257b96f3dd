"""Checks on the profiles: nothing was lost between the events and the people."""

from typing import Any

import duckdb

from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.project import Project
from resources.tables import exists, quote

Con = duckdb.DuckDBPyConnection


def events_reconcile(con: Con, project: Project, entity: str) -> tuple[bool, dict[str, Any]]:
    """Whether attributed, unattributed and duplicate events add up to all rows, each counted once."""
    create_attribution(con, project, entity)
    totals = {"events": 0, "attributed": 0, "unattributed": 0, "duplicates": 0}
    column = quote(f"tuple_{entity}")
    for source in project.sources:
        table = f"raw_events.{quote(source)}"
        if exists(con, table):
            row = con.execute(
                f"""SELECT (SELECT count(*) FROM {table}),
                    (SELECT count(*) FROM {table} e JOIN attribution a ON a.tuple_key = e.{column} WHERE NOT duplicate),
                    (SELECT count(*) FROM {table} e WHERE NOT duplicate AND NOT EXISTS
                        (FROM attribution a WHERE a.tuple_key = e.{column})),
                    (SELECT count(*) FROM {table} WHERE duplicate)"""
            ).fetchone()
            assert row is not None
            totals = {name: total + part for (name, total), part in zip(totals.items(), row, strict=True)}
    added = totals["attributed"] + totals["unattributed"] + totals["duplicates"]
    return added == totals["events"], totals
