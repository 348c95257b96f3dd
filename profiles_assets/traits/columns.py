"""Where the properties of events stand in the lake, and under which name a scan carries them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from profiles_assets.events.columns import SQL_TYPES
from profiles_assets.events.visible import counts_sql
from profiles_assets.project.expressions import names_in, number_paths, parse_expression, property_path
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Column
from resources.tables import columns, literal, quote

if TYPE_CHECKING:
    import duckdb

BUILTIN = {
    "time": ("time", "TIMESTAMP"),
    "received": ("received", "TIMESTAMP"),
    "event": ("event", "VARCHAR"),
    "event_id": ("event_id", "VARCHAR"),
    "day": ("event_day", "DATE"),
}
ROW = ("event", "time", "received", "event_day", "event_id", "file", "position")
PAYLOAD = "payload"
NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "FLOAT", "DOUBLE", "DECIMAL")
MOMENT = "moment"
ORDER = ("time", "event_id", "file", "position")
MOMENT_SQL = f"create_sort_key({', '.join(f'''{name}, 'ASC NULLS LAST' ''' for name in ORDER)})"


@dataclass(frozen=True)
class Value:
    """A SQL expression and the type it has; the type is empty where only the data tells."""

    sql: str
    type: str


NOTHING = Value("NULL::VARCHAR", "VARCHAR")
NO_NUMBER = "NULL::DOUBLE"


@dataclass(frozen=True)
class Visible:
    """Events that have arrived and happened by a day (a SQL date), where `days` is given in the last so many days."""

    as_of: str
    days: int | None = None


@dataclass(frozen=True)
class Wanted:
    """Events of a source by name, the properties of them that are read, and the column that tells whose they are."""

    source: str
    events: Iterable[str]
    paths: Iterable[str]
    person: str = "a.profile_key"


@dataclass(frozen=True)
class EventColumns:
    """Columns of the raw event tables, by source; sources that were never loaded have none."""

    project: Project
    tables: dict[str, dict[str, str]]

    def value(self, event: str, path: str) -> Value:
        """The property of an event in a scan made by `scan`; several sources agree on one type."""
        if path in BUILTIN:
            return Value(*BUILTIN[path])
        have = [(carried(s, path), type_) for s in self.sources(event) if (type_ := self._type(s, path))]
        if not have:
            return NOTHING
        common = common_type({type_ for _, type_ in have})
        parts = [name if type_ == common else f"{name}::{common}" for name, type_ in have]
        return Value(parts[0] if len(parts) == 1 else f"coalesce({', '.join(parts)})", common)

    def sources(self, event: str) -> list[str]:
        """Loaded sources that may have this event."""
        return [name for name in self.project.sources_of_event(event) if self.tables.get(name)]

    def scan(self, source: str, events: Iterable[str], paths: Iterable[str], join: str, seen: Visible) -> str:
        """SELECT of one source's visible events with their person. What nobody reads, the engine leaves out."""
        window = f" AND e.event_day > {seen.as_of} - {seen.days}" if seen.days else ""
        where = f"{counts_sql(self.project.sources[source], seen.as_of, 'e')}{window}"
        return self.select(Wanted(source, events, paths), f"raw_events.{quote(source)} e JOIN {join}", where)

    def select(self, wanted: Wanted, rows: str, where: str, more: tuple[str, ...] = ()) -> str:
        """SELECT of events in a relation like the table of a source, under the alias `e`, with whose they are."""
        source = wanted.source
        row = [*(f"e.{c}" for c in ROW), *([f"e.{PAYLOAD}"] if PAYLOAD in self.tables[source] else []), *more]
        paths = [path for path in sorted(set(wanted.paths) - BUILTIN.keys()) if self._type(source, path)]
        properties = [f"{self._read(source, path)} AS {carried(source, path)}" for path in paths]
        names = ", ".join(literal(event) for event in sorted(set(wanted.events)))
        return (
            f"SELECT {', '.join([wanted.person, *row, *properties])}\n"
            f"FROM {rows}\nWHERE {where} AND e.event IN ({names})"
        )

    def _computed(self, source: str, path: str) -> Column | None:
        return self.project.sources[source].columns.get(path)

    def _type(self, source: str, path: str) -> str | None:
        column = self._computed(source, path)
        return SQL_TYPES[column.type] if column else self.tables[source].get(f"p_{path}")

    def _read(self, source: str, path: str) -> str:
        column = self._computed(source, path)
        if column is None:
            return finite(f"e.{quote(f'p_{path}')}", self.tables[source][f"p_{path}"])

        numbers = number_paths(column.sql)

        def lookup(inner: str) -> str:
            if inner in BUILTIN:
                return f"e.{BUILTIN[inner][0]}"
            if self._type(source, inner):
                return self._read(source, inner)
            return NO_NUMBER if inner in numbers else NOTHING.sql

        found = f"try_cast(TRY({bound(column.sql, lookup)}) AS {SQL_TYPES[column.type]})"
        return finite(found, SQL_TYPES[column.type])


def bound(sql: str, lookup: Callable[[str], str]) -> str:
    """A user's expression with its properties replaced by SQL."""
    tree = parse_expression(sql)
    assert tree is not None
    root = exp.Paren(this=tree.copy())
    bind(root, lookup)
    return root.sql(dialect="duckdb")


def bind(root: exp.Expr, lookup: Callable[[str], str]) -> None:
    """Replace the properties below a node, and `as_of`, by SQL."""
    for column in list(names_in(root)):
        column.replace(sqlglot.parse_one(lookup(property_path(column)), dialect="duckdb"))


def finite(sql: str, type_: str) -> str:
    """An expression of a type without NaN and infinities, which are no values."""
    return f"CASE WHEN isfinite({sql}) THEN {sql} END" if type_ in ("DOUBLE", "TIMESTAMP", "DATE") else sql


def common_type(types: set[str]) -> str:
    """One type for values of several: numbers stay numbers."""
    if len(types) == 1:
        return next(iter(types))
    return "DOUBLE" if all(type_.startswith(NUMERIC) for type_ in types) else "VARCHAR"


def carried(source: str, path: str) -> str:
    """Name of a source's property in a scan."""
    return quote(f"{source}:{path}")


def event_columns(con: "duckdb.DuckDBPyConnection", project: Project) -> EventColumns:
    """Read which columns the raw event tables have now."""
    return EventColumns(project, {s: columns(con, f"raw_events.{quote(s)}") for s in project.sources})
