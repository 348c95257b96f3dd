"""The two steps of a prediction: `train` keeps a tested model in the lake, `score` a table of scores.

A training that is impossible fails no run: the model says why, and the table of scores stays empty.
"""

from dataclasses import dataclass, field, replace
from datetime import date

import duckdb

from ml import registry
from ml.backtest import Result
from ml.card import save_card
from ml.definition import score_definition, text_hash, trained_definition
from ml.drift import Drift, write_drifts
from ml.model import make_model
from ml.outcomes import Outcome, measure_closed, write_outcomes
from ml.published import stage_published, write_published
from ml.registry import Model
from ml.scores import STAGED, scores_table, stage_scores
from ml.training import TABLE
from profiles_assets.events.load import newest_day
from profiles_assets.project.project import Forecast, Project
from profiles_assets.traits.derived import stored_tables
from profiles_assets.traits.evaluate import upstream
from resources import progress
from resources.lake import Lake
from resources.tables import Change, Merge, exists, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection

PUBLISHED = "staged_published"
RETRAIN_DAYS = {"weekly": 7, "monthly": 30}


@dataclass(frozen=True)
class TrainingReport:
    """The model in use after a step with its backtest, and whether this step trained it."""

    as_of: date | None
    model: Model | None = None
    results: tuple[Result, ...] = ()
    trained: bool = False


@dataclass(frozen=True)
class ScoreReport:
    """What scoring changed, how many people have a score, and why nobody has one."""

    as_of: date | None
    people: int = 0
    change: Change = field(default_factory=Change)
    model_id: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class _Scored:
    report: ScoreReport
    version: str
    merge: Merge | None = None
    outcomes: tuple[Outcome, ...] = ()
    drifts: tuple[Drift, ...] = ()
    published: str = ""


def train(lake: Lake, project: Project, forecast: Forecast) -> TrainingReport:
    """Train and test the model if it is missing, outdated or declared anew; else write nothing."""
    step, feed = model_step(forecast), upstream(project, forecast.entity)

    def compute(con: Con) -> TrainingReport:
        as_of, inputs = newest_day(con, project), progress.fingerprint(con, feed)
        have = registry.current_model(con, forecast.name)
        definition = trained_definition(con, project, forecast)
        if as_of is None or (have and not is_due(definition, forecast, have, as_of, inputs)):
            return TrainingReport(as_of, have, tuple(registry.backtests(con, have)) if have else ())
        model, results = make_model(con, project, forecast, as_of, inputs, before=have)
        return TrainingReport(as_of, model, tuple(results), trained=True)

    def write(con: Con, report: TrainingReport) -> None:
        if report.trained and report.model:
            registry.save(con, report.model, report.results, TABLE)
            save_card(con, forecast, report.model, report.results)
            progress.record(con, step, {"all": model_version(report.model)})

    return lake.step(compute, write, [*feed, step])


def is_due(definition: str, forecast: Forecast, have: Model, as_of: date, inputs: str) -> bool:
    """Whether a model must be trained again; a failed training is, with every change of the data."""
    if have.definition != definition or as_of < have.as_of:
        return True
    if have.problem or forecast.spec.retrain == "always":
        return have.inputs != inputs or as_of != have.as_of
    return (as_of - have.as_of).days >= RETRAIN_DAYS[forecast.spec.retrain]


def score(lake: Lake, project: Project, forecast: Forecast) -> ScoreReport:
    """Score everybody the prediction is about, as of the newest load day; writes only what changed."""
    step, table, feed = score_step(forecast), scores_table(forecast.name), score_feed(project, forecast)

    def compute(con: Con) -> _Scored:
        as_of, model = newest_day(con, project), registry.current_model(con, forecast.name)
        version = text_hash(progress.fingerprint(con, feed), score_definition(project, forecast), as_of)
        report = _report(as_of, model)
        if as_of is None or progress.applied(con, step).get("all") == version:
            return _Scored(replace(report, people=_count(con, table)), version)
        outcomes = measure_closed(con, project, forecast, as_of)
        found = stage_scores(con, project, forecast, model, as_of)
        kept = report.model_id is not None and stage_published(con, forecast, as_of, STAGED, PUBLISHED)
        merge = stage_merge(con, table, STAGED, ["profile_id"])
        report = replace(report, people=_count(con, STAGED), change=merge.change)
        return _Scored(report, version, merge, tuple(outcomes), tuple(found), PUBLISHED if kept else "")

    def write(con: Con, value: _Scored) -> None:
        if value.merge is not None and value.report.as_of is not None:
            write_merge(con, value.merge)
            write_outcomes(con, forecast, value.outcomes)
            write_published(con, forecast, value.report.as_of, value.published)
            write_drifts(con, forecast, value.report.model_id, value.report.as_of, value.drifts)
            progress.record(con, step, {"all": value.version})

    return lake.step(compute, write, [*feed, step]).report


def model_step(forecast: Forecast) -> str:
    """Name of the step that trains."""
    return f"predictions/{forecast.name}_model"


def score_step(forecast: Forecast) -> str:
    """Name of the step that scores."""
    return f"predictions/{forecast.name}"


def score_feed(project: Project, forecast: Forecast) -> list[str]:
    """Steps whose notes decide what the scores are."""
    metrics = [f"metrics/{name}" for name in project.metrics_of(forecast.entity)]
    stored = stored_tables(project, forecast.entity)
    return [*upstream(project, forecast.entity), *stored, *metrics, model_step(forecast)]


def model_version(model: Model) -> str:
    """What the notes say of a training; scores are stale when it changes."""
    return text_hash(model.model_id, model.definition, model.as_of, model.problem)


def _report(as_of: date | None, model: Model | None) -> ScoreReport:
    return ScoreReport(as_of, model_id=model.model_id, problem=model.problem) if model else ScoreReport(as_of)


def _count(con: Con, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone() if exists(con, table) else None
    return int(row[0]) if row else 0
