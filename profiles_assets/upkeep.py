"""Upkeep of a project's lake: tables of declarations that are gone, then the lake itself."""

from collections.abc import Callable
from datetime import timedelta

import duckdb

from profiles_assets.project.project import Project
from resources import upkeep
from resources.lake import Lake
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection
SHARED = {"metrics.distributions", "audiences.log"}
SUFFIXES = ("", "_report", "_keys", "_model", "__rows", "__people", "__flows", "__published")
OF_ENTITY = ("", "_rows", "_unmasked")


def clean_up(
    lake: Lake,
    project: Project,
    grace: timedelta = upkeep.GRACE,
    on_step: Callable[[str], None] = lambda _: None,
) -> upkeep.UpkeepReport:
    """Drop what is made by declarations that are gone, then expire, merge and remove as the project's `retain` says.

    Raw events of sources that are gone stay: they are the record, and landing files may have been archived.
    """
    on_step("dropping tables of removed declarations")
    dropped = drop_removed(lake, project)
    report = upkeep.cleanup(lake, project.retain, grace, on_step)
    report.tables_dropped = dropped
    return report


def drop_removed(lake: Lake, project: Project) -> list[str]:
    """Drop derived tables and views that nothing declares any more, with their notes; returns their names.

    What a view that stays still reads is left for the clean-up after the next run.
    """
    dropped: list[str] = []

    def drop(con: Con) -> None:
        dropped[:] = removed_tables(con, project)
        views = {row[0] for row in con.execute(f"SELECT {FULL_NAME} FROM duckdb_views() WHERE {IN_LAKE}").fetchall()}
        for name in sorted(dropped, key=lambda one: one not in views):
            schema, table = name.split(".")
            con.execute(f"DROP {'VIEW' if name in views else 'TABLE'} {schema}.{quote(table)}")
        steps = [f"{schema}/{table}" for schema, table in (name.split(".") for name in dropped)]
        con.execute("DELETE FROM ops.progress WHERE list_contains(?, step)", [steps])

    with lake.get_connection() as con:
        found = removed_tables(con, project)
    if found:
        lake.write(drop)
    return dropped


FULL_NAME = "schema_name || '.' || view_name"
IN_LAKE = "database_name = 'lake' AND NOT internal"


def removed_tables(con: Con, project: Project) -> list[str]:
    """Derived tables and views that no declaration makes, and that no view of another one reads."""
    known = {name for schema, names in declared(project).items() for name in _tables(schema, names)} | SHARED
    schemas = ", ".join(map(literal, declared(project)))
    rows = con.execute(
        f"""SELECT schema_name || '.' || table_name, '' FROM duckdb_tables()
            WHERE database_name = 'lake' AND schema_name IN ({schemas})
        UNION ALL SELECT {FULL_NAME}, sql FROM duckdb_views() WHERE {IN_LAKE} AND schema_name IN ({schemas})"""
    ).fetchall()
    gone = [name for name, _ in rows if name not in known]
    kept = [sql for name, sql in rows if name in known and sql]
    return sorted(name for name in gone if not any(_read_by(name, sql) for sql in kept))


def declared(project: Project) -> dict[str, list[str]]:
    """Names that the project declares, by the schema of what is made from them."""
    return {
        "models": [*project.models],
        "entity_vars": [*project.sections],
        "funnels": [*project.funnels],
        "function_traits": [name for entity in project.entities for name in project.function_traits_of(entity)],
        "metrics": [*project.metrics],
        "predictions": [*project.predictions],
        "attribution": [*project.attribution],
        "profiles": [*project.entities],
        "audiences": [*project.audiences],
        "views": [*project.views],
    }


def _tables(schema: str, names: list[str]) -> list[str]:
    suffixes = OF_ENTITY if schema == "profiles" else SUFFIXES
    return [f"{schema}.{name}{suffix}" for name in names for suffix in suffixes]


def _read_by(name: str, sql: str) -> bool:
    schema, table = name.split(".")
    plain = sql.replace('"', "")
    return any(f"{schema}.{table}{end}" in plain for end in (" ", ")", ",", ";", "\n"))
