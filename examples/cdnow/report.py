"""Fit the purchase models on the built lake and hold them against the published figures.

Sample of 2,357 customers, 39 weeks of calibration and 39 of holdout. Published: Fader, Hardie and Lee,
"Counting Your Customers the Easy Way" (2005) for BG/NBD and Pareto/NBD; "RFM and CLV" (2005) for Gamma-Gamma.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
from rich.console import Console
from rich.table import Table

from ml.btyd.bgnbd import BGNBD
from ml.btyd.gammagamma import GammaGamma
from ml.btyd.paretonbd import ParetoNBD
from resources.lake import Lake

HOLDOUT_WEEKS = 39
HISTORIES = """
    WITH purchase AS (
        SELECT id_customer_id AS customer, event_day AS day, sum(p_dollars) AS dollars
        FROM raw_events.purchases WHERE NOT duplicate AND p_sample GROUP BY ALL),
    born AS (SELECT *, min(day) OVER (PARTITION BY customer) AS birth FROM purchase)
    SELECT count(*) FILTER (day > birth AND day <= DATE '1997-09-30')::DOUBLE AS frequency,
           (max(day) FILTER (day <= DATE '1997-09-30') - any_value(birth)) / 7 AS recency,
           (DATE '1997-09-30' - any_value(birth)) / 7 AS age,
           coalesce(avg(dollars) FILTER (day > birth AND day <= DATE '1997-09-30'), 0) AS monetary,
           count(*) FILTER (day > DATE '1997-09-30')::DOUBLE AS later
    FROM born GROUP BY customer ORDER BY customer"""


@dataclass(frozen=True)
class Figure:
    """One published number and ours."""

    name: str
    ours: float
    published: float
    digits: int

    @property
    def holds(self) -> bool:
        """True when both are the same to the digits that were published."""
        return abs(self.ours - self.published) <= 0.51 * 10**-self.digits


def histories(con: duckdb.DuckDBPyConnection) -> dict[str, np.ndarray[Any, Any]]:
    """Frequency, recency and age in weeks, mean repeat spend, and later purchases of the sample's customers."""
    return dict(con.execute(HISTORIES).fetchnumpy())


def figures(h: dict[str, np.ndarray[Any, Any]]) -> tuple[list[Figure], dict[str, float]]:
    """Figures against the published ones, and the seconds each fit took."""
    counts = (h["frequency"], h["recency"], h["age"])
    (bg, bg_s), (pareto, pareto_s) = timed(lambda: BGNBD.fit(*counts)), timed(lambda: ParetoNBD.fit(*counts))
    repeat = h["frequency"] > 0
    gamma, gamma_s = timed(lambda: GammaGamma.fit(h["frequency"][repeat], h["monetary"][repeat]))
    found = [
        *(
            Figure(f"BG/NBD {n}", getattr(bg, n), p, 3)
            for n, p in zip(("r", "alpha", "a", "b"), (0.243, 4.414, 0.793, 2.426), strict=True)
        ),
        Figure("BG/NBD log-likelihood", bg.log_likelihood, -9582.4, 1),
        Figure("Pareto/NBD log-likelihood", pareto.log_likelihood, -9595.0, 1),
        Figure("Gamma-Gamma log-likelihood", gamma.log_likelihood, -4055.92, 2),
        Figure("BG/NBD holdout correlation", correlation(bg, counts, h["later"]), 0.626, 3),
        Figure("Pareto/NBD holdout correlation", correlation(pareto, counts, h["later"]), 0.630, 3),
    ]
    return found, {"BG/NBD": bg_s, "Pareto/NBD": pareto_s, "Gamma-Gamma": gamma_s}


def correlation(model: Any, counts: tuple[Any, ...], later: np.ndarray[Any, Any]) -> float:
    """Correlation of expected and real purchases in the holdout."""
    return float(np.corrcoef(model.expected_purchases(HOLDOUT_WEEKS, *counts), later)[0, 1])


def timed(work: Callable[[], Any]) -> tuple[Any, float]:
    """Result of a function and the seconds it took."""
    started = time.perf_counter()
    return work(), time.perf_counter() - started


def main() -> None:
    """Print the comparison for the lake of this example."""
    lake = Lake(root=os.environ.get("PROFILES_LAKE") or str(Path(__file__).parent / ".lake"))
    with lake.read() as con:
        found, seconds = figures(histories(con))
    table = Table("on the 2,357-customer sample", "ours", "published", "", title_justify="left")
    for figure in found:
        shown = f"{figure.ours:.{figure.digits}f}"
        table.add_row(figure.name, shown, f"{figure.published:.{figure.digits}f}", "✓" if figure.holds else "✗")
    console = Console()
    console.print(table)
    console.print("fits took " + ", ".join(f"{name} {s:.2f} s" for name, s in seconds.items()))


if __name__ == "__main__":
    main()
