"""Scores of everybody a prediction is about, with percentiles and bands."""

from datetime import date
from typing import Any

import duckdb
import pyarrow as pa

from ml.bands import parse_bands, percentile_ranks
from ml.candidates import Candidate
from ml.drift import Drift, drifts
from ml.features import Features
from ml.histories import Seen, stage_history
from ml.intervals import Intervals
from ml.model import load_champion
from ml.reasons import explained
from ml.registry import Model
from ml.rows import Rows, Vector
from ml.targets import keep_open
from ml.training import known_sql, read_rows
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.project import Forecast, Project
from profiles_assets.traits.compile import select_all_traits
from profiles_assets.traits.derived import stored_tables
from profiles_assets.traits.evaluate import stage_people
from resources.tables import columns, quote

Con = duckdb.DuckDBPyConnection

SCHEMA = pa.schema(
    [
        ("profile_id", pa.string()),
        ("score", pa.float64()),
        ("percentile", pa.float64()),
        ("band", pa.string()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("reasons", pa.list_(pa.string())),
        ("changes", pa.list_(pa.float64())),
        ("version", pa.string()),
        ("as_of", pa.date32()),
    ]
)
STAGED = "staged_scores"


def scores_table(prediction: str) -> str:
    """Table of the scores of a prediction, with the columns of SCHEMA."""
    return f"predictions.{quote(prediction)}"


def stage_scores(con: Con, project: Project, forecast: Forecast, model: Model | None, as_of: date) -> list[Drift]:
    """Temporary table of scores as of the newest day, empty where there is no model; returns how far all has moved."""
    con.register("scored", SCHEMA.empty_table())
    found: list[Drift] = []
    if model is not None and model.model_id is not None:
        rows = current_rows(con, project, forecast, model.parameters["features"], as_of)
        if len(rows):
            table = scored(forecast, rows, load_champion(con, forecast, model), model, as_of)
            con.register("scored", table)
            scores = table["score"].to_numpy()
            found = drifts(project, forecast, model.parameters.get("shapes", {}), rows, scores)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {STAGED} AS FROM scored")
    con.unregister("scored")
    return found


def current_rows(con: Con, project: Project, forecast: Forecast, features: Features, as_of: date) -> Rows:
    """People the prediction is about now, with their features, from the tables of the sections."""
    stage_people(con, forecast.entity)
    create_attribution(con, project, forecast.entity)
    if not forecast.spec.of_traits:
        stage_history(con, project, forecast, Seen(as_of), "history_now")
    tables = stored_tables(project, forecast.entity).values()
    traits = select_all_traits(project, forecast.entity, tables, "people", f"DATE '{as_of}'")
    con.execute(f"CREATE OR REPLACE TEMP TABLE traits_now AS {traits}")
    have = columns(con, "traits_now")
    known = known_sql(forecast, features, have, as_of, ("traits_now", "people", "history_now"))
    con.execute(f"CREATE OR REPLACE TEMP TABLE known_now AS {known}")
    keep_open(con, forecast, "known_now")
    return read_rows(con, "known_now", features)


def scored(forecast: Forecast, rows: Rows, champion: Candidate, model: Model, as_of: date) -> pa.Table:
    """Scores with their percentiles, declared bands, intervals of amounts, and reasons."""
    scores = champion.predict(rows)
    bands = parse_bands(forecast.spec.bands).labels(scores) if forecast.spec.bands else [None] * len(rows)
    why = explained(champion, rows, scores, forecast.spec.predict.event)
    low, high = _interval(model, scores)
    start = [rows.frame["profile_id"].to_numpy(object), scores, percentile_ranks(scores), bands, low, high]
    rest = [why.names, why.changes, [model.model_id] * len(rows), [as_of] * len(rows)]
    return pa.table([pa.array(c, f.type) for c, f in zip([*start, *rest], SCHEMA, strict=True)], schema=SCHEMA)


def _interval(model: Model, scores: Vector) -> tuple[Any, Any]:
    told = model.parameters.get("intervals")
    return Intervals.from_dict(told).around(scores) if told else ([None] * len(scores), [None] * len(scores))
