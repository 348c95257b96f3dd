"""Model cards: what a model predicts, from what, how well, and what it does not know, as JSON and as Markdown.

`ops.model_cards` has one per training that gave a model (Mitchell et al. 2019, "Model cards for model reporting").
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any

import duckdb

from ml.backtest import Result, beats_baseline, deciding_metric
from ml.registry import Model
from ml.report import backtest_table, sentence
from profiles_assets.project.project import Forecast
from resources.tables import exists

Con = duckdb.DuckDBPyConnection
Card = dict[str, Any]

CARDS = "ops.model_cards"
MOST_FEATURES = 15


def model_card(forecast: Forecast, model: Model, results: Sequence[Result]) -> Card:
    """The card of a trained model as plain values."""
    told = model.parameters
    return {
        "prediction": forecast.name,
        "title": forecast.spec.title,
        "description": forecast.spec.description,
        "owner": forecast.owner,
        "predicts": sentence(forecast),
        "about": {"entity": forecast.entity, "among": dict(forecast.spec.among)},
        "model_id": model.model_id,
        "parent": model.parent,
        "as_of": model.as_of.isoformat(),
        "champion": model.champion,
        "challenger": told.get("challenger"),
        "training": [
            {"as_of": day, "rows": rows, "mean_outcome": mean} for day, rows, mean in told.get("training", [])
        ],
        "rows": model.rows,
        "features": dict(told["features"]),
        "decided_by": deciding_metric(forecast),
        "metrics": {name: dict(values) for name, values in model.metrics.items()},
        "backtest": [
            {"as_of": r.as_of.isoformat(), "model": r.model, "metric": r.metric, "value": r.value} for r in results
        ],
        "calibration": [
            {"predicted": predicted, "actual": actual, "people": people}
            for predicted, actual, people in told.get("reliability") or told.get("deciles") or []
        ],
        "gains": [{"people": share, "caught": caught} for share, caught in told.get("lift_curve", [])],
        "importance": [{"feature": name, "loss": loss} for name, loss in told.get("importance", [])],
        "limits": list(limits(forecast, model)),
        "purchases": told.get("btyd"),
        "code_version": told.get("code_version"),
    }


def limits(forecast: Forecast, model: Model) -> Iterable[str]:
    """What a reader of the scores has to know, in sentences."""
    tested = len(model.metrics) > 0
    days = [day for day, *_ in model.parameters.get("training", [])]
    if days:
        yield f"It has learnt from people as of {days[0]} to {days[-1]}; what has changed since, it does not know."
    yield f"It says nothing about other horizons than {forecast.spec.over} days."
    if forecast.spec.among:
        yield "People whom `among` leaves out have no score."
    if model.champion in ("btyd", "blend"):
        yield "Its purchase model gives everybody without any purchase the same score."
    if forecast.spec.is_python:
        yield "It is a Python file of the project, which answers for it."
    if not tested:
        yield "It has not been tested: there were no people on the dates that could be."
    elif not beats_baseline(forecast, model.metrics, str(model.champion)):
        yield "In the backtest it is no better than a naive guess."
    yield "Importance and reasons tell what moves the score, not what would change people."


def card_markdown(card: Card, table: str) -> str:
    """The card as a page; `table` is the backtest as a Markdown table."""
    about, why = card["about"], card["description"] or card["title"]
    told = {
        "model": f"`{card['model_id']}`, `{card['champion']}`, as of {card['as_of']}",
        "before it": f"`{card['parent']}`" if card["parent"] else "none",
        "owner": card["owner"] or "nobody",
        "about": f"every {about['entity']}" + "".join(f", {name} {wanted}" for name, wanted in about["among"].items()),
    }
    parts = [
        f"# {card['prediction']}",
        " ".join(filter(None, [f"{card['predicts']}.", why])),
        "\n".join(f"- {name}: {words}" for name, words in told.items()),
        "## Trained on",
        _table(["as of", "people", "mean outcome"], card["training"]),
        f"{len(card['features'])} features: {', '.join(sorted(card['features'])) or 'the history of the event alone'}.",
        f"## Tested by {card['decided_by']}",
        table,
        "## Calibration",
        _table(["predicted", "actual", "people"], card["calibration"]),
        "## Importance",
        _table(["feature", "loss without it"], card["importance"][:MOST_FEATURES]),
        "## Limits",
        "\n".join(f"- {words}" for words in card["limits"]),
    ]
    return "\n\n".join(parts) + "\n"


def card_page(forecast: Forecast, model: Model, results: Sequence[Result]) -> str:
    """The card of a trained model as Markdown."""
    return card_markdown(model_card(forecast, model, results), backtest_table(results, forecast))


def save_card(con: Con, forecast: Forecast, model: Model, results: Sequence[Result]) -> None:
    """Keep the card of a trained model, in the caller's transaction; a failed training has none."""
    if model.model_id is None:
        return
    con.execute(
        f"CREATE TABLE IF NOT EXISTS {CARDS} "
        "(prediction VARCHAR, model_id VARCHAR, as_of DATE, card VARCHAR, markdown VARCHAR)"
    )
    con.execute(f"DELETE FROM {CARDS} WHERE prediction = ? AND model_id = ?", [model.prediction, model.model_id])
    card, page = model_card(forecast, model, results), card_page(forecast, model, results)
    values = [model.prediction, model.model_id, model.as_of, json.dumps(card, sort_keys=True), page]
    con.execute(f"INSERT INTO {CARDS} VALUES (?, ?, ?, ?, ?)", values)


def read_card(con: Con, prediction: str, model_id: str | None = None) -> tuple[Card, str] | None:
    """Card and page of a model by its id, or of the model in use; None where there is none."""
    if not exists(con, CARDS):
        return None
    in_use = "SELECT model_id FROM ops.models WHERE prediction = $name AND current"
    row = con.execute(
        f"SELECT card, markdown FROM {CARDS} WHERE prediction = $name AND model_id = coalesce($id, ({in_use}))",
        {"name": prediction, "id": model_id},
    ).fetchone()
    return (json.loads(row[0]), str(row[1])) if row else None


def _table(head: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    if not rows:
        return "None."
    lines = ["| " + " | ".join(map(_shown, row.values())) + " |" for row in rows]
    return "\n".join([f"| {' | '.join(head)} |", "| --- " * len(head) + "|", *lines])


def _shown(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float) else f"{value:,}" if isinstance(value, int) else str(value)
