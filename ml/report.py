"""Models and scores as tables and pictures for people."""

from collections.abc import Mapping, Sequence

import duckdb

from ml import charts
from ml.backtest import Result, deciding_metric, metrics_of
from ml.drift import CLEAR, SOME, Drift
from ml.outcomes import Outcome
from ml.registry import Model
from ml.scores import scores_table
from ml.targets import shown
from profiles_assets import pictures
from profiles_assets.project.project import Forecast
from resources.tables import exists

Con = duckdb.DuckDBPyConnection

BINS = 20


def backtest_table(results: Sequence[Result], forecast: Forecast) -> str:
    """Markdown table of every metric by date and model."""
    metrics = list(metrics_of(forecast))
    values = {(r.as_of, r.model, r.metric): r.value for r in results}
    rows = [
        f"| {day} | {model} | " + " | ".join(_number(values.get((day, model, metric))) for metric in metrics) + " |"
        for day, model in sorted({(r.as_of, r.model) for r in results})
    ]
    head = f"| as of | model | {' | '.join(metrics)} |"
    return "\n".join([head, "| --- " * (len(metrics) + 2) + "|", *rows])


def drift_table(found: Sequence[Drift]) -> str:
    """Markdown table of the PSI of scores and features."""
    rows = [f"| {one.feature} | {one.kind} | {one.psi:.3f} | {_reading(one.psi)} |" for one in found]
    return "\n".join(["| | | PSI | moved |", "| --- | --- | --- | --- |", *rows])


def outcome_table(found: Sequence[Outcome]) -> str:
    """Markdown table of what became of published scores, beside the backtest."""
    head = f"| scores of {found[0].as_of} | what happened by {found[0].closes} | backtest |"
    rows = [f"| {one.metric} | {_number(one.value)} | {_number(one.backtest)} |" for one in found]
    return "\n".join([head, "| --- | --- | --- |", *rows])


def _reading(psi: float) -> str:
    return "clearly" if psi >= CLEAR else "somewhat" if psi >= SOME else "no"


def metric_picture(metrics: Mapping[str, Mapping[str, float]], forecast: Forecast) -> str:
    """Bars of the deciding metric, one per model."""
    deciding = deciding_metric(forecast)
    found = [(name, float(f"{values[deciding]:.4g}")) for name, values in metrics.items() if deciding in values]
    better = "higher" if deciding == "gini" else "lower"
    return pictures.markdown(pictures.bars(found), f"mean {deciding} by model, {better} is better")


def score_picture(con: Con, forecast: Forecast) -> str:
    """Histogram of the scores, or nothing where there are none."""
    table = scores_table(forecast.name)
    if not exists(con, table):
        return ""
    row = con.execute(f"SELECT quantile_cont(score, 0.99), max(score) FROM {table}").fetchone()
    if row is None or row[0] is None:
        return ""
    top = 1.0 if forecast.spec.is_probability else float(row[0] or row[1] or 1)
    place = f"least(floor(greatest(score, 0) / {top} * {BINS}), {BINS - 1})::INT"
    found = dict(con.execute(f"SELECT {place}, count(*) FROM {table} GROUP BY 1").fetchall())
    counts = [int(found.get(place, 0)) for place in range(BINS)]
    labels = ["0", f"{top:,.3g}" if forecast.spec.is_probability else f"{top:,.3g} and more"]
    return pictures.markdown(charts.histogram("People by score", counts, labels), "how many people have which score")


def sentence(forecast: Forecast) -> str:
    """The prediction in words."""
    target, over = forecast.spec.predict, forecast.spec.over
    what = {
        "none": f"Probability of no `{target.event}`",
        "any": f"Probability of `{target.event}`",
        "count": f"Expected number of `{target.event}`",
        "sum": f"Expected sum of `{target.event}.{target.property}`",
        "becomes": f"Probability of coming to meet `{shown(target.met)}`",
    }[target.goal]
    return f"{what} in the {over} days after as_of"


def model_words(model: Model | None) -> str:
    """What became of a training, in a sentence."""
    if model is None:
        return "nothing has been trained yet"
    if model.problem:
        return model.problem
    words = f"{model.champion} of {model.as_of}, trained on {model.rows:,} rows"
    if better := model.parameters.get("challenger"):
        words += f"; the challenger {better['model']} is better, but in {better['wins']:.0%} of the draws only"
    return words


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"
