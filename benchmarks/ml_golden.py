"""The published figures of the CDNOW sample of 2,357 customers, and `lifetimes` on the same histories."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np

from benchmarks.measure import Figure, timed
from examples.cdnow.prepare import prepare
from ml.btyd import BGNBD, MBGNBD, GammaGamma, ParetoNBD
from ml.btyd.parameters import Parameters
from ml.rows import Vector

WEEKS = 39
FOUR_DIGITS = 5e-5
PUBLISHED: dict[str, tuple[tuple[float, ...], float, int]] = {
    "BG/NBD": ((0.243, 4.414, 0.793, 2.426, -9582.4), 0.626, 3),
    "Pareto/NBD": ((0.553, 10.578, 0.606, 11.669, -9595.0), 0.630, 3),
    "MBG/NBD": ((0.5248, 6.1831, 0.8914, 1.6140, -9582.1), 0.627, 4),
    "Gamma-Gamma": ((6.25, 3.74, 15.44, -4055.92), 0.0, 2),
}
HISTORIES = """
    WITH purchase AS (
        SELECT customer, day, sum(dollars) AS dollars FROM read_csv('{file}') WHERE sample GROUP BY ALL),
    born AS (SELECT *, min(day) OVER (PARTITION BY customer) AS birth FROM purchase)
    SELECT count(*) FILTER (day > birth AND day <= DATE '1997-09-30')::DOUBLE AS frequency,
        (max(day) FILTER (day <= DATE '1997-09-30') - any_value(birth)) / 7 AS recency,
        (DATE '1997-09-30' - any_value(birth)) / 7 AS age,
        coalesce(avg(dollars) FILTER (day > birth AND day <= DATE '1997-09-30'), 0) AS monetary,
        count(*) FILTER (day > DATE '1997-09-30')::DOUBLE AS later
    FROM born GROUP BY customer ORDER BY customer"""


def golden() -> Iterator[Figure]:
    """Worst deviation from the published digits (in their last half place), from `lifetimes`, and fit times."""
    with TemporaryDirectory() as folder, duckdb.connect() as con:
        h = con.execute(HISTORIES.format(file=prepare(Path(folder)))).fetchnumpy()
    counts, spend = (h["frequency"], h["recency"], h["age"]), (h["frequency"], h["monetary"])
    for name, fit in {
        "BG/NBD": lambda: BGNBD.fit(*counts),
        "Pareto/NBD": lambda: ParetoNBD.fit(*counts),
        "MBG/NBD": lambda: MBGNBD.fit(*counts),
        "Gamma-Gamma": lambda: GammaGamma.fit(*spend),
    }.items():
        yield from _model(name, fit, h)
    yield _beside_lifetimes(h)


def _model(name: str, fit: Callable[[], Parameters], h: dict[str, Vector]) -> Iterator[Figure]:
    wanted, correlation, digits = PUBLISHED[name]
    made: list[Parameters] = []
    cpu, wall = timed(lambda: made.append(fit()))
    found = [*(getattr(made[0], n) for n in made[0].names), made[0].log_likelihood]
    places = [digits] * (len(found) - 1) + [2 if name == "Gamma-Gamma" else 1]
    yield _worst(f"CDNOW sample, {name}: published parameters", found, wanted, places)
    if correlation:
        expected = made[0].expected_purchases(WEEKS, h["frequency"], h["recency"], h["age"])  # type: ignore[attr-defined]
        ours = float(np.corrcoef(expected, h["later"])[0, 1])
        yield _worst(f"CDNOW sample, {name}: published holdout correlation", [ours], [correlation], [3])
    yield Figure(f"CDNOW sample, {name}: fit", cpu, 1.0, "1 s", 1.0, wall, 1.0)


def _worst(name: str, found: Sequence[float], wanted: Sequence[float], places: Sequence[int]) -> Figure:
    off = max(abs(a - b) / 10**-p for a, b, p in zip(found, wanted, places, strict=True))
    return Figure(name, off, 0.51, "half of the last digit", 1.0, off, 0.51)


def _beside_lifetimes(h: dict[str, Vector]) -> Figure:
    """Largest relative difference of expected purchases, with the parameters that `lifetimes` finds."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from lifetimes import BetaGeoFitter, GammaGammaFitter, ModifiedBetaGeoFitter, ParetoNBDFitter

        x, tx, age = h["frequency"], h["recency"], h["age"]
        off = [0.0]
        pairs = (BetaGeoFitter(), BGNBD), (ModifiedBetaGeoFitter(), MBGNBD), (ParetoNBDFitter(), ParetoNBD)
        for theirs, ours in pairs:
            theirs.fit(x, tx, age)
            mine = ours.from_dict({**{n: float(theirs.params_[n]) for n in ours.names}, "log_likelihood": 0.0, "n": 0})
            expected = theirs.conditional_expected_number_of_purchases_up_to_time(WEEKS, x, tx, age)
            off.append(float(np.max(np.abs(mine.expected_purchases(WEEKS, x, tx, age) / np.asarray(expected) - 1))))
        spent = h["monetary"] > 0
        money = GammaGammaFitter()
        money.fit(x[spent], h["monetary"][spent])
        mine_ = GammaGamma(**{n: float(money.params_[n]) for n in ("p", "q", "v")})
        value = np.asarray(money.conditional_expected_average_profit(x[spent], h["monetary"][spent]))
        off.append(float(np.max(np.abs(mine_.expected_spend(x[spent], h["monetary"][spent]) / value - 1))))
    return Figure("CDNOW sample: as `lifetimes` says", max(off), FOUR_DIGITS, "4 digits", 1.0, max(off), FOUR_DIGITS)
