"""Simulated customers whose parameters are known: recovery, and the time to fit and score."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from benchmarks.measure import Figure, timed
from ml.blend import logit_average
from ml.boosted import BoostedClassifier
from ml.btyd import ParetoNBD
from ml.rows import Vector
from ml.threads import one_thread
from tests.ml.simulated import pareto_nbd

TRUTH = {"r": 0.55, "alpha": 10.6, "s": 0.6, "beta": 11.7}
HORIZON, YEARS = 13.0, 104.0
LEARNT = 50_000


def many(customers: int) -> Iterator[Figure]:
    """Parameters of Pareto/NBD within 3 %, and seconds of its fit and of all champions' scores."""
    people = pareto_nbd(customers, **TRUTH, h=HORIZON, longest=YEARS, seed=3)
    history = people.frequency, people.recency, people.T
    made: list[ParetoNBD] = []
    fit = timed(lambda: made.append(ParetoNBD.fit(*history)))
    off = max(abs(getattr(made[0], name) / value - 1) for name, value in TRUTH.items())
    yield Figure(f"{customers:,} simulated customers: parameters", off, 0.03, "3 %", 1.0, off, 0.03)
    trees = _trees(history, people.later > 0)
    scored = timed(lambda: _score(made[0], trees, history))
    cpu, wall = (a + b for a, b in zip(fit, scored, strict=True))
    name = f"{customers:,} simulated customers: fit of Pareto/NBD, and scores of all models"
    yield Figure(name, cpu, 15.0, "15 s", 1.0, wall, 15.0)


def _trees(history: tuple[Vector, ...], bought: Vector) -> BoostedClassifier:
    with one_thread():
        return BoostedClassifier().fit(_frame(history)[:LEARNT], bought[:LEARNT].astype(float))


def _score(model: ParetoNBD, trees: BoostedClassifier, history: tuple[Vector, ...]) -> Vector:
    first = model.probability_of_purchase(HORIZON, *history)
    model.expected_purchases(HORIZON, *history)
    return np.asarray(logit_average(first, trees.predict_proba(_frame(history))[:, 1]))


def _frame(history: tuple[Vector, ...]) -> pd.DataFrame:
    return pd.DataFrame(dict(zip(("frequency", "recency", "age"), history, strict=True)))
