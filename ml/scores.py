"""Scores of everybody a prediction is about, with percentiles and bands."""

from datetime import date

import duckdb
import pyarrow as pa

from ml.bands import parse_bands, percentile_ranks
from ml.features import Features
from ml.histories import Seen, stage_history
from ml.model import load_champion
from ml.registry import Model
from ml.rows import Rows, Vector
from ml.training import known_sql, read_rows
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.project import Forecast, Project
from profiles_assets.traits.compile import select_all_traits
from profiles_assets.traits.derived import stored_tables
from profiles_assets.traits.evaluate import stage_people
from resources.tables import columns, quote

Con = duckdb.DuckDBPyConnection

COLUMNS = "profile_id VARCHAR, score DOUBLE, percentile DOUBLE, band VARCHAR"
SCHEMA = pa.schema(
    [("profile_id", pa.string()), ("score", pa.float64()), ("percentile", pa.float64()), ("band", pa.string())]
)
STAGED = "staged_scores"


def scores_table(prediction: str) -> str:
    """Table (profile_id, score, percentile, band) of a prediction."""
    return f"predictions.{quote(prediction)}"


def stage_scores(con: Con, project: Project, forecast: Forecast, model: Model | None, as_of: date) -> None:
    """Temporary table of scores as of the newest day; empty where there is no model."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE {STAGED} ({COLUMNS})")
    if model is None or model.model_id is None:
        return
    rows = current_rows(con, project, forecast, model.parameters["features"], as_of)
    if len(rows):
        scores = load_champion(con, forecast, model).predict(rows)
        con.register("scored", scored(forecast, rows, scores))
        con.execute(f"INSERT INTO {STAGED} FROM scored")
        con.unregister("scored")


def current_rows(con: Con, project: Project, forecast: Forecast, features: Features, as_of: date) -> Rows:
    """People the prediction is about now, with their features, from the tables of the sections."""
    stage_people(con, forecast.entity)
    create_attribution(con, project, forecast.entity)
    stage_history(con, project, forecast, Seen(as_of), "history_now")
    tables = stored_tables(project, forecast.entity).values()
    traits = select_all_traits(project, forecast.entity, tables, "people", f"DATE '{as_of}'")
    con.execute(f"CREATE OR REPLACE TEMP TABLE traits_now AS {traits}")
    have = columns(con, "traits_now")
    known = known_sql(forecast, features, have, as_of, ("traits_now", "people", "history_now"))
    con.execute(f"CREATE OR REPLACE TEMP TABLE known_now AS {known}")
    return read_rows(con, "known_now", features)


def scored(forecast: Forecast, rows: Rows, scores: Vector) -> pa.Table:
    """Scores with their percentiles and, where bands are declared, their bands."""
    bands = parse_bands(forecast.spec.bands).labels(scores) if forecast.spec.bands else [None] * len(rows)
    columns_ = [rows.frame["profile_id"].to_numpy(object), scores, percentile_ranks(scores), bands]
    return pa.table([pa.array(c, f.type) for c, f in zip(columns_, SCHEMA, strict=True)], schema=SCHEMA)
