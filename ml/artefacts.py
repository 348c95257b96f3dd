"""Fitted trees in the lake, through skops: data that is loaded, never code that is run.

`ops.artefacts` has those of the models in use. Only the types of the built-in trees are trusted, and only what the same
scikit-learn has written is read; in any other case the trees are fitted again, which gives the same ones.
"""

import base64
import zipfile
from importlib.metadata import version
from typing import Any

import duckdb
import numpy as np

from ml.boosted import BoostedClassifier, BoostedRegressor, Features, Trees
from ml.candidates import Trees as TreesCandidate
from ml.rows import Rows
from profiles_assets.project.project import Forecast
from resources.tables import exists

Con = duckdb.DuckDBPyConnection

ARTEFACTS = "ops.artefacts"
COLUMNS = "prediction VARCHAR, model_id VARCHAR, format VARCHAR, content VARCHAR"
TRUSTED = (
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)


def packed(estimator: BoostedClassifier | BoostedRegressor) -> str:
    """A fitted estimator of trees as text: base64 of what skops writes."""
    from skops.io import dumps  # type: ignore[import-untyped]

    told: dict[str, Any] = {
        "settings": estimator.get_params(),
        "columns": {name: known and list(known) for name, known in estimator.features_.columns.items()},
        "chance": _told(estimator.chance_),
    }
    if isinstance(estimator, BoostedRegressor):
        told |= {"amount": _told(estimator.amount_), "unit": estimator.unit_}
    return base64.b64encode(dumps(told, compression=zipfile.ZIP_DEFLATED)).decode()


def unpacked(text: str) -> BoostedClassifier | BoostedRegressor:
    """The estimator that `packed` wrote. Raises skops' error where the text holds types that are not trusted."""
    from skops.io import loads

    told: dict[str, Any] = loads(base64.b64decode(text), trusted=list(TRUSTED))
    kind = BoostedRegressor if "amount" in told else BoostedClassifier
    estimator = kind(**told["settings"])
    estimator.features_ = Features({name: known and tuple(known) for name, known in told["columns"].items()})
    estimator.chance_ = Trees(**told["chance"])
    if isinstance(estimator, BoostedRegressor):
        estimator.amount_, estimator.unit_ = Trees(**told["amount"]), float(told["unit"])
    else:
        estimator.classes_ = np.array([0, 1])
    return estimator


def write_artefact(con: Con, prediction: str, model_id: str | None, content: str) -> None:
    """Keep the trees of the model in use in place of those before it, in the caller's transaction."""
    con.execute(f"CREATE TABLE IF NOT EXISTS {ARTEFACTS} ({COLUMNS})")
    con.execute(f"DELETE FROM {ARTEFACTS} WHERE prediction = ?", [prediction])
    if content:
        con.execute(f"INSERT INTO {ARTEFACTS} VALUES (?, ?, ?, ?)", [prediction, model_id, written_by(), content])


def stored_trees(con: Con, forecast: Forecast, model_id: str | None) -> TreesCandidate | None:
    """The trees of a model, ready to predict; None where they are not stored or by another scikit-learn."""
    if not exists(con, ARTEFACTS):
        return None
    row = con.execute(
        f"SELECT content FROM {ARTEFACTS} WHERE prediction = ? AND model_id = ? AND format = ?",
        [forecast.name, model_id, written_by()],
    ).fetchone()
    return TreesCandidate(forecast, unpacked(str(row[0]))) if row else None


def fitted_artefact(forecast: Forecast, rows: Rows, champion: str) -> str:
    """The trees of a champion, fitted and packed; empty for champions without built-in trees."""
    if champion not in ("boosted", "blend"):
        return ""
    fitted = TreesCandidate(forecast).fit(rows, rows.frame).estimator_
    assert fitted is not None
    return packed(fitted)


def written_by() -> str:
    """Versions that decide whether trees can be read."""
    return ", ".join(f"{name} {version(name)}" for name in ("skops", "scikit-learn"))


def _told(trees: Trees) -> dict[str, Any]:
    return {"model": trees.model, "varying": trees.varying, "constant": trees.constant}
