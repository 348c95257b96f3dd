"""Fill the metric tables: the daily series of each, and its distribution over people, frozen with the run."""

import hashlib
from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.events.load import newest_day
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.project import Project
from profiles_assets.traits.evaluate import upstream
from profiles_assets.traits.metrics import DISTRIBUTIONS, section_of, stage_distributions, values_table
from profiles_assets.traits.series import series_table, stage_series
from resources import progress
from resources.lake import Lake
from resources.tables import Change, Merge, columns, exists, literal, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class MetricReport:
    """What filling a metric changed: its days, and the people who have a value, as of a day."""

    as_of: date | None
    days: int = 0
    people: int = 0
    change: Change = field(default_factory=Change)


@dataclass(frozen=True)
class Staged:
    """Changes of a metric in temporary tables, ready to be written."""

    report: MetricReport
    version: str = ""
    merges: tuple[Merge, ...] = ()


def update_metric(lake: Lake, project: Project, name: str) -> MetricReport:
    """Bring the daily series and the distribution of a metric to the newest load day; only changed days are written."""
    staged = lake.step(
        lambda con: compute_metric(con, project, name),
        lambda con, staged: write_metric(con, name, staged),
        [*inputs(project, name), step_name(name)],
    )
    return staged.report


def compute_metric(con: Con, project: Project, name: str) -> Staged:
    """Stage the series and the distribution, unless everything they are made from is that of the last time."""
    as_of = newest_day(con, project)
    version = metric_version(con, project, name, as_of)
    if as_of is None or progress.applied(con, step_name(name)).get("all") == version:
        return Staged(_report(con, as_of, series_table(name), _distribution(name)))
    create_attribution(con, project, project.metrics[name].entity)
    stage_series(con, project, name, as_of, "staged_series")
    stage_distribution(con, project, name, "staged_distribution")
    series = stage_merge(con, series_table(name), "staged_series", ["day"])
    places = stage_merge(con, DISTRIBUTIONS, "staged_distribution", ["metric"], f"metric = {literal(name)}")
    report = _report(con, as_of, "staged_series", "staged_distribution", series.change)
    return Staged(report, version, (series, places))


def write_metric(con: Con, name: str, staged: Staged) -> None:
    """Write what was staged and note it, in the caller's transaction."""
    for merge in staged.merges:
        write_merge(con, merge)
    if staged.merges:
        progress.record(con, step_name(name), {"all": staged.version})


def step_name(name: str) -> str:
    """Step of a metric in the notes of progress."""
    return f"metrics/{name}"


def inputs(project: Project, name: str) -> list[str]:
    """Steps whose notes decide what a metric is."""
    return [*upstream(project, project.metrics[name].entity), f"entity_vars/{section_of(project, name)}"]


def metric_version(con: Con, project: Project, name: str, as_of: date | None) -> str:
    """Hash of everything the series and the distribution of a metric are made from."""
    definition = project.metrics[name].spec.model_dump_json()
    parts = (progress.fingerprint(con, inputs(project, name)), definition, as_of)
    return hashlib.md5("|".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def stage_distribution(con: Con, project: Project, name: str, table: str) -> None:
    """Temporary table with the distribution of a metric; empty while its section has not been filled."""
    values = values_table(project, name)
    stage_distributions(con, [name] if name in columns(con, values) else [], values, table)


def _distribution(name: str) -> str:
    return f"(FROM {DISTRIBUTIONS} WHERE metric = {literal(name)})"


def _report(con: Con, as_of: date | None, series: str, distribution: str, change: Change | None = None) -> MetricReport:
    days = _number(con, f"SELECT count(*) FROM {series}") if exists(con, series) else 0
    people = _number(con, f"SELECT coalesce(sum(people), 0) FROM {distribution}")
    return MetricReport(as_of, days, people, change or Change())


def _number(con: Con, query: str) -> int:
    row = con.execute(query).fetchone()
    assert row is not None
    return int(row[0])
