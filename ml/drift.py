"""How far scores and features have moved from what the model was trained on and tested with.

PSI, the population stability index: the sum over bins of (now - then) ln(now / then), bins being tenths of the
training's numbers, its most frequent texts, and what is missing. The usual reading (Siddiqi 2006, Credit Risk
Scorecards): below 0.1 nothing has moved, from 0.25 on it has clearly. Half a person is added to every bin, so that an
empty one is no infinity.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from ml.backtest import Trial
from ml.rows import Rows, Vector
from profiles_assets.project.project import Forecast, Project
from profiles_assets.project.traits import Trait
from resources.tables import exists

Con = duckdb.DuckDBPyConnection

DRIFT = "ops.drift"
COLUMNS = "prediction VARCHAR, model_id VARCHAR, as_of DATE, feature VARCHAR, kind VARCHAR, psi DOUBLE"
SOME, CLEAR = 0.1, 0.25
BINS, MOST_TEXTS = 10, 10
SCORE = "score"
CLOCKS = ("days_since", "days_between")
TOTALS = ("count", "sum", "days_with", "unique_count")
HISTORY_CLOCKS = ("_frequency", "_recency", "_age")


@dataclass(frozen=True)
class Drift:
    """PSI of the scores, of a behaviour, or of a clock: a feature that moves as time goes by whatever people do."""

    feature: str
    kind: str
    psi: float


@dataclass(frozen=True)
class Shape:
    """Where a distribution is cut, edges of numbers or texts, and how many people were in each part, missing last."""

    cuts: Sequence[float] | Sequence[str]
    counts: Sequence[int]

    @classmethod
    def of(cls, values: pd.Series) -> "Shape":
        """Shape of some values, whatever their order."""
        known = values.dropna()
        if pd.api.types.is_numeric_dtype(values.dtype):
            numbers = known.to_numpy(np.float64)
            inner = np.quantile(numbers, np.arange(1, BINS) / BINS, method="lower") if len(numbers) else np.empty(0)
            cuts: Sequence[Any] = np.unique(inner).tolist()
        else:
            counts = known.astype(str).value_counts()
            cuts = sorted(counts.index, key=lambda text: (-counts[text], text))[:MOST_TEXTS]
        return cls(cuts, _counts(cuts, values))

    def psi(self, values: pd.Series) -> float:
        """Population stability index of values against this shape; 0 where either is of nobody."""
        then, now = (np.array(c, np.float64) for c in (self.counts, _counts(self.cuts, values)))
        if not then.sum() or not now.sum():
            return 0.0
        used = (then > 0) | (now > 0)
        then, now = ((c[used] + 0.5) / (c[used] + 0.5).sum() for c in (then, now))
        return float(np.sum((now - then) * np.log(now / then)))


def shapes(rows: Rows, tests: Iterable[Trial]) -> dict[str, dict[str, Any]]:
    """Shapes of all features in training, and of the champion's tested scores, ready for JSON."""
    found = {str(name): Shape.of(rows.frame[name]) for name in rows.matrix}
    tested = [test.predicted for test in tests]
    if tested:
        found[SCORE] = Shape.of(pd.Series(np.concatenate(tested)))
    return {name: {"cuts": list(shape.cuts), "counts": list(shape.counts)} for name, shape in found.items()}


def drifts(
    project: Project, forecast: Forecast, known: Mapping[str, Mapping[str, Any]], rows: Rows, scores: Vector
) -> list[Drift]:
    """How far the features and the scores of today are from the known shapes, the farthest first."""
    now = {str(name): rows.frame[name] for name in rows.matrix} | {SCORE: pd.Series(scores)}
    found = [
        Drift(name, kind_of(project, forecast, name), Shape(**known[name]).psi(values))
        for name, values in now.items()
        if name in known
    ]
    return sorted(found, key=lambda drift: (-drift.psi, drift.feature))


def kind_of(project: Project, forecast: Forecast, name: str) -> str:
    """Whether a column is the score, a clock, or a behaviour."""
    if name == SCORE:
        return "score"
    return "clock" if name in HISTORY_CLOCKS or is_clock(project.traits_of(forecast.entity), name) else "behaviour"


def is_clock(traits: Mapping[str, Trait], name: str) -> bool:
    """True for days since something, totals over all time, and what is made from them otherwise than as a ratio."""
    trait = traits.get(name)
    if trait is None:
        return False
    if trait.verb in CLOCKS or (trait.verb in TOTALS and trait.within is None):
        return True
    return trait.verb != "ratio" and any(is_clock(traits, one) for one in trait.inputs)


def write_drifts(con: Con, forecast: Forecast, model_id: str | None, as_of: date, found: Iterable[Drift]) -> None:
    """Keep the figures of a day in place of those it had, in the caller's transaction."""
    con.execute(f"CREATE TABLE IF NOT EXISTS {DRIFT} ({COLUMNS})")
    con.execute(f"DELETE FROM {DRIFT} WHERE prediction = ? AND as_of = ?", [forecast.name, as_of])
    lists = [list(column) for column in zip(*((d.feature, d.kind, d.psi) for d in found), strict=True)]
    if lists:
        parts = "unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), unnest(?::DOUBLE[])"
        con.execute(f"INSERT INTO {DRIFT} SELECT ?, ?, ?, {parts}", [forecast.name, model_id, as_of, *lists])


def newest_drifts(con: Con, prediction: str) -> list[Drift]:
    """Figures of the newest day, the farthest first."""
    if not exists(con, DRIFT):
        return []
    rows = con.execute(
        f"SELECT feature, kind, psi FROM {DRIFT} WHERE prediction = ? QUALIFY as_of = max(as_of) OVER () "
        "ORDER BY psi DESC, feature",
        [prediction],
    ).fetchall()
    return [Drift(*row) for row in rows]


def moved(found: Iterable[Drift], kind: str) -> Iterator[Drift]:
    """Those of a kind that have clearly moved."""
    return (drift for drift in found if drift.kind == kind and drift.psi >= CLEAR)


def label_rates(rows: Rows) -> list[tuple[str, int, int]]:
    """Date, number of people, and for how many of them it came true, of each date of training rows."""
    did = (rows.frame["_label"] > 0).groupby(rows.frame["_as_of"]).agg(["size", "sum"]).sort_index()
    return [(str(pd.Timestamp(str(day)).date()), int(row["size"]), int(row["sum"])) for day, row in did.iterrows()]


def rate_has_moved(rates: Sequence[Sequence[Any]]) -> bool:
    """Whether the newest rate is off the earlier ones' by a quarter of theirs and by three standard errors."""
    if len(rates) < 2:
        return False
    people, came = (sum(int(rate[place]) for rate in rates[:-1]) for place in (1, 2))
    before, now = came / people, int(rates[-1][2]) / int(rates[-1][1])
    error = np.sqrt(before * (1 - before) * (1 / people + 1 / int(rates[-1][1])))
    return abs(now - before) > max(before / 4, 3 * float(error))


def _counts(cuts: Sequence[Any], values: pd.Series) -> list[int]:
    """People in each part, those with other texts and the missing in the last two."""
    missing = int(values.isna().sum())
    known = values.dropna()
    if pd.api.types.is_numeric_dtype(values.dtype):
        place = np.searchsorted(np.array(cuts, np.float64), known.to_numpy(np.float64))
        return [*np.bincount(place, minlength=len(cuts) + 1).tolist(), missing]
    counts = known.astype(str).value_counts()
    found = [int(counts.get(text, 0)) for text in cuts]
    return [*found, len(known) - sum(found), missing]
