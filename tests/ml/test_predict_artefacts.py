"""Trees as text and back, with nothing trusted but the types of trees."""

import base64
from typing import Any

import numpy as np
import pandas as pd
import pytest
from skops.io import dumps
from skops.io.exceptions import UntrustedTypesFoundException

from ml.artefacts import fitted_artefact, packed, unpacked
from ml.boosted import BoostedClassifier, BoostedRegressor
from tests.ml.predicting import calendar, forecast, training_set


def data(predict: str) -> tuple[pd.DataFrame, Any]:
    rows = training_set(forecast(predict), calendar(), 200).rows
    return rows.matrix, rows.label


@pytest.mark.parametrize("few", [False, True])
def test_probabilities_are_the_same_to_the_last_bit(few: bool) -> None:
    X, y = data("order_completed")
    X, y = (X[:20], y[:20]) if few else (X, y)  # too few to learn from: a constant
    made = BoostedClassifier(max_iter=20).fit(X, y)
    again = unpacked(packed(made))
    assert isinstance(again, BoostedClassifier)
    assert again.predict_proba(X).tobytes() == made.predict_proba(X).tobytes()
    assert again.get_params() == made.get_params()
    assert (again.predict(X) == made.predict(X)).all()


def test_amounts_are_the_same_to_the_last_bit() -> None:
    X, y = data("sum order_completed.total")
    made = BoostedRegressor(max_iter=20).fit(X, y)
    again = unpacked(packed(made))
    assert isinstance(again, BoostedRegressor)
    assert again.predict(X).tobytes() == made.predict(X).tobytes()


def test_other_types_are_not_loaded() -> None:
    hostile = base64.b64encode(dumps({"settings": {}, "columns": {}, "chance": np.random.default_rng})).decode()
    with pytest.raises(UntrustedTypesFoundException):
        unpacked(hostile)


def test_only_champions_with_trees_have_an_artefact() -> None:
    asked = forecast()
    rows = training_set(asked, calendar(), 100).rows
    assert fitted_artefact(asked, rows, "btyd") == fitted_artefact(asked, rows, "models/own.py") == ""
    assert unpacked(fitted_artefact(asked, rows, "blend"))
