"""What became of scores that were published: once their horizon has closed, they are held against what happened.

On the first run that sees the day on which the horizon closed they are measured, with identity and events as of that
day, and forgotten; `ops.outcomes` keeps the figures. Later data therefore changes none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb
import numpy as np

from ml import registry
from ml.backtest import Trial, deciding_metric, metrics_of
from ml.histories import Seen
from ml.metrics import WeightedGini
from ml.promotion import draws, losses
from ml.published import OUTCOMES, closed_days, published_table
from ml.training import stage_labelled
from profiles_assets.functions.as_of import stage_functions_as_of
from profiles_assets.functions.pool import BrokenFunctionError
from profiles_assets.identity.as_of import stitch_as_of
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.project import Forecast, Project
from profiles_assets.traits.evaluate import stage_traits_as_of
from resources.tables import exists, literal

Con = duckdb.DuckDBPyConnection

COLUMNS = (
    "prediction VARCHAR, model_id VARCHAR, as_of DATE, closes DATE, metric VARCHAR, value DOUBLE, backtest DOUBLE, "
    "error DOUBLE, people BIGINT"
)
WORSE, OFF, SURE = 0.05, 0.1, 2.0


@dataclass(frozen=True)
class Outcome:
    """A metric of published scores: its value, its standard error if known, and what the backtest had promised."""

    model_id: str
    as_of: date
    closes: date
    metric: str
    value: float
    backtest: float | None
    error: float | None
    people: int


def measure_closed(con: Con, project: Project, forecast: Forecast, newest: date) -> list[Outcome]:
    """Figures of all published scores whose horizon has closed by the newest day.

    None of a condition on traits of a function that can no longer be run.
    """
    found: list[Outcome] = []
    for day in closed_days(con, forecast, newest):
        closes = day + timedelta(days=forecast.spec.over)
        try:
            seen = _look_back(con, project, forecast, closes, newest)
        except BrokenFunctionError:
            continue
        test = _follow(con, project, forecast, day, seen)
        if test is not None:
            found += measured(forecast, test, closes, _promised(con, forecast, test.model))
    return found


def measured(forecast: Forecast, test: Trial, closes: date, promised: dict[str, float]) -> list[Outcome]:
    """Every metric of one day's scores; `test` names the model that made them."""
    errors = {deciding_metric(forecast): deciding_error(forecast, test), "bias": bias_error(test)}
    found = []
    for name, measure in metrics_of(forecast).items():
        value, error = measure(test.happened, test.predicted), errors.get(name)
        if np.isfinite(value):
            known = float(error) if error is not None and np.isfinite(error) else None
            people = len(test.happened)
            found.append(Outcome(test.model, test.as_of, closes, name, value, promised.get(name), known, people))
    return found


def deciding_error(forecast: Forecast, test: Trial) -> float:
    """Standard error of the deciding metric over draws of people."""
    if deciding_metric(forecast) == "gini":
        gini = WeightedGini.of(test.happened, test.predicted)
        return float(np.std([gini.at(weights) for weights in draws(len(test.happened))]))
    lost = losses(forecast, test)
    error = float(lost.std() / np.sqrt(len(lost)))
    return error if forecast.spec.is_probability else error / max(2 * float(np.sqrt(lost.mean())), 1e-300)


def bias_error(test: Trial) -> float:
    """Standard error of the share by which the predicted total is off; nan where nothing happened."""
    total = float(test.happened.sum())
    return float(np.sqrt(((test.predicted - test.happened) ** 2).sum())) / total if total else float("nan")


def write_outcomes(con: Con, forecast: Forecast, outcomes: Iterable[Outcome]) -> None:
    """Add figures, in the caller's transaction."""
    con.execute(f"CREATE TABLE IF NOT EXISTS {OUTCOMES} ({COLUMNS})")
    rows = [
        [forecast.name, o.model_id, o.as_of, o.closes, o.metric, o.value, o.backtest, o.error, o.people]
        for o in outcomes
    ]
    if rows:
        con.executemany(f"INSERT INTO {OUTCOMES} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)


def newest_outcomes(con: Con, prediction: str) -> list[Outcome]:
    """Figures of the scores whose horizon closed last."""
    if not exists(con, OUTCOMES):
        return []
    rows = con.execute(
        f"SELECT * EXCLUDE (prediction) FROM {OUTCOMES} WHERE prediction = ? "
        "QUALIFY as_of = max(as_of) OVER () ORDER BY metric",
        [prediction],
    ).fetchall()
    return [Outcome(*row) for row in rows]


def broken_promises(forecast: Forecast, outcomes: Iterable[Outcome]) -> list[str]:
    """Metrics that are clearly worse than in the backtest: by more than two standard errors and some tolerance.

    The tolerance is 5 % of the deciding metric, and 10 % of the total for the bias.
    """
    tests: dict[str, Callable[[Outcome], bool]] = {
        deciding_metric(forecast): lambda o: _clearly_worse(o, -1.0 if o.metric == "gini" else 1.0),
        "bias": lambda o: abs(o.value) - SURE * (o.error or 0) > max(OFF, abs(o.backtest or 0)),
    }
    return [o.metric for o in outcomes if o.metric in tests and tests[o.metric](o)]


def _clearly_worse(outcome: Outcome, sign: float) -> bool:
    if outcome.backtest is None:
        return False
    gap = sign * (outcome.value - outcome.backtest)
    return gap - SURE * (outcome.error or 0) > WORSE * abs(outcome.backtest)


def _follow(con: Con, project: Project, forecast: Forecast, day: date, seen: Seen) -> Trial | None:
    """Published scores of a day beside what their people did, as the horizon closed; None where nobody is left.

    A profile is found through the oldest of its ids, also where its id has ended since.
    """
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE known_past AS FROM {published_table(forecast.name)} WHERE as_of = ?", [day]
    )
    ages = "{'d': first_day, 't': first_seen, 'k': key} AS age"
    both = " UNION ".join(
        f"SELECT k.profile_id, s.key, {ages} FROM known_past k JOIN identity.stitched_ids s ON s.{name} = k.profile_id "
        f"WHERE s.entity = {literal(forecast.entity)}"
        for name in ("profile_id", "retired_id")
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE nodes_past AS {both}")
    stage_labelled(con, project, forecast, "past", seen)
    frame = con.execute("SELECT profile_id, score, version, _label FROM labelled_past ORDER BY profile_id").fetch_df()
    if frame.empty:
        return None
    happened, predicted = (frame[name].to_numpy(np.float64) for name in ("_label", "score"))
    return Trial(str(frame["version"].iloc[0]), day, frame["profile_id"].to_numpy(object), happened, predicted)


def _look_back(con: Con, project: Project, forecast: Forecast, day: date, newest: date) -> Seen:
    """Identities as of a day; those of the newest day stand in the lake."""
    entity = forecast.entity
    if forecast.spec.of_traits:
        stage_traits_as_of(con, project, entity, day, "traits_then", more=stage_functions_as_of)
        return Seen(day, "stitched_then", "attribution_then")
    if day == newest:
        create_attribution(con, project, entity)
        return Seen(day)
    stitch_as_of(con, project, entity, day, "stitched_then")
    create_attribution(con, project, entity, stitched="stitched_then", as_of=day, table="attribution_then")
    return Seen(day, "stitched_then", "attribution_then")


def _promised(con: Con, forecast: Forecast, model_id: str) -> dict[str, float]:
    model = registry.model_of(con, forecast.name, model_id)
    return dict(model.metrics.get(str(model.champion), {})) if model else {}
