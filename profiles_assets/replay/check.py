"""Builds the profiles of a project twice, at once and in two parts, and compares all that came out."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import mkdtemp

import pyarrow as pa

from profiles_assets.events import suppression
from profiles_assets.path import build
from profiles_assets.project.project import Project
from profiles_assets.replay.compare import Comparison, compare
from profiles_assets.replay.copies import Copies
from resources import progress
from resources.kept import KeptLake
from resources.lake import Lake
from resources.tables import exists

OnStep = Callable[[str], None]
INPUTS = ("identity.rules", *suppression.TABLES)
INPUT_STEPS = (suppression.STEP, "rules/")


@dataclass(frozen=True)
class Replay:
    """Result of a replay: the last load day of the first part, the number of load days, and the comparison."""

    cut: date
    days: int
    comparison: Comparison

    @property
    def equal(self) -> bool:
        """True when both ways came to the same."""
        return not self.comparison.differences


def replay(
    lake: Lake, project: Project, cut: date | None = None, share: float | None = None, on_step: OnStep = lambda _: None
) -> Replay:
    """Build two lakes beside the given one and compare them; both are removed afterwards.

    The first gets everything at once, the second the load days up to `cut` (by default half of them), then the rest;
    `share` takes only a share of the people. Raises ValueError where the cut leaves one part empty.
    """
    with _folder(lake) as folder:
        copies = Copies(project, folder, share)
        on_step("copying landing files")
        copies.make()
        with _lake(lake, folder / "at_once") as whole, _lake(lake, folder / "in_parts") as parts:
            build(whole, copies.replayed, None, lambda step: on_step(f"at once: {step}"))
            days = load_days(whole)
            cut = cut_of(days, cut)
            copies.cut(whole, cut)
            early = [day for day in days if day <= cut]
            build(parts, copies.replayed, early, lambda step: on_step(f"up to {cut}: {step}"))
            copies.restore()
            build(parts, copies.replayed, None, lambda step: on_step(f"the rest: {step}"))
            on_step("comparing")
            return Replay(cut, len(days), compare(whole, parts))


def load_days(lake: Lake) -> list[date]:
    """All load days with rows, oldest first."""
    with lake.get_connection() as con:
        rows = con.execute("SELECT DISTINCT partition FROM ops.progress WHERE step LIKE 'raw_events/%' ORDER BY 1")
        return [date.fromisoformat(row[0]) for row in rows.fetchall()]


def cut_of(days: list[date], asked: date | None) -> date:
    """Last load day of the first part: the one asked for, else half of all. Raises ValueError for an empty part."""
    if len(days) < 2:
        raise ValueError(f"there are {len(days)} load days with events; a replay in two parts needs at least two")
    if asked is None:
        return days[(len(days) - 1) // 2]
    if not days[0] <= asked < days[-1]:
        raise ValueError(f"the cut {asked} leaves one part empty; load days are {days[0]} to {days[-1]}")
    return asked


@contextmanager
def _folder(lake: Lake) -> Iterator[Path]:
    spill = Path(lake.root).resolve() / "spill"  # what a killed replay leaves there is cleaned up
    spill.mkdir(parents=True, exist_ok=True)
    folder = Path(mkdtemp(prefix="replay-", dir=spill))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _lake(lake: Lake, folder: Path) -> Iterator[KeptLake]:
    """An empty lake that knows the manual rules and the erasures of another one."""
    with KeptLake(root=str(folder), memory_limit=lake.memory_limit, threads=lake.threads) as made:
        if lake.exists():
            _copy_inputs(lake, made)
        yield made


def _copy_inputs(lake: Lake, made: KeptLake) -> None:
    with lake.get_connection() as con:
        found = {name: con.sql(f"FROM {name}").to_arrow_table() for name in INPUTS if exists(con, name)}
        steps = " OR ".join(f"starts_with(step, '{step}')" for step in INPUT_STEPS)
        notes = con.sql(f"FROM ops.progress WHERE {steps}").to_arrow_table()
    made.write(lambda con: _write_inputs(con, found, notes))


def _write_inputs(con: progress.Con, found: dict[str, pa.Table], notes: pa.Table) -> None:
    for name, rows in found.items():
        con.register("given_rows", rows)
        con.execute(f"CREATE TABLE {name} AS FROM given_rows")
        con.unregister("given_rows")
    con.register("given_rows", notes)
    con.execute("INSERT INTO ops.progress FROM given_rows")
    con.unregister("given_rows")
