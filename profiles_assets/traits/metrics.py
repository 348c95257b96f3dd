"""Metrics: the distribution of each over people, and its daily series."""

import duckdb

from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection

DISTRIBUTIONS = "metrics.distributions"
COLUMNS = "metric VARCHAR, people BIGINT, percentiles DOUBLE[], edges DOUBLE[]"
BINS = 24
LOWEST, HIGHEST = 0.005, 0.995


def stage_distributions(con: Con, metrics: list[str], section_table: str, table: str) -> None:
    """Temporary table of the distribution of each metric over the people who have a value.

    `percentiles` are the values at 0, 1 … 100 %; `edges` the 25 edges of 24 equal bins from p0.5 to p99.5.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} ({COLUMNS})")
    places = ", ".join(f"{place / 100}" for place in range(101))
    for metric in metrics:
        con.execute(
            f"""INSERT INTO {table}
            WITH found AS (
                SELECT count(v) AS people, quantile_disc(v, [{places}]) AS percentiles,
                    quantile_disc(v, {LOWEST}) AS low, quantile_disc(v, {HIGHEST}) AS high
                FROM (SELECT {quote(metric)}::DOUBLE AS v FROM {section_table}))
            SELECT {literal(metric)}, people, percentiles,
                list_transform(range({BINS + 1}), lambda i: low + (high - low) * i / {BINS})
            FROM found WHERE people > 0"""
        )
