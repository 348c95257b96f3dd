"""From the events to a tested model, and from a stored model to one that predicts."""

import json
from dataclasses import replace
from datetime import date

import duckdb
import numpy as np

from ml import registry
from ml.artefacts import fitted_artefact, stored_trees
from ml.backtest import Result, Trial, means, measured, trials
from ml.calibration import Calibrated, Platt, calibrated, learn_platt
from ml.candidates import Blend, BuyTillYouDie, Candidate, Trees
from ml.curves import deciles, gains
from ml.custom import Custom
from ml.dates import Calendar, plan_dates
from ml.definition import CODE_VERSION, text_hash, trained_definition
from ml.drift import label_rates, shapes
from ml.errors import PredictionError
from ml.features import Features
from ml.histories import first_day
from ml.importance import backtest_importance
from ml.intervals import learn_intervals
from ml.leaks import check_leaks
from ml.metrics import reliability
from ml.promotion import choose
from ml.registry import Model
from ml.targets import keep_open
from ml.training import TABLE, TrainingSet, check_enough, read_rows, read_training, stage_training
from profiles_assets.project.project import Forecast, Project

Con = duckdb.DuckDBPyConnection


def make_model(
    con: Con, project: Project, forecast: Forecast, as_of: date, inputs: str, *, before: Model | None = None
) -> tuple[Model, list[Result]]:
    """A model of the data as of a day, or one that only says why it is impossible.

    The model `before` is noted as its parent and has no say in it. Leaves the rows it was trained on in a temporary
    table.
    """
    parent = before.model_id if before else None
    untrained = Model(forecast.name, as_of, trained_definition(con, project, forecast), inputs, parent=parent)
    try:
        calendar = plan_dates(first_day(con, project, forecast), as_of, forecast.spec.over)
        features = stage_training(con, project, forecast, calendar)
        if forecast.spec.of_traits:
            check_leaks(read_rows(con, TABLE, features), forecast)
            keep_open(con, forecast, TABLE)
        training = read_training(con, features)
        check_enough(training.rows, forecast)
        if not forecast.spec.of_traits:
            check_leaks(training.rows, forecast)
        return fit_model(untrained, forecast, calendar, training, features)
    except PredictionError as error:
        return replace(untrained, problem=str(error)), []


def fit_model(
    untrained: Model, forecast: Forecast, calendar: Calendar, training: TrainingSet, features: Features
) -> tuple[Model, list[Result]]:
    """Choose a champion and fit what is stored of it. Raises PredictionError if that is impossible."""
    tests = list(trials(forecast, calendar, training))
    choice = choose(forecast, tests)
    results, winner = measured(forecast, tests), choice.champion
    own = [test for test in tests if test.model == winner]
    platt = learn_platt(forecast, own)
    own = calibrated(own, platt)
    parameters = {
        "features": features,
        "btyd": _purchase_parameters(forecast, calendar, training) if winner in ("btyd", "blend") else None,
        "training": _dates(training),
        "importance": backtest_importance(forecast, calendar, training, winner),
        **_tested_parts(forecast, own),
        "calibration": platt and platt.to_dict(),
        "shapes": shapes(training.rows, own),
        "label_rates": label_rates(training.rows),
        "challenger": choice.challenger and {"model": choice.challenger, "wins": choice.wins},
        "spec": json.loads(forecast.spec.model_dump_json()),
        "code_version": CODE_VERSION,
    }
    model_id = text_hash(training.fingerprint, forecast.name, untrained.definition, CODE_VERSION, winner)
    model = replace(
        untrained,
        model_id=model_id,
        champion=winner,
        rows=len(training.rows),
        metrics=means(results),
        parameters=parameters,
        trees=fitted_artefact(forecast, training.rows, winner),
    )
    return model, results


def _tested_parts(forecast: Forecast, tests: list[Trial]) -> dict[str, object]:
    """What the champion's tests leave for scores and pictures: calibration, gains, and intervals of amounts."""
    if not tests:
        return {}
    happened, predicted = (np.concatenate([getattr(t, n) for t in tests]) for n in ("happened", "predicted"))
    found: dict[str, object] = {"lift_curve": gains(happened, predicted)}
    if forecast.spec.is_probability:
        return found | {"reliability": reliability(happened, predicted)}
    intervals = learn_intervals(happened, predicted)
    return found | {"deciles": deciles(happened, predicted), "intervals": intervals and intervals.to_dict()}


def _dates(training: TrainingSet) -> list[tuple[str, int, float]]:
    """Date, number of rows and mean outcome of each of the dates people were looked at."""
    found = training.rows.frame.groupby("_as_of")["_label"].agg(["size", "mean"])
    return [(f"{day:%Y-%m-%d}", int(rows), float(mean)) for day, rows, mean in found.itertuples()]


def load_champion(con: Con, forecast: Forecast, model: Model) -> Candidate:
    """The champion of a model, ready to predict and calibrated where that helps."""
    found, told = _load(con, forecast, model), model.parameters.get("calibration")
    return Calibrated(found, Platt.from_dict(told)) if told else found


def _load(con: Con, forecast: Forecast, model: Model) -> Candidate:
    """The champion as it was fitted: built-in models as stored, Python files fitted again."""
    btyd = model.parameters["btyd"]
    first = BuyTillYouDie.from_dict(forecast, btyd) if btyd else BuyTillYouDie(forecast)
    if model.champion == "btyd":
        return first
    trees = None if forecast.spec.is_python else stored_trees(con, forecast, model.model_id)
    if trees is None:
        rows = read_rows(con, registry.rows_table(forecast.name), model.parameters["features"])
        if forecast.spec.is_python:
            return Custom(forecast).fit(rows, rows.frame)
        trees = Trees(forecast).fit(rows, rows.frame)
    return trees if model.champion == "boosted" else Blend(forecast, first, trees)


def _purchase_parameters(forecast: Forecast, calendar: Calendar, training: TrainingSet) -> dict[str, object]:
    model = BuyTillYouDie(forecast).fit(training.rows, training.histories_at(calendar.as_of))
    if model.purchases is None and forecast.spec.model == "btyd":
        event = forecast.spec.predict.event
        raise PredictionError(f"model: btyd needs people with {event} on more than one day, and there are none")
    return model.to_dict()
