"""Columns of properties that a definition has begun to use, filled from the stored payloads."""

from collections.abc import Collection, Mapping, Sequence

import duckdb

from profiles_assets.events.derive import property_column, property_texts
from profiles_assets.events.stage import REPLACED
from profiles_assets.project.sources import Source
from resources import tables
from resources.tables import quote

Con = duckdb.DuckDBPyConnection


def lacking(con: Con, table: str | None, wanted: Mapping[str, str | None], pinned: Mapping[str, str]) -> list[str]:
    """Paths whose column the stored rows do not have, or have in another type."""
    if table is None:
        return []
    have = tables.columns(con, table)
    return [
        p for p, type_ in wanted.items() if property_column(p) not in have or (type_ or pinned.get(p)) != pinned.get(p)
    ]


def collect(con: Con, source: Source, table: str | None, paths: Sequence[str]) -> None:
    """Create `event_fill`: the stored rows that stay and have a value at one of the paths, as text."""
    columns = [quote(property_column(path)) for path in paths]
    if table is None or not paths:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE event_fill (day DATE, file VARCHAR, position BIGINT, payload VARCHAR)"
        )
        return
    stay = f"(SELECT day, file, position, payload, payload AS text FROM {table} WHERE file NOT IN {REPLACED})"
    texts = property_texts(source, paths, stay, keep="day, file, position, payload")
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE event_fill AS FROM ({texts}) WHERE coalesce({', '.join(columns)}) IS NOT NULL"
    )


def with_staged(paths: Collection[str], filled: Collection[str]) -> str:
    """SQL of the payload and these properties of all rows that are staged or to be filled."""
    columns = [quote(property_column(path)) for path in paths]
    fill = [c if path in filled else f"NULL AS {c}" for path, c in zip(paths, columns, strict=True)]
    staged = f"SELECT {', '.join(['payload', *columns])} FROM staged_events WHERE reason IS NULL"
    return f"({staged} UNION ALL SELECT {', '.join(['payload', *fill])} FROM event_fill)"
