"""Assets `predictions/<name>_model` and `predictions/<name>`: a tested model, and everybody's score."""

from typing import Any

import dagster as dg

from ml.card import card_page
from ml.checks import (
    beats_baseline,
    beats_built_in,
    enough_history,
    keeps_promise,
    label_rate,
    one_score_per_person,
    scores_in_range,
    stable,
)
from ml.definition import model_definition, score_definition
from ml.drift import newest_drifts
from ml.model_pictures import model_pictures
from ml.outcomes import newest_outcomes
from ml.predict import TrainingReport, score, train
from ml.report import (
    backtest_table,
    drift_table,
    metric_picture,
    model_words,
    outcome_table,
    score_picture,
    sentence,
)
from ml.scores import scores_table
from profiles_assets import pictures
from profiles_assets.identity.assets import STITCHED
from profiles_assets.project.project import Forecast, Project
from profiles_assets.project.score_columns import PARTS
from profiles_assets.shell import (
    FRESHNESS,
    ROW_COUNT,
    automation,
    checks,
    outcome,
    owners,
    report_metadata,
    schema,
    schema_now,
)
from profiles_assets.traits.derived import stored_tables
from resources.lake import Lake

MODEL_CHECKS = {
    "enough_history": "There is enough history, and enough people did and did not do it, to train a model.",
    "beats_baseline": "In the backtest the champion is better than every naive guess.",
    "label_rate": "It happened about as often after the newest date as after those before it.",
}
MOVING_CHECKS = {
    "scores_stable": "The scores are distributed much as in the backtest (PSI below 0.25).",
    "features_stable": "What people do is distributed much as in training (PSI below 0.25); clocks do not count.",
    "keeps_promise": "Scores whose horizon has closed were about as good as the backtest said.",
}
OWN_CHECKS = {
    "beats_built_in": "In the backtest the Python model is better than every built-in one.",
}
SCORE_CHECKS = {
    "scores_in_range": "Probabilities lie between 0 and 1, amounts are not negative, percentiles within 0 and 100.",
    "one_score_per_person": "Nobody has two scores, and everybody who has one exists.",
}
MODEL_COLUMNS = {
    "prediction": ("VARCHAR", "Name of the prediction."),
    "model_id": ("VARCHAR", "Hash of training rows, parameters and code; empty when training failed."),
    "champion": ("VARCHAR", "Candidate that won the backtest."),
    "as_of": ("DATE", "Day up to which the model has seen data."),
    "rows": ("BIGINT", "Rows it was trained on."),
    "metrics": ("VARCHAR", "Mean backtest metrics of each candidate, as JSON."),
    "parameters": ("VARCHAR", "Parameters and features, as JSON."),
    "parent": ("VARCHAR", "Id of the model before it."),
    "problem": ("VARCHAR", "Why there is no model, in words."),
    "current": ("BOOLEAN", "Whether scores come from this model."),
}
SCORE_COLUMNS = {
    "profile_id": ("VARCHAR", "The person."),
    **{part.column: (part.sql_type, f"{part.description}.") for part in PARTS},
    "changes": ("DOUBLE[]", "By how much each of the reasons moves the score, against the feature's usual value."),
}


def build_prediction_assets(project: Project, forecast: Forecast) -> list[dg.AssetsDefinition]:
    """The model and the scores of one prediction."""
    return [_model_asset(project, forecast), _score_asset(project, forecast)]


def model_key(name: str) -> dg.AssetKey:
    """Key of the asset of a model."""
    return dg.AssetKey(["predictions", f"{name}_model"])


def score_key(name: str) -> dg.AssetKey:
    """Key of the asset of scores."""
    return dg.AssetKey(["predictions", name])


