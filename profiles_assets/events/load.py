"""From landing files to the rows of a source in the lake, in one transaction."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb

from profiles_assets.events import apply, backfill, dedupe, notes, summary, table_source, versions
from profiles_assets.events.columns import used_paths, wanted_types
from profiles_assets.events.infer import inferred_types
from profiles_assets.events.model_source import refresh_model_source
from profiles_assets.events.normalised import stage_normalised
from profiles_assets.events.normalisers import register_normalisers
from profiles_assets.events.plan import Plan, make_plan
from profiles_assets.events.read import Reading
from profiles_assets.events.reconcile import newest_day, reconcile
from profiles_assets.events.report import LoadReport
from profiles_assets.events.stage import Staging
from profiles_assets.events.suppress import suppress
from profiles_assets.events.suppression import STEP
from profiles_assets.project.project import Project
from resources import tables
from resources.lake import Lake

Con = duckdb.DuckDBPyConnection
__all__ = ["LoadReport", "load_events", "newest_day", "reconcile"]
OnProgress = Callable[[str, int, int], None]


def load_events(
    lake: Lake,
    project: Project,
    source_name: str,
    days: Sequence[date] | None = None,
    *,
    allow_shrink: bool = False,
    on_progress: OnProgress | None = None,
) -> LoadReport:
    """Apply all new and changed landing files of a source, in one transaction.

    `days` leaves out files whose path tells another load day; `allow_shrink` also drops the rows of files
    that are gone; `on_progress` gets a file's path, the bytes done and the bytes in all.
    """
    if project.sources[source_name].table:
        return _load_table(lake, project, source_name, on_progress or _silent)
    if project.sources[source_name].model:
        refresh_model_source(lake, project, source_name)
        days, allow_shrink = None, True
    load = Load(project, source_name, days, allow_shrink, lake, on_progress or _silent)
    return lake.step(load.compute, apply.write, reads=_reads(source_name)).report


def _load_table(lake: Lake, project: Project, source_name: str, on_progress: OnProgress) -> LoadReport:
    """Apply the rows of a table that are new, and note in the same transaction how far it was read."""
    load = Load(project, source_name, None, False, lake, on_progress)

    def compute(con: Con) -> tuple[table_source.Extract, apply.Outcome]:
        return table_source.read_new_rows(con, project, source_name, lake.root), load.compute(con)

    def write(con: Con, found: tuple[table_source.Extract, apply.Outcome]) -> None:
        apply.write(con, found[1])
        table_source.write_state(con, source_name, found[0])

    with table_source.only_reader(lake.root, source_name):
        reads = [*_reads(source_name), table_source.step_name(source_name)]
        return lake.step(compute, write, reads)[1].report


def _reads(source_name: str) -> list[str]:
    return [notes.rows_step(source_name), notes.files_step(source_name), STEP]


@dataclass(frozen=True)
class Load:
    """One load of one source: computes, in temporary tables, all that `apply.write` then writes."""

    project: Project
    source_name: str
    days: Collection[date] | None
    allow_shrink: bool
    lake: Lake
    on_progress: OnProgress

    def compute(self, con: Con) -> apply.Outcome:
        """Stage the rows of changed files and work out what changes in the lake."""
        plan = make_plan(con, self.project, self.source_name, self.days, self.allow_shrink, lake_root=self.lake.root)
        source, table = self.project.sources[self.source_name], notes.table_of(self.source_name)
        pinned = notes.pinned_types(con, self.source_name)
        wanted = wanted_types(source, used_paths(self.project, self.source_name), pinned)
        stored = table if tables.exists(con, table) else None
        lacking = backfill.lacking(con, stored, wanted, pinned)
        if stored and plan.idle and not lacking:
            return apply.Outcome(self.source_name, LoadReport(self.source_name))
        register_normalisers(con, self.project)
        staging = self._stage(con, plan, list(wanted))
        backfill.collect(con, source, stored, lacking)
        types = self._types(staging, wanted, lacking)
        old_days = summary.stored_days(con, stored)
        changed = {*old_days, *summary.staged_days(con)}
        dedupe.find_repeats(con, source, stored, changed)
        if source.kind == "records":
            versions.find_superseded(con, stored, old_days)
        apply.create_view(con, self.project, source, {p: t or "VARCHAR" for p, t in types.items()})
        stage_normalised(con, source)
        return summary.outcome(staging, plan, types=types, lacking=lacking, old_days=old_days, changed=changed)

    def _stage(self, con: Con, plan: Plan, paths: list[str]) -> Staging:
        staging = Staging(con, self.project, self.source_name, paths)
        staging.list_files(plan.numbered)
        _use_threads(con, self.lake.threads_for(sum(reading.file.bytes for reading in plan.readings)))
        staging.read(plan.readings, f"{self.lake.root}/spill", _meter(plan.readings, self.on_progress))
        numbers = plan.numbers
        again = [numbers[path] for path in plan.derived_again()]
        staging.derive_again(again)
        staging.mark_replaced([numbers[path] for path in plan.replaced()])
        suppress(staging)
        return staging

    def _types(self, staging: Staging, wanted: dict[str, str | None], lacking: list[str]) -> dict[str, str | None]:
        unknown = [path for path, type_ in wanted.items() if type_ is None]
        rows = backfill.with_staged(unknown, lacking)
        return wanted | dict(inferred_types(staging.con, staging.source, unknown, rows))


def _use_threads(con: Con, needed: int) -> None:
    """Let the engine use at least so many threads."""
    con.execute(f"SET threads = greatest({needed}, current_setting('threads')::INT)")


def _meter(readings: Sequence[Reading], on_progress: OnProgress) -> Callable[[Reading], None]:
    total, done = sum(reading.file.bytes for reading in readings), 0

    def on_file(reading: Reading) -> None:
        nonlocal done
        done += reading.file.bytes
        on_progress(reading.file.path, done, total)

    return on_file


def _silent(_path: str, _done: int, _total: int) -> None:
    pass
