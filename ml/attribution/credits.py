"""Credits of conversions and their value, by model, channel and day."""

import duckdb

from ml.attribution.journeys import TOUCHES
from ml.attribution.markov import Path, learn_chain, removal_shares
from ml.attribution.rules import rules

Con = duckdb.DuckDBPyConnection

CREDITS = "attribution_credits"
ORDERS = (1, 2)
BY_CHANNEL = "PARTITION BY channel"
MODELS = (*rules([], 1.0), *(f"markov_{order}" for order in ORDERS))


def stage_credits(con: Con, direct: list[str], half_life: float) -> None:
    """Temporary table `attribution_credits` (model, channel, day, conversions, value) of the staged journeys.

    The day is that of the conversion. What a Markov chain credits to a channel is spread over its days as the
    linear model does. The credits of each model add up to the conversions, and to their value.
    """
    shares = rules(direct, half_life)
    columns = ", ".join(f"{sql} AS {name}" for name, sql in shares.items())
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE touch_shares AS
        SELECT journey, person, channel, day, conversions, value, {columns} FROM {TOUCHES} WHERE conversions > 0"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {CREDITS} AS
        SELECT model, channel, day, sum((share * conversions)::DECIMAL(38, 12))::DOUBLE AS conversions,
            sum((share * value)::DECIMAL(38, 12))::DOUBLE AS value
        FROM (UNPIVOT touch_shares ON {", ".join(shares)} INTO NAME model VALUE share) GROUP BY ALL"""
    )
    for order in ORDERS:
        _add_markov(con, order)


def staged_paths(con: Con) -> dict[Path, tuple[float, float]]:
    """Journeys that won and that failed by path; a journey with several conversions is one that won."""
    rows = con.execute(
        f"""SELECT path, count(*) FILTER (won), count(*) FILTER (NOT won) FROM (
            SELECT list(channel ORDER BY position) AS path, any_value(conversions) > 0 AS won
            FROM {TOUCHES} GROUP BY journey) GROUP BY path"""
    ).fetchall()
    return {tuple(path): (float(won), float(failed)) for path, won, failed in rows}


def _add_markov(con: Con, order: int) -> None:
    paths = staged_paths(con)
    if not any(won for won, _ in paths.values()):
        return
    channels = sorted({channel for path, (won, _) in paths.items() if won for channel in path})
    shares = removal_shares(learn_chain(paths, order), channels)
    con.execute(
        f"""INSERT INTO {CREDITS}
        WITH linear AS (
            SELECT *, {_total("conversions", "")} AS all_conversions, {_total("value", "")} AS all_value,
                {_total("conversions", BY_CHANNEL)} AS of_channel,
                {_total("value", BY_CHANNEL)} AS value_of_channel
            FROM {CREDITS} WHERE model = 'linear'),
        shares AS (SELECT unnest(?::VARCHAR[]) AS channel, unnest(?::DOUBLE[]) AS share)
        SELECT 'markov_{order}', channel, day, share * all_conversions * conversions / of_channel,
            share * all_value * coalesce(value / nullif(value_of_channel, 0), conversions / of_channel)
        FROM linear JOIN shares USING (channel)""",
        [list(shares), list(shares.values())],
    )


def _total(column: str, window: str) -> str:
    """Sum over a window that is the same in every order of rows."""
    return f"(sum({column}::DECIMAL(38, 12)) OVER ({window}))::DOUBLE"