def _model_asset(project: Project, forecast: Forecast) -> dg.AssetsDefinition:
    key, described = model_key(forecast.name), MODEL_CHECKS | (OWN_CHECKS if forecast.spec.is_python else {})

    @dg.asset(
        key=key,
        deps=_inputs(project, forecast),
        group_name="predictions",
        kinds={"python", "scikitlearn"} if forecast.spec.is_python else {"scikitlearn", "scipy"},
        owners=owners(forecast.owner, project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        code_version=model_definition(project, forecast),
        check_specs=checks(key, described, warn_only=list(described)),
        metadata=schema(MODEL_COLUMNS),
        description=_description(
            forecast, "A model trained on past dates and tested on later ones; the best candidate is kept."
        ),
    )
    def model(lake: Lake) -> dg.MaterializeResult:
        report = train(lake, project, forecast)
        found = {
            "enough_history": enough_history(report.model),
            "beats_baseline": beats_baseline(forecast, report.model),
            "beats_built_in": beats_built_in(forecast, report.model),
            "label_rate": label_rate(report.model),
        }
        results = [outcome(name, found[name], warn=True) for name in described]
        return dg.MaterializeResult(metadata=_model_metadata(forecast, report), check_results=results)

    return model


def _score_asset(project: Project, forecast: Forecast) -> dg.AssetsDefinition:
    key = score_key(forecast.name)

    @dg.asset(
        key=key,
        deps=[model_key(forecast.name), *_inputs(project, forecast)],
        group_name="predictions",
        kinds={"duckdb"},
        owners=owners(forecast.owner, project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        code_version=score_definition(project, forecast),
        check_specs=checks(key, SCORE_CHECKS | MOVING_CHECKS, warn_only=list(MOVING_CHECKS)),
        metadata=schema(SCORE_COLUMNS),
        description=_description(forecast, "One row per person the prediction is about."),
    )
    def scores(lake: Lake) -> dg.MaterializeResult:
        report = score(lake, project, forecast)
        with lake.get_connection() as con:
            results = [
                outcome("scores_in_range", scores_in_range(con, forecast)),
                outcome("one_score_per_person", one_score_per_person(con, forecast)),
            ]
            moving, past = newest_drifts(con, forecast.name), newest_outcomes(con, forecast.name)
            picture = score_picture(con, forecast)
        found = {
            "scores_stable": stable(moving, "score"),
            "features_stable": stable(moving, "behaviour"),
            "keeps_promise": keeps_promise(forecast, past),
        }
        results += [outcome(name, found[name], warn=True) for name in MOVING_CHECKS]
        metadata = report_metadata(report) | schema_now(lake, scores_table(forecast.name), SCORE_COLUMNS)
        if picture:
            metadata["distribution"] = dg.MetadataValue.md(picture)
        if moving:
            metadata["drift"] = dg.MetadataValue.md(drift_table(moving))
        if past:
            metadata["outcomes"] = dg.MetadataValue.md(outcome_table(past))
        return dg.MaterializeResult(metadata=metadata | {ROW_COUNT: report.people}, check_results=results)

    return scores


def _inputs(project: Project, forecast: Forecast) -> list[dg.AssetKey]:
    feeds = [*stored_tables(project, forecast.entity), *(f"metrics/{n}" for n in project.metrics_of(forecast.entity))]
    return [STITCHED, *(dg.AssetKey(feed.split("/")) for feed in feeds)]


def _model_metadata(forecast: Forecast, report: TrainingReport) -> dict[str, Any]:
    model = report.model
    metadata: dict[str, Any] = {"trained_now": report.trained, "model": model_words(model)}
    if model is None or model.model_id is None:
        return metadata
    return metadata | {
        "champion": model.champion,
        "model_id": model.model_id,
        "as_of": model.as_of.isoformat(),
        "rows": model.rows,
        "backtest": dg.MetadataValue.md(backtest_table(report.results, forecast)),
        "metric": dg.MetadataValue.md(metric_picture(model.metrics, forecast)),
        **{name: dg.MetadataValue.md(drawn) for name, drawn in model_pictures(forecast, model).items()},
        "card": dg.MetadataValue.md(card_page(forecast, model, report.results)),
        "parameters": dg.MetadataValue.json(dict(model.parameters)),
    }


def _description(forecast: Forecast, words: str) -> str:
    about = forecast.spec.description or forecast.spec.title or sentence(forecast) + "."
    return (
        f"{about}\n\n{pictures.markdown(pictures.pipeline('predictions'), 'stage predictions')}\n\n"
        f"{sentence(forecast)}, trained {_often(forecast)}. {words}"
    )


def _often(forecast: Forecast) -> str:
    return {"always": "with every change of the data"}.get(forecast.spec.retrain, forecast.spec.retrain)
