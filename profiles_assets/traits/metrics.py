"""Metrics: the distribution of each over people, and its histogram."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

from profiles_assets.project.project import Project
from resources.tables import exists, quote

if TYPE_CHECKING:
    import duckdb

Con: TypeAlias = "duckdb.DuckDBPyConnection"
Bin = tuple[float | None, float | None, int]

DISTRIBUTIONS = "metrics.distributions"
COLUMNS = "metric VARCHAR, people BIGINT, percentiles DOUBLE[], edges DOUBLE[]"
BINS = 24
LOWEST, HIGHEST = 0.005, 0.995


def section_of(project: Project, metric: str) -> str:
    """Name of the section whose table keeps a metric per person."""
    sections = project.sections_of(project.metrics[metric].entity)
    return next(name for name, section in sections.items() if metric in section.traits)


def values_table(project: Project, metric: str) -> str:
    """Table with the value of a metric per person, in a column of its name."""
    return f"entity_vars.{quote(section_of(project, metric))}"


def stage_distributions(con: Con, metrics: Sequence[str], section_table: str, table: str) -> None:
    """Temporary table of the distribution of each metric over the people who have a value.

    `percentiles` are the values at 0, 1 … 100 %; `edges` the 25 edges of 24 equal bins from p0.5 to p99.5. Where
    these are one value, the bins reach from the smallest value to the largest, and are 1 wide in all where that
    is one value too.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({COLUMNS})")
    if not metrics:
        return
    places = ", ".join(f"{place / 100}" for place in range(101))
    con.execute(
        f"""INSERT INTO {table}
        WITH found AS (
            SELECT metric, count(*) AS people, quantile_disc(v, [{places}]) AS percentiles,
                quantile_disc(v, {LOWEST}) AS p_low, quantile_disc(v, {HIGHEST}) AS p_high
            FROM ({_long(metrics, section_table)}) WHERE isfinite(v) GROUP BY metric),
        middle AS (
            SELECT *, CASE WHEN p_low < p_high THEN p_low ELSE percentiles[1] END AS low,
                CASE WHEN p_low < p_high THEN p_high ELSE percentiles[101] END AS high FROM found),
        ends AS (SELECT * REPLACE (CASE WHEN low < high THEN high ELSE low + 1 END AS high) FROM middle)
        SELECT metric, people, percentiles, list_sort(list_transform(range({BINS + 1}), lambda i:
            greatest(low, least(high, low * (({BINS} - i) / {BINS}) + high * (i / {BINS})))))
        FROM ends"""
    )


def _long(metrics: Sequence[str], section_table: str) -> str:
    """SELECT of one row (metric, v) per person and metric."""
    values = ", ".join(f"try_cast({quote(metric)} AS DOUBLE) AS {quote(metric)}" for metric in metrics)
    names = ", ".join(quote(metric) for metric in metrics)
    return f"SELECT * FROM (SELECT {values} FROM {section_table}) UNPIVOT (v FOR metric IN ({names}))"


def histogram(con: Con, name: str, section_table: str, distributions: str = DISTRIBUTIONS) -> list[Bin]:
    """Bins (from, up to but without, people) of a metric by its frozen edges; the outer two are open.

    Empty while nobody has a value.
    """
    row = con.execute(f"SELECT edges FROM {distributions} WHERE metric = ?", [name]).fetchone()
    if row is None or not exists(con, section_table):
        return []
    edges = row[0]
    counts = dict(
        con.execute(
            f"SELECT len(list_filter(?::DOUBLE[], lambda e: e <= v)) AS bin, count(*) FROM "
            f"({_long([name], section_table)}) WHERE isfinite(v) GROUP BY bin",
            [edges],
        ).fetchall()
    )
    ends = zip([None, *edges], [*edges, None], strict=True)
    return [(low, high, counts.get(index, 0)) for index, (low, high) in enumerate(ends)]


def percentiles(con: Con, name: str, distributions: str = DISTRIBUTIONS) -> list[float]:
    """Values of a metric at 0, 1 … 100 % of the people who have one; empty while nobody has."""
    row = con.execute(f"SELECT percentiles FROM {distributions} WHERE metric = ?", [name]).fetchone()
    return list(row[0]) if row else []
