"""What people see of an attribution: whether credits add up, bars of channels, journeys, and return on cost."""

from collections.abc import Iterable
from typing import Any

import duckdb

from ml.attribution.sankey import sankey
from ml.attribution.step import credits_table, flows_table
from ml.charts import bars
from profiles_assets import pictures
from profiles_assets.project.attribution import Attribution
from profiles_assets.project.project import Declared
from resources.tables import columns, exists

Con = duckdb.DuckDBPyConnection
Returns = tuple[str, float, float, float | None, float | None, float | None]

MOST = 8
CLOSE = 1e-6
NOTHING = "nothing yet"


def credits_add_up(con: Con, name: str) -> tuple[bool, dict[str, Any]]:
    """Whether every model credits as many conversions as the others."""
    if not exists(con, credits_table(name)):
        return True, {}
    sums = dict(con.execute(f"SELECT model, sum(conversions) FROM {credits_table(name)} GROUP BY 1").fetchall())
    near = [abs(total - round(total)) <= CLOSE * max(total, 1) for total in sums.values()]
    return all(near) and len({round(total) for total in sums.values()}) <= 1, {"conversions": sums}


def credits_picture(con: Con, name: str) -> str:
    """Bars of the channels of each model, the largest of all models first, side by side."""
    if not exists(con, credits_table(name)):
        return NOTHING
    rows = con.execute(
        f"""SELECT model, channel, sum(conversions) FROM {credits_table(name)}
        GROUP BY ALL HAVING sum(conversions) > 0 ORDER BY 1, 3 DESC, 2"""
    ).fetchall()
    models: dict[str, list[tuple[str, float]]] = {}
    for model, channel, conversions in rows:
        models.setdefault(model, []).append((channel, conversions))
    shown = {model: found[:MOST] for model, found in models.items()}
    return pictures.markdown(bars("Conversions by channel and model", shown), "conversions by channel and model")


def journeys_picture(con: Con, name: str) -> str:
    """Streams of journeys from the first touch to the outcome."""
    if not exists(con, flows_table(name)):
        return NOTHING
    rows = con.execute(f"SELECT step, source, target, won, failed FROM {flows_table(name)} ORDER BY ALL").fetchall()
    return pictures.markdown(sankey(rows), "journeys from the first touch to the outcome")


def channel_returns(con: Con, found: Declared[Attribution]) -> list[Returns]:
    """Rows (channel, conversions, value, cost, return on cost, cost of a conversion) of the model of `mix`.

    Figures are over all days, the largest value first; those that need a cost are None where there is none.
    """
    table = credits_table(found.name)
    if "cost" not in columns(con, table):
        return []
    return con.execute(
        f"""SELECT channel, sum(conversions) AS conversions, sum(value) AS value, sum(cost) AS cost,
            sum(value) / nullif(sum(cost), 0), sum(cost) / nullif(sum(conversions), 0)
        FROM {table} WHERE model = ? GROUP BY channel ORDER BY value DESC, conversions DESC, channel""",
        [found.spec.mix],
    ).fetchall()


def returns_table(rows: Iterable[Returns]) -> str:
    """Markdown table of what `channel_returns` gives."""
    head = ["| channel | conversions | value | cost | ROAS | cost per conversion |", "| --- " + "| ---: " * 5 + "|"]
    lines = [
        f"| {pictures.shortened(channel, 40).replace('|', '/')} | {' | '.join(map(_number, numbers))} |"
        for channel, *numbers in rows
    ]
    return "\n".join([*head, *lines])


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.2f}"
