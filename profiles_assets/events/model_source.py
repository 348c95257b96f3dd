"""Sources made from models: the rows of each load day as a Parquet file in the lake's folder, loaded like any other.

A model of that kind works row by row, so a row belongs to the greatest load day of the events it is made from, and
the rows of a day never change when later days arrive.
"""

import filecmp
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import duckdb
from filelock import FileLock
from sqlglot import TokenType

from profiles_assets.events import notes
from profiles_assets.events.readable import stage_model
from profiles_assets.events.relations import Edit, bound_edits, day_in, edited, source_relation, tokens
from profiles_assets.project.model_columns import Reading, TableUse
from profiles_assets.project.model_days import Dated, dated_selects
from profiles_assets.project.model_scopes import read_columns
from profiles_assets.project.project import Project
from resources import progress, tables
from resources.lake import Lake, transaction
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection
LOAD_DAY = quote("__load_day")
ALWAYS = "DATE '9999-12-31'"
ROWS = "model_rows"
NOTE = "made.json"


def inputs_of(project: Project, source_name: str) -> list[str]:
    """Sources that the model of a source reads; none for a source of files."""
    model = project.models.get(project.sources[source_name].model or "")
    if model is None:
        return []
    return sorted({use.name for use in read_columns(project, model).tables if use.kind == "source"})


def refresh_model_source(lake: Lake, project: Project, source_name: str) -> list[str]:
    """Write the files of the load days whose rows have changed, and remove those without rows; returns these days.

    Where the model joins no sources only days are computed of which an input has changed.
    """
    folder = Path(lake.root) / "models" / source_name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "lock", timeout=600), lake.get_connection() as con, transaction(con):
        refresh = Refresh(con, project, source_name, folder)
        days = refresh.days()
        if days is not None and not days:
            return []
        changed = refresh.write(days)
        _replace(folder / NOTE, json.dumps(refresh.note, sort_keys=True, indent=1).encode())
    return changed


@dataclass(frozen=True)
class Refresh:
    """One look at the inputs of a source's model, and the files made from them."""

    con: Con
    project: Project
    source_name: str
    folder: Path

    @cached_property
    def reading(self) -> Reading:
        """What the model reads."""
        return read_columns(self.project, self.project.models[str(self.project.sources[self.source_name].model)])

    @cached_property
    def have(self) -> dict[str, dict[str, str]]:
        """Columns of the tables of the sources it reads."""
        names = {use.name for use in self.reading.tables}
        return {name: tables.columns(self.con, notes.table_of(name)) for name in sorted(names)}

    @cached_property
    def note(self) -> dict[str, Any]:
        """What the files are made from: the compiled text with the types in it, and the versions of all inputs."""
        types = [self.have[use.name].get(f"p_{path}") for use in self.reading.tables for path in use.paths]
        inputs = {name: progress.applied(self.con, notes.rows_step(name)) for name in self.have}
        return {"definition": notes.hash_of([self.compile("true"), types]), "inputs": inputs}

    def days(self) -> list[str] | None:
        """Load days to compute; None for all of them."""
        made = _read_note(self.folder / NOTE)
        if made.get("definition") != self.note["definition"]:
            return None
        changed = {
            day for name, now in self.note["inputs"].items() for day in _moved(made["inputs"].get(name, {}), now)
        }
        joins = any(len(dated.aliases) > 1 for dated in self._dated)
        return None if changed and joins else sorted(changed)

    def write(self, days: list[str] | None) -> list[str]:
        """Compute the rows of some load days, or all, and bring their files in line; returns the days that changed."""
        sql = self.compile("true" if days is None else day_in(days))
        stage_model(self.con, self.reading.model.file, sql, ROWS)
        found = self.con.execute(f"SELECT DISTINCT {LOAD_DAY}::VARCHAR FROM {ROWS} ORDER BY 1").fetchall()
        present = [row[0] for row in found]
        kept = {path.parent.name for path in self.folder.glob("*/rows.parquet")}
        gone = [day for day in sorted(kept if days is None else kept & {*days}) if day not in present]
        changed = [day for day in present if self._write_day(day)]
        for day in gone:
            (self.folder / day / "rows.parquet").unlink(missing_ok=True)
        return sorted([*changed, *gone])

    def compile(self, where: str) -> str:
        """SELECT of the model's rows with their load day, from events for which a condition on `e` holds."""
        base = bound_edits(self.reading, lambda use: self._relation(use, where), ALWAYS)
        return edited(self.reading.model.sql, [*base, *(self._day_edit(dated) for dated in self._dated)])

    @cached_property
    def _dated(self) -> list[Dated]:
        tree = self.reading.model.tree
        return dated_selects(tree) if tree is not None else []

    def _relation(self, use: TableUse, where: str) -> str:
        have = self.have[use.name]
        day = f"{'e.day' if have else 'NULL::DATE'} AS {LOAD_DAY}"
        return source_relation(self.project, use.name, have, use.paths, ALWAYS, where=where, more=[day])

    def _day_edit(self, dated: Dated) -> Edit:
        parts = [f"{quote(alias)}.{LOAD_DAY}" if alias else LOAD_DAY for alias in dated.aliases]
        day = parts[0] if len(parts) == 1 else f"greatest({', '.join(parts)})"
        starts = [n.meta["start"] for p in dated.select.expressions for n in p.walk() if "start" in n.meta]
        first = min(starts)
        selects = [t for t in tokens(self.reading.model.sql) if t.token_type == TokenType.SELECT and t.end < first]
        return Edit(selects[-1].end + 1, selects[-1].end + 1, f" {day} AS {LOAD_DAY},")

    def _write_day(self, day: str) -> bool:
        """Write the rows of a day, sorted; False when the file has them already."""
        file = self.folder / day / "rows.parquet"
        file.parent.mkdir(exist_ok=True)
        fresh = file.with_name("fresh.parquet")
        self.con.execute(
            f"COPY (SELECT * EXCLUDE ({LOAD_DAY}) FROM {ROWS} WHERE {LOAD_DAY} = DATE {literal(day)} ORDER BY ALL) "
            f"TO {literal(str(fresh))} (FORMAT parquet)"
        )
        if file.exists() and filecmp.cmp(file, fresh, shallow=False):
            fresh.unlink()
            return False
        fresh.replace(file)
        return True


def _moved(before: Mapping[str, str], now: Mapping[str, str]) -> Iterable[str]:
    changed, gone = progress.pending(now, before)
    return [*changed, *gone]


def _read_note(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _replace(file: Path, content: bytes) -> None:
    fresh = file.with_suffix(".fresh")
    fresh.write_bytes(content)
    fresh.replace(file)
