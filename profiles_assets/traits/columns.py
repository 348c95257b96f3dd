"""Where the properties of events stand in the lake, and under which name a scan carries them."""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from profiles_assets.project.project import Project
from resources.tables import columns, literal, quote

BUILTIN = {
    "time": ("time", "TIMESTAMP"),
    "received": ("received", "TIMESTAMP"),
    "event": ("event", "VARCHAR"),
    "event_id": ("event_id", "VARCHAR"),
    "day": ("event_day", "DATE"),
}
ROW = ("event", "time", "received", "event_day", "event_id", "file", "position")


@dataclass(frozen=True)
class Value:
    """A SQL expression and the type it has."""

    sql: str
    type: str


@dataclass(frozen=True)
class EventColumns:
    """Columns of the raw event tables, by source; sources that were never loaded have none."""

    project: Project
    tables: dict[str, dict[str, str]]

    def value(self, event: str, path: str) -> Value:
        """The property of an event in a scan made by `scan`; several sources agree on one type."""
        if path in BUILTIN:
            return Value(*BUILTIN[path])
        found = [(s, self.tables[s].get(f"p_{path}")) for s in self.sources(event)]
        have = [(carried(source, path), type_) for source, type_ in found if type_]
        if not have:
            return Value("NULL::VARCHAR", "VARCHAR")
        types = {type_ for _, type_ in have}
        common = types.pop() if len(types) == 1 else "VARCHAR"
        parts = [name if len(have) == 1 else f"{name}::{common}" for name, _ in have]
        return Value(parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})", common)

    def sources(self, event: str) -> list[str]:
        """Loaded sources that may have this event."""
        return [name for name in self.project.sources_of_event(event) if self.tables.get(name)]

    def scan(self, source: str, events: Iterable[str], paths: Iterable[str], join: str, where: str) -> str:
        """SELECT of one source's visible events with their person; reads only the columns named."""
        have = self.tables[source]
        wanted = [f"e.{quote(f'p_{p}')} AS {carried(source, p)}" for p in sorted(set(paths)) if f"p_{p}" in have]
        names = ", ".join(literal(event) for event in sorted(set(events)))
        return (
            f"SELECT a.profile_key, {', '.join([*(f'e.{c}' for c in ROW), *wanted])}\n"
            f"FROM raw_events.{quote(source)} e JOIN {join}\n"
            f"WHERE NOT e.duplicate AND {where} AND e.event IN ({names})"
        )


def carried(source: str, path: str) -> str:
    """Name of a source's property in a scan."""
    return quote(f"{source}:{path}")


def event_columns(con: duckdb.DuckDBPyConnection, project: Project) -> EventColumns:
    """Read which columns the raw event tables have now."""
    return EventColumns(project, {s: columns(con, f"raw_events.{quote(s)}") for s in project.sources})
