"""Whether two lakes hold the same, up to the naming of profiles and to what tells of the runs themselves."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from profiles_assets.project.funnels import REPORT
from resources.lake import Lake
from resources.tables import columns, literal, quote

Con = duckdb.DuckDBPyConnection
OTHER = "other"
SHOWN = 5
RUNS = {
    "ops.progress", "ops.publications", "identity.identity_log", "identity.id_removed", "audiences.log", "ops.salt",
    "ops.outcomes", "ops.drift", "ops.artefacts",
}  # fmt: skip
MODELS = {"ops.models", "ops.backtests", "ops.training_rows", "ops.model_cards"}
VOLATILE = {"profile_key", "retired_id", "signature", "since", "written"}
KEYS = ("profile_id", "entity", "source", "day", "file", "position", "key", "tuple_key", "event_day")
PLAIN = {"BIGINT", "DOUBLE", "DATE", "TIMESTAMP", "BOOLEAN"}
GROUPS = ("component", "known")


@dataclass(frozen=True)
class Difference:
    """A table that is not the same in both; `rows` are the first that differ, with the columns that do.

    `texts` are those columns whose values may be personal.
    """

    table: str
    columns: Sequence[str]
    only_at_once: int
    only_in_parts: int
    names: Sequence[str] = ()
    texts: Sequence[str] = ()
    rows: Sequence[tuple[str, ...]] = ()


@dataclass(frozen=True)
class Comparison:
    """What was compared, what differs, and what was not compared and why."""

    tables: Sequence[str]
    differences: Sequence[Difference]
    left_out: dict[str, str]


def compare(lake: Lake, other: Lake) -> Comparison:
    """Compare every table of two lakes, each with its catalogue in its own folder."""
    with lake.get_connection() as con:
        file = Path(other.root).resolve() / "catalog.sqlite"
        con.execute(f"ATTACH 'ducklake:sqlite:{file}' AS {OTHER} (READ_ONLY)")
        try:
            _name_profiles(con)
            left_out = _left_out(con)
            every = sorted({*_tables(con, "lake"), *_tables(con, OTHER)})
            tables = [table for table in every if table not in left_out and not _of_runs(table)]
            return Comparison(tables, [d for table in tables for d in _differences(con, table)], left_out)
        finally:
            con.execute(f"DETACH {OTHER}")


def _of_runs(table: str) -> bool:
    """Whether a table tells of the runs themselves: when they were, and what was said then."""
    return table in RUNS or table.endswith("__published")


def _tables(con: Con, database: str) -> list[str]:
    rows = con.execute(
        "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = ?", [database]
    )
    return [row[0] for row in rows.fetchall()]


def _name_profiles(con: Con) -> None:
    """Name each profile after its smallest id, in both lakes, whatever its profile id is."""
    for database in ("lake", OTHER):
        con.execute(
            f"""CREATE OR REPLACE TEMP TABLE {_names(database)} AS
            SELECT profile_id, min(key)::VARCHAR AS name
            FROM {database}.identity.stitched_ids WHERE profile_id IS NOT NULL GROUP BY profile_id"""
        )


def _left_out(con: Con) -> dict[str, str]:
    """Tables that follow from models, where the two lakes have models of different days."""
    if not all("ops.models" in _tables(con, database) for database in ("lake", OTHER)):
        return {}
    current = "SELECT prediction, as_of, rows, definition FROM {}.ops.models WHERE current"
    moved = con.execute(f"{current.format('lake')} EXCEPT {current.format(OTHER)}").fetchall()
    follow = [*MODELS, *(table for table in _tables(con, "lake") if table.startswith(("predictions.", "audiences.")))]
    days = ", ".join(f"{row[0]} as of {row[1]}" for row in moved)
    return (
        dict.fromkeys(follow, f"trained on other days; at once: {days}") if moved else dict.fromkeys(MODELS, "of runs")
    )


def _differences(con: Con, table: str) -> Iterator[Difference]:
    sides = [columns(con, f"{database}.{table}") for database in ("lake", OTHER)]
    if sides[0] != sides[1] and dict(sorted(sides[0].items())) != dict(sorted(sides[1].items())):
        told = [f"{name} {type_}" for name, type_ in sorted({*sides[0].items()} ^ {*sides[1].items()})]
        only = [len({*a} - {*b}) for a, b in (sides, sides[::-1])]
        yield Difference(table, told, only[0], only[1])
        return
    names = [name for name in sides[0] if name not in VOLATILE]
    for database in ("lake", OTHER):
        con.execute(f"CREATE OR REPLACE TEMP VIEW {_side(database)} AS {_select(table, names, database)}")
    counts = [_count(con, f"FROM {_side(a)} EXCEPT ALL FROM {_side(b)}") for a, b in (("lake", OTHER), (OTHER, "lake"))]
    if any(counts):
        yield _told(con, table, {name: sides[0][name] for name in names}, counts)


def _told(con: Con, table: str, names: dict[str, str], counts: Sequence[int]) -> Difference:
    differing = [name for name in names if _differs(con, name)]
    shown = [*(name for name in KEYS if name in names and name not in differing), *(differing or names)]
    listed = ", ".join(f"{quote(name)}::VARCHAR" for name in shown)
    halves = [
        con.execute(
            f"""SELECT {literal(side)}, {listed} FROM (FROM {_side(a)} EXCEPT ALL FROM {_side(b)})
            ORDER BY ALL LIMIT {SHOWN}"""
        ).fetchall()
        for side, a, b in (("at once", "lake", OTHER), ("in parts", OTHER, "lake"))
    ]
    texts = [name for name in shown if names[name] not in PLAIN and name not in KEYS]
    return Difference(table, differing, counts[0], counts[1], ["built", *shown], texts, [*halves[0], *halves[1]])


def _differs(con: Con, name: str) -> bool:
    one, two = (f"SELECT {quote(name)}::VARCHAR FROM {_side(database)}" for database in ("lake", OTHER))
    return bool(_count(con, f"{one} EXCEPT ALL {two}"))


def _select(table: str, names: Sequence[str], database: str) -> str:
    told = ", ".join(_column(table, name) for name in names)
    join = f" LEFT JOIN {_names(database)} AS n USING (profile_id)" if "profile_id" in names else ""
    newest = f" WHERE as_of = (SELECT max(as_of) FROM {database}.{table})" if table.endswith(REPORT) else ""
    return f"SELECT {told} FROM {database}.{table} AS t{join}{newest}"


def _column(table: str, name: str) -> str:
    if name == "profile_id":
        return "coalesce(n.name, profile_id) AS profile_id"
    if table == "identity.stitched_ids" and name in GROUPS:
        return f"CASE WHEN {name} IS NOT NULL THEN min(key) OVER (PARTITION BY entity, {name}) END AS {name}"
    return f"t.{quote(name)}"


def _names(database: str) -> str:
    return f"temp.main.profiles_of_{database}"


def _side(database: str) -> str:
    return f"temp.main.side_of_{database}"


def _count(con: Con, query: str) -> int:
    row = con.execute(f"SELECT count(*) FROM ({query})").fetchone()
    return int(row[0]) if row else 0
