"""Credits of conversions and their value, by model, channel and day, beside what channels cost."""

from collections.abc import Iterable

import duckdb

from ml.attribution.journeys import NONE, TOUCHES
from ml.attribution.markov import Step, chain_of, removal_shares
from ml.attribution.rules import rules

Con = duckdb.DuckDBPyConnection

CREDITS, PEOPLE, FLOWS = "attribution_credits", "attribution_people", "attribution_flows"
STEPS = 4
ORDERS = (1, 2)
BY_CHANNEL = "PARTITION BY channel"
MODELS = (*rules([], 1.0), *(f"markov_{order}" for order in ORDERS))


def stage_credits(con: Con, direct: list[str], half_life: float) -> None:
    """Temporary table `attribution_credits` (model, channel, day, conversions, value) of the staged journeys.

    The day is that of the conversion. What a Markov chain credits to a channel is spread over its days as the
    linear model does. Conversions without a touch are those of the channel `none` in every model. The credits of
    each model add up to the conversions, and to their value.
    """
    shares = rules(direct, half_life)
    columns = ", ".join(f"{sql} AS {name}" for name, sql in shares.items())
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE touch_shares AS
        SELECT journey, person, channel, day, conversions, value, {columns} FROM {TOUCHES} WHERE conversions > 0"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE channel_days AS
        SELECT channel, day, {", ".join(_credited(model) for model in shares)} FROM touch_shares GROUP BY ALL"""
    )
    models = [f"SELECT '{m}' AS model, channel, day, unnest({m}) FROM channel_days" for m in shares]
    con.execute(f"CREATE OR REPLACE TEMP TABLE {CREDITS} AS {' UNION ALL '.join(models)}")
    steps = staged_steps(con)
    for order in ORDERS:
        _add_markov(con, order, steps)


def _credited(model: str) -> str:
    """Conversions and value that a model credits, as a struct of that name."""
    exact = {name: f"sum(({model} * {name})::DECIMAL(38, 12))::DOUBLE" for name in ("conversions", "value")}
    return f"{{{', '.join(f'{name}: {sql}' for name, sql in exact.items())}}} AS {model}"


def add_costs(con: Con, costs: str = "") -> None:
    """Give the staged credits a column `cost` from costs (channel, day, amount), on which they may be no credit.

    Every model has the whole cost, so compare models and never add them up. Without costs the column is empty.
    """
    told = f"SELECT channel, day, sum(amount)::DOUBLE AS cost FROM {costs} GROUP BY ALL"
    nothing = "SELECT NULL::VARCHAR AS channel, NULL::DATE AS day, NULL::DOUBLE AS cost WHERE false"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {CREDITS} AS
        SELECT model, channel, day, coalesce(conversions, 0) AS conversions, coalesce(value, 0) AS value,
            {"coalesce(cost, 0)" if costs else "cost"} AS cost
        FROM {CREDITS} FULL JOIN (
            SELECT unnest(?::VARCHAR[]) AS model, * FROM ({told if costs else nothing})) USING (model, channel, day)""",
        [list(MODELS)],
    )


def stage_people(con: Con, model: str) -> None:
    """Temporary table `attribution_people`: by profile, how a model by rule shares the person's conversions.

    (profile_id, top, share, channels, mix): the channel with the most credit, the first by name of equals, and its
    share; the channels with any credit, the largest first; and the share of each.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {PEOPLE} AS
        WITH credited AS (
            SELECT person, channel, sum(({model} * conversions)::DECIMAL(38, 12)) AS credit
            FROM touch_shares GROUP BY ALL HAVING credit > 0),
        shared AS (
            SELECT person, channel, credit::DOUBLE / (sum(credit) OVER (PARTITION BY person))::DOUBLE AS share
            FROM credited)
        SELECT format('{{:015x}}', person) AS profile_id, first(channel ORDER BY share DESC, channel) AS top,
            max(share) AS share, list(channel ORDER BY share DESC, channel) AS channels,
            map_from_entries(list((channel, share) ORDER BY channel)) AS mix
        FROM shared GROUP BY person"""
    )


def stage_flows(con: Con) -> None:
    """Temporary table `attribution_flows`: from which channel to which journeys went, step by step.

    (step, source, target, won, failed) with the target '' where the journey ended. A channel that follows itself
    counts once; of journeys with more than four steps the first three and the last are kept.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {FLOWS} AS
        WITH steps AS (
            FROM {TOUCHES} QUALIFY lag(channel) OVER (PARTITION BY journey ORDER BY position) IS DISTINCT FROM channel),
        numbered AS (
            SELECT journey, channel, conversions > 0 AS won, count(*) OVER (PARTITION BY journey) AS length,
                row_number() OVER (PARTITION BY journey ORDER BY position) AS step FROM steps),
        kept AS (
            SELECT *, lead(channel) OVER (PARTITION BY journey ORDER BY step) AS next
            FROM numbered WHERE step < {STEPS} OR step = length)
        SELECT least(step, {STEPS}) AS step, channel AS source, coalesce(next, '') AS target,
            count(*) FILTER (won) AS won, count(*) FILTER (NOT won) AS failed
        FROM kept GROUP BY ALL"""
    )


def staged_steps(con: Con) -> list[Step]:
    """Steps of the staged journeys: up to two channels before, channel, journeys, and those that it won."""
    rows = con.execute(
        f"""WITH steps AS (
            SELECT channel, lag(channel) OVER journey AS before, lag(channel, 2) OVER journey AS earlier,
                conversions > 0 AND position = length AS won
            FROM {TOUCHES} WHERE channel <> '{NONE}' WINDOW journey AS (PARTITION BY journey ORDER BY position))
        SELECT earlier, before, channel, count(*), count(*) FILTER (won) FROM steps GROUP BY ALL"""
    ).fetchall()
    return [
        (tuple(name for name in (earlier, before) if name is not None), channel, float(journeys), float(won))
        for earlier, before, channel, journeys, won in rows
    ]


def _add_markov(con: Con, order: int, steps: Iterable[Step]) -> None:
    con.execute(
        f"""INSERT INTO {CREDITS} SELECT 'markov_{order}', channel, day, conversions, value
        FROM {CREDITS} WHERE model = 'linear' AND channel = '{NONE}'"""
    )
    asked = f"SELECT DISTINCT channel FROM {CREDITS} WHERE model = 'linear' AND channel <> '{NONE}'"
    channels = [channel for (channel,) in con.execute(asked).fetchall()]
    if not channels:
        return
    shares = removal_shares(chain_of(steps, order), channels)
    con.execute(
        f"""INSERT INTO {CREDITS}
        WITH linear AS (
            SELECT *, {_total("conversions", "")} AS all_conversions, {_total("value", "")} AS all_value,
                {_total("conversions", BY_CHANNEL)} AS of_channel,
                {_total("value", BY_CHANNEL)} AS value_of_channel
            FROM {CREDITS} WHERE model = 'linear' AND channel <> '{NONE}'),
        shares AS (SELECT unnest(?::VARCHAR[]) AS channel, unnest(?::DOUBLE[]) AS share)
        SELECT 'markov_{order}', channel, day, share * all_conversions * conversions / of_channel,
            share * all_value * coalesce(value / nullif(value_of_channel, 0), conversions / of_channel)
        FROM linear JOIN shares USING (channel)""",
        [list(shares), list(shares.values())],
    )


def _total(column: str, window: str) -> str:
    """Sum over a window that is the same in every order of rows."""
    return f"(sum({column}::DECIMAL(38, 12)) OVER ({window}))::DOUBLE"
