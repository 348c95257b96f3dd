"""Trained models in the lake: what each came from, how it was tested, and which one is in use.

`ops.models` has a row per training, `ops.backtests` its metrics by date, and
`predictions."<name>__rows"` the rows that the model in use was trained on. Purchase models are kept as their
few parameters, trees in `ops.artefacts`. Fitting is deterministic, so what cannot be read is fitted again from the
stored rows, and nothing has to be unpickled.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Any

import duckdb

from ml.artefacts import write_artefact
from ml.backtest import Result
from resources.tables import adopt_columns, columns, create_like, exists, quote

Con = duckdb.DuckDBPyConnection

MODELS, BACKTESTS = "ops.models", "ops.backtests"
COLUMNS = (
    "prediction VARCHAR, model_id VARCHAR, champion VARCHAR, as_of DATE, rows BIGINT, metrics VARCHAR, "
    "parameters VARCHAR, definition VARCHAR, inputs VARCHAR, problem VARCHAR, current BOOLEAN, parent VARCHAR"
)

WRITTEN = (
    "prediction", "model_id", "champion", "as_of", "rows", "metrics", "parameters", "definition", "inputs", "problem",
    "parent",
)  # fmt: skip
NAMED = ", ".join(f"? AS {name}" for name in WRITTEN)


@dataclass(frozen=True)
class Model:
    """A trained model, or a training that failed and its `problem`."""

    prediction: str
    as_of: date
    definition: str
    inputs: str
    model_id: str | None = None
    champion: str | None = None
    rows: int = 0
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    problem: str | None = None
    parent: str | None = None
    trees: str = field(default="", repr=False, compare=False)


def rows_table(prediction: str) -> str:
    """Table of the rows that the model in use was trained on."""
    return f"predictions.{quote(prediction + '__rows')}"


def current_model(con: Con, prediction: str) -> Model | None:
    """The model in use, or the failed training in its place; None when nothing was ever trained."""
    return _model(con, "prediction = ? AND current", [prediction])


def model_of(con: Con, prediction: str, model_id: str) -> Model | None:
    """A model by its id, in use or not; None when there is none."""
    return _model(con, "prediction = ? AND model_id = ?", [prediction, model_id])


def _model(con: Con, where: str, values: list[str]) -> Model | None:
    if not exists(con, MODELS):
        return None
    have = columns(con, MODELS)
    names = [f.name for f in fields(Model) if f.name in have]
    row = con.execute(f"SELECT {', '.join(names)} FROM {MODELS} WHERE {where}", values).fetchone()
    if row is None:
        return None
    told = dict(zip(names, row, strict=True))
    return Model(**told | {name: json.loads(told[name]) for name in ("metrics", "parameters")})


def backtests(con: Con, model: Model) -> list[Result]:
    """Every metric of a model's backtest."""
    rows = con.execute(
        f"SELECT model, as_of, metric, value FROM {BACKTESTS} WHERE prediction = ? AND model_id = ? ORDER BY ALL",
        [model.prediction, model.model_id],
    ).fetchall()
    return [Result(*row) for row in rows]


def save(con: Con, model: Model, results: Iterable[Result], staged_rows: str) -> None:
    """Make a model the one in use, in the caller's transaction; a failed training keeps no rows."""
    con.execute(f"CREATE TABLE IF NOT EXISTS {MODELS} ({COLUMNS})")
    con.execute(f"ALTER TABLE {MODELS} ADD COLUMN IF NOT EXISTS parent VARCHAR")
    con.execute(
        f"CREATE TABLE IF NOT EXISTS {BACKTESTS} "
        "(prediction VARCHAR, model_id VARCHAR, model VARCHAR, as_of DATE, metric VARCHAR, value DOUBLE)"
    )
    key = [model.prediction, model.model_id]
    con.execute(f"DELETE FROM {MODELS} WHERE prediction = ? AND model_id IS NOT DISTINCT FROM ?", key)
    con.execute(f"UPDATE {MODELS} SET current = false WHERE prediction = ? AND current", key[:1])
    con.execute(f"INSERT INTO {MODELS} BY NAME SELECT {NAMED}, true AS current", _values(model))
    con.execute(f"DELETE FROM {BACKTESTS} WHERE prediction = ? AND model_id = ?", key)
    values = zip(*((r.model, r.as_of, r.metric, r.value) for r in results), strict=True)
    if lists := [list(column) for column in values]:
        parts = ", ".join(f"unnest(?::{kind}[])" for kind in ("VARCHAR", "DATE", "VARCHAR", "DOUBLE"))
        con.execute(f"INSERT INTO {BACKTESTS} SELECT ?, ?, {parts}", [*key, *lists])
    write_artefact(con, model.prediction, model.model_id, model.trees)
    _replace_rows(con, rows_table(model.prediction), staged_rows if model.model_id else "")


def _values(model: Model) -> list[Any]:
    texts = [json.dumps(part, sort_keys=True) for part in (model.metrics, model.parameters)]
    start = [model.prediction, model.model_id, model.champion, model.as_of, model.rows]
    return [*start, *texts, model.definition, model.inputs, model.problem, model.parent]


def _replace_rows(con: Con, table: str, staged: str) -> None:
    if staged:
        create_like(con, table, staged)
        adopt_columns(con, table, staged)
    if exists(con, table):
        con.execute(f"DELETE FROM {table}")
    if staged:
        con.execute(f"INSERT INTO {table} BY NAME FROM {staged}")
