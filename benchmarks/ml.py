"""Area `ml`: predictions on CDNOW and Complete Journey by rolling origin, and 300,000 simulated customers.

Losses stand where other areas have seconds: ours beside the purchase model that everybody knows. The champion
of a date is chosen on dates whose windows had closed by then; figures are means over the dates.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

import numpy as np

import benchmarks.journey.prepare
import examples.cdnow.prepare
from benchmarks.lakes import built, declared_copy
from benchmarks.measure import Figure
from benchmarks.ml_attribution import attribution
from benchmarks.ml_golden import golden
from benchmarks.ml_many import many
from ml import metrics
from ml.backtest import Trial, trials
from ml.btyd import GammaGamma, ParetoNBD
from ml.calibration import learn_platt
from ml.candidates import fitted_models
from ml.dates import Calendar
from ml.promotion import choose
from ml.rows import Rows, Vector
from ml.training import TrainingSet, read_training, stage_training
from profiles_assets.project.predictions import Prediction
from profiles_assets.project.project import Forecast, Project
from resources.lake import Lake

REPORTED = 3
TESTED = 3  # dates that a project tests on, whatever there is before them
PARETO, WITH_SPEND = "Pareto/NBD", "Pareto/NBD × Gamma-Gamma"


@dataclass(frozen=True)
class World:
    """A data set: where it is declared, its last day, the horizon and how many dates there are."""

    prepare: ModuleType
    entity: str
    event: str
    last: date
    horizon: int
    cuts: int

    @property
    def calendar(self) -> Calendar:
        """Dates one horizon apart."""
        cuts = tuple(self.last - timedelta(days=self.horizon * back) for back in range(self.cuts, 0, -1))
        return Calendar(self.last, self.horizon, cuts)


CDNOW = World(examples.cdnow.prepare, "customer", "purchase", date(1998, 6, 30), 91, 5)
JOURNEY = World(benchmarks.journey.prepare, "household", "basket", date(2017, 12, 31), 28, 12)


@dataclass(frozen=True)
class Tested:
    """What happened after a date, what the champion had said of it, and what the purchase model had."""

    happened: Vector
    ours: Vector
    peer: Vector


def figures(quick: bool) -> list[Figure]:
    """All figures; `quick` leaves out Complete Journey and takes a tenth of the simulated customers."""
    found = [*golden(), *many(30_000 if quick else 300_000), *_cdnow()]
    found += attribution(100_000 if quick else 1_000_000)
    return found if quick else [*found, *_journey()]


def _cdnow() -> Iterator[Figure]:
    with TemporaryDirectory() as folder:
        lake = _built(CDNOW, folder)
        any_, count = _tested(lake, CDNOW, "purchase"), _tested(lake, CDNOW, "count purchase")
    name = "CDNOW, 91 days"
    yield _lower(f"{name}: log-loss of any purchase", any_, metrics.log_loss, PARETO, 0.985)
    ece = float(np.mean([metrics.ece(t.happened, t.ours) for t in any_]))
    yield Figure(f"{name}: ECE of any purchase", ece, 0.020, "0.020", 1.0, ece, 0.020)
    yield _lower(f"{name}: RMSE of purchases", count, metrics.rmse, PARETO, 0.985)


def _journey() -> Iterator[Figure]:
    with TemporaryDirectory() as folder:
        lake = _built(JOURNEY, folder)
        any_, spend = _tested(lake, JOURNEY, "basket"), _tested(lake, JOURNEY, "sum basket.total")
    name = "Complete Journey, 28 days"
    yield _lower(f"{name}: log-loss of any basket", any_, metrics.log_loss, PARETO, 0.93)
    yield _lower(f"{name}: MAE of spend", spend, metrics.mae, WITH_SPEND, 0.96)


def _built(world: World, folder: str) -> tuple[Project, Lake]:
    source = Path(str(world.prepare.__file__)).parent
    root = declared_copy(source, Path(folder) / "project")
    world.prepare.prepare(root)
    return built(root)


def _tested(lake: tuple[Project, Lake], world: World, predict: str) -> list[Tested]:
    """The last dates; the champion of each has won on those before it."""
    spec = Prediction.model_validate({"predict": predict, "over": world.horizon})
    forecast, calendar = Forecast("asked", world.entity, spec), world.calendar
    with lake[1].get_connection() as con:
        training = read_training(con, stage_training(con, lake[0], forecast, calendar))
    tests = list(trials(forecast, calendar, training))
    return [_test(forecast, calendar, training, tests, day) for day in calendar.tests[-REPORTED:]]


def _test(forecast: Forecast, calendar: Calendar, training: TrainingSet, tests: list[Trial], day: date) -> Tested:
    known, rows = training.rows.at(calendar.closed_by(day)), training.rows.at([day])
    histories = training.histories_at(day)
    before = calendar.closed_by(day)[-TESTED:]
    winner = choose(forecast, [test for test in tests if test.as_of in before]).champion
    platt = learn_platt(forecast, [test for test in tests if test.as_of in before and test.model == winner])
    ours = fitted_models(forecast, known, histories)[winner].predict(rows)
    return Tested(rows.label, platt(ours) if platt else ours, _peer(forecast, rows))


def _peer(forecast: Forecast, rows: Rows) -> Vector:
    """The purchase model on everybody's history, without penalty or blend."""
    x, tx, age, monetary = (rows.column(n) for n in ("_frequency", "_recency", "_age", "_monetary"))
    model, horizon = ParetoNBD.fit(x, tx, age), forecast.spec.over
    if forecast.spec.is_probability:
        return model.probability_of_purchase(horizon, x, tx, age)
    expected = model.expected_purchases(horizon, x, tx, age)
    if forecast.spec.predict.goal == "count":
        return expected
    spent = np.maximum(np.nan_to_num(monetary), 0)
    return expected * GammaGamma.fit(x, spent).expected_spend(x, spent)


def _lower(name: str, tested: list[Tested], loss: metrics.Metric, peer: str, goal: float) -> Figure:
    ours = float(np.mean([loss(t.happened, t.ours) for t in tested]))
    theirs = float(np.mean([loss(t.happened, t.peer) for t in tested]))
    return Figure(name, ours, theirs, peer, goal, ours, theirs)
