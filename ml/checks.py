"""Checks on models and scores."""

from collections.abc import Sequence
from typing import Any

import duckdb

from ml import backtest, drift
from ml.outcomes import Outcome, broken_promises
from ml.registry import Model
from ml.scores import scores_table
from profiles_assets.project.project import Forecast
from resources.tables import exists, literal

Con = duckdb.DuckDBPyConnection
Found = tuple[bool, dict[str, Any]]


def enough_history(model: Model | None) -> Found:
    """Whether there was enough data to train on."""
    problem = "nothing has been trained: there are no events yet" if model is None else model.problem
    return problem is None, {"problem": problem} if problem else {}


def beats_baseline(forecast: Forecast, model: Model | None) -> Found:
    """Whether the champion was better than every naive guess; a missing model is told by another check."""
    if model is None or model.champion is None:
        return True, {}
    return backtest.beats_baseline(forecast, model.metrics, model.champion), _deciding(forecast, model)


def beats_built_in(forecast: Forecast, model: Model | None) -> Found:
    """Whether a Python model was better than the built-in ones; otherwise `model: auto` would do better."""
    if model is None or model.champion is None:
        return True, {}
    return backtest.beats_built_in(forecast, model.metrics, model.champion), _deciding(forecast, model)


def _deciding(forecast: Forecast, model: Model) -> dict[str, Any]:
    deciding = backtest.deciding_metric(forecast)
    return {deciding: {name: values[deciding] for name, values in model.metrics.items() if deciding in values}}


def label_rate(model: Model | None) -> Found:
    """Whether what is predicted happened as often after the newest date as after those before it."""
    rates = (model.parameters.get("label_rates") or []) if model else []
    return not drift.rate_has_moved(rates), {day: round(came / people, 4) for day, people, came in rates if people}


def stable(found: Sequence[drift.Drift], kind: str) -> Found:
    """Whether nothing of a kind has clearly moved from the training; the farthest five are told."""
    own = [one for one in found if one.kind == kind]
    told = {one.feature: round(one.psi, 4) for one in own[:5]}
    return not any(drift.moved(own, kind)), {"psi": told} if told else {}


def keeps_promise(forecast: Forecast, found: Sequence[Outcome]) -> Found:
    """Whether scores whose horizon has closed were about as good as the backtest said."""
    told = {one.metric: {"now": one.value, "backtest": one.backtest} for one in found}
    broken = broken_promises(forecast, found)
    more = {"as_of": found[0].as_of.isoformat(), "people": found[0].people, "worse": broken} if found else {}
    return not broken, told | more


def scores_in_range(con: Con, forecast: Forecast) -> Found:
    """Whether probabilities lie in [0, 1], amounts are finite, and percentiles lie in [0, 100]."""
    most = "1" if forecast.spec.is_probability else "1e300"
    wrong = _count(con, forecast, f"NOT coalesce(score BETWEEN 0 AND {most} AND percentile BETWEEN 0 AND 100, false)")
    return wrong == 0, {"out_of_range": wrong}


def one_score_per_person(con: Con, forecast: Forecast) -> Found:
    """Whether nobody has two scores, and everybody who has one exists."""
    people = f"SELECT profile_id FROM identity.stitched_ids WHERE entity = {literal(forecast.entity)}"
    strangers = _count(con, forecast, f"profile_id NOT IN ({people} AND profile_id IS NOT NULL)")
    twice = _count(con, forecast, "true") - _count(con, forecast, "true", "DISTINCT profile_id")
    return strangers == twice == 0, {"strangers": strangers, "twice": twice}


def _count(con: Con, forecast: Forecast, where: str, what: str = "*") -> int:
    table = scores_table(forecast.name)
    if not exists(con, table):
        return 0
    row = con.execute(f"SELECT count({what}) FROM {table} WHERE {where}").fetchone()
    return int(row[0]) if row else 0
