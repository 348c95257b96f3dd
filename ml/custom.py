"""Models that a project brings along: a Python file whose `Model()` follows the scikit-learn conventions.

It is fitted anew wherever it is needed, from the stored training rows, so nothing has to be unpickled; numpy's
and Python's global chance is seeded around it, so a model without a `random_state` learns the same each time.
"""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Self

import numpy as np
import pandas as pd

from ml.errors import PredictionError
from ml.rows import Rows, Vector
from ml.threads import one_thread
from profiles_assets.project.model_files import ANSWERS, ENTRY, LEARN
from profiles_assets.project.project import Forecast

SEED = 0


@dataclass
class Custom:
    """The model of a Python file as a candidate; whatever goes wrong in it is a PredictionError with its line."""

    forecast: Forecast

    def fit(self, rows: Rows, histories: pd.DataFrame) -> Self:  # noqa: ARG002
        """Fit a new estimator to a copy of what trees see, and to labels of shape (rows,)."""
        with running(self.forecast.spec.model):
            self.estimator_ = new_estimator(self.forecast)
            self.estimator_.fit(rows.matrix.reset_index(drop=True), rows.label.copy())
        return self

    def predict(self, rows: Rows) -> Vector:
        """Probability or amount of each row; amounts below 0 count as 0."""
        file, is_probability = self.forecast.spec.model, self.forecast.spec.is_probability
        answer = ANSWERS[0] if is_probability else ANSWERS[1]
        with running(file):
            given = getattr(self.estimator_, answer)(rows.matrix.reset_index(drop=True))
        predicted = checked(given, len(rows), f"{file}: {answer}", is_probability)
        return predicted if is_probability else np.maximum(predicted, 0.0)

    def explain(self, rows: Rows) -> dict[str, Vector]:
        """Changes by feature, shape (rows,) each, where the estimator has `explain`; otherwise nothing."""
        tell = getattr(self.estimator_, "explain", None)
        if not callable(tell):
            return {}
        with running(self.forecast.spec.model):
            told = pd.DataFrame(tell(rows.matrix.reset_index(drop=True)))
        what = f"{self.forecast.spec.model}: explain"
        return {str(name): checked(told[name], len(rows), what, is_probability=False) for name in sorted(told, key=str)}


def new_estimator(forecast: Forecast) -> Any:
    """What `Model()` of a file gives. Raises PredictionError when it is no estimator."""
    spec = forecast.spec
    module = ModuleType(f"project_{spec.model.removesuffix('.py').replace('/', '_')}")
    module.__file__ = str(spec.folder / spec.model) if spec.folder else spec.model
    sys.modules[module.__name__] = module  # dataclasses look their module up
    exec(compile(spec.source, spec.model, "exec"), module.__dict__)  # noqa: S102
    estimator = getattr(module, ENTRY)()
    for method in (LEARN, ANSWERS[0] if spec.is_probability else ANSWERS[1]):
        if not callable(getattr(estimator, method, None)):
            raise PredictionError(f"{spec.model}: {ENTRY}() gives a {type(estimator).__name__} without {method}")
    return estimator


def checked(given: Any, rows: int, what: str, is_probability: bool) -> Vector:
    """Numbers of shape (rows,) from what a model answered; of two columns the second, P(1), counts.

    Raises PredictionError for another shape, for missing numbers and for probabilities outside [0, 1].
    """
    try:
        found = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise PredictionError(f"{what} did not return numbers") from error
    if is_probability and found.shape == (rows, 2):
        found = found[:, 1]
    if found.shape != (rows,):
        wanted = f"({rows}, 2)" if is_probability else f"({rows},)"
        raise PredictionError(f"{what} returned shape {found.shape}; it should be {wanted}")
    if not np.isfinite(found).all():
        raise PredictionError(f"{what} returned {int((~np.isfinite(found)).sum())} missing or infinite numbers")
    if is_probability and not ((found >= 0) & (found <= 1)).all():
        raise PredictionError(f"{what} returned numbers outside 0 to 1")
    return found


@contextmanager
def running(file: str) -> Iterator[None]:
    """Run code of a file on one thread with chance seeded, and tell its failures in words."""
    numpy_state, state = np.random.get_state(), random.getstate()
    np.random.seed(SEED)  # what estimators without a random_state draw from
    random.seed(SEED)
    try:
        with one_thread():
            yield
    except PredictionError:
        raise
    except Exception as error:
        raise PredictionError(f"{_place(file, error)}: {type(error).__name__}: {error}") from error
    finally:
        np.random.set_state(numpy_state)
        random.setstate(state)


def _place(file: str, error: Exception) -> str:
    """File and the last line of it that was running."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return f"{file}:{line}" if line else file
