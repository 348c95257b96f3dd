"""Gradient boosting over the traits of a profile, for probabilities and for money.

Columns may be numeric, boolean or text. What a column is, and which texts it holds, is settled by `fit`:
texts unseen then count as missing later, and so do NaN, infinities and nulls.
"""

from dataclasses import dataclass
from numbers import Number
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Matrix = NDArray[np.float64]

MOST_CATEGORIES = 255  # what histogram-based trees can hold in one column


@dataclass(frozen=True)
class Features:
    """The columns seen by `fit` in order; text columns with their known texts, others with None."""

    columns: dict[str, tuple[str, ...] | None]

    @classmethod
    def of(cls, frame: pd.DataFrame) -> Self:
        """Settle what each column is; ValueError on columns of another kind or of equal names."""
        if frame.shape[1] == 0 or not frame.columns.is_unique:
            raise ValueError("features need at least one column, each with a name of its own")
        return cls({str(name): _categories(str(name), frame[name]) for name in frame.columns})

    def matrix(self, frame: pd.DataFrame) -> Matrix:
        """Return shape (rows, columns), texts as their place in the list; ValueError on missing columns."""
        missing = [name for name in self.columns if name not in frame.columns]
        if missing:
            raise ValueError(f"columns that were there at fit are missing: {', '.join(missing)}")
        codes = [_codes(frame[name], known) for name, known in self.columns.items()]
        return np.column_stack(codes) if len(frame) else np.empty((0, len(codes)))

    @property
    def categorical(self) -> list[bool]:
        """Tell which columns hold texts."""
        return [known is not None for known in self.columns.values()]


@dataclass(frozen=True)
class Trees:
    """Fitted trees on the columns that vary, or a constant where there is nothing to learn from."""

    model: Any
    varying: NDArray[np.bool_]
    constant: float

    def predict(self, matrix: Matrix) -> Matrix:
        """Return the probability of 1, or the amount, shape (rows,)."""
        if self.model is None or len(matrix) == 0:
            return np.full(len(matrix), self.constant)
        used = matrix[:, self.varying]
        if hasattr(self.model, "predict_proba"):
            return np.asarray(self.model.predict_proba(used)[:, 1], np.float64)
        return np.asarray(self.model.predict(used), np.float64)


@dataclass
class Boosted:
    """Settings that both estimators share; rows must come in a fixed order for equal results."""

    max_iter: int = 100
    learning_rate: float = 0.06
    max_leaf_nodes: int = 8
    min_samples_leaf: int = 40
    l2_regularization: float = 1.0
    random_state: int = 0

    def get_params(self, deep: bool = True) -> dict[str, Any]:  # noqa: ARG002
        """Return the settings, as scikit-learn asks of an estimator."""
        return {name: getattr(self, name) for name in self.__dataclass_fields__}

    def set_params(self, **settings: Any) -> Self:
        """Change settings and return the estimator; ValueError on unknown ones."""
        unknown = sorted(set(settings) - set(self.__dataclass_fields__))
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(unknown)}")
        for name, value in settings.items():
            setattr(self, name, value)
        return self

    def _learn(self, frame: pd.DataFrame) -> Matrix:
        self.features_ = Features.of(frame)
        return self.features_.matrix(frame)

    def _trees(self, estimator: str, matrix: Matrix, target: Matrix, **settings: Any) -> Trees:
        import sklearn.ensemble

        varying = np.array([_varies(column) for column in matrix.T])
        constant = float(target.mean()) if len(target) else 0.0
        if len(target) < 2 * self.min_samples_leaf or not _varies(target) or not varying.any():
            return Trees(None, varying, constant)
        settings |= {"categorical_features": np.array(self.features_.categorical)[varying]}
        build = getattr(sklearn.ensemble, estimator)
        model = build(early_stopping=False, **settings, **self.get_params())
        return Trees(model.fit(matrix[:, varying], target), varying, constant)

    def _chance(self, matrix: Matrix, happened: Matrix) -> Trees:
        return self._trees("HistGradientBoostingClassifier", matrix, happened)


@dataclass
class BoostedClassifier(Boosted):
    """Probability of something happening."""

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        """Fit to outcomes 0 or 1 of shape (rows,); ValueError on other outcomes, or none."""
        happened = _target(X, y)
        if not np.isin(happened, (0, 1)).all():
            raise ValueError("outcomes must be 0 or 1")
        self.classes_ = np.array([0, 1])
        self.chance_ = self._chance(self._learn(X), happened)
        return self

    def predict_proba(self, X: pd.DataFrame) -> Matrix:
        """Return the probabilities of 0 and of 1, shape (rows, 2)."""
        happens = self.chance_.predict(self.features_.matrix(X))
        return np.column_stack([1 - happens, happens])

    def predict(self, X: pd.DataFrame) -> NDArray[np.intp]:
        """Return the likelier outcome, 0 or 1, shape (rows,)."""
        return (self.predict_proba(X)[:, 1] >= 0.5).astype(np.intp)


@dataclass
class BoostedRegressor(Boosted):
    """Expected money, much of it 0 and a little of it large.

    The chance of spending anything times the expected amount if so: a hurdle. Amounts use the gamma loss,
    whose error is relative, so that a few large customers do not decide every split. Its steps fall short
    upwards, so predictions are scaled to the total of the amounts that were fitted.
    """

    def fit(self, X: pd.DataFrame, y: ArrayLike) -> Self:
        """Fit to amounts of shape (rows,), those below 0 counting as 0; ValueError on missing amounts."""
        amount = np.maximum(_target(X, y), 0.0)
        matrix, spends = self._learn(X), amount > 0
        unit = float(amount[spends].mean()) if spends.any() else 1.0
        self.chance_ = self._chance(matrix, spends.astype(np.float64))
        self.amount_ = self._amount(matrix[spends], amount[spends] / unit)
        total = float(self._relative(matrix).sum())
        self.unit_ = float(amount.sum()) / total if total > 0 else unit
        return self

    def predict(self, X: pd.DataFrame) -> NDArray[np.float64]:
        """Return the expected amount, shape (rows,), in the unit of the amounts that were fitted."""
        return self._relative(self.features_.matrix(X)) * self.unit_

    def _relative(self, matrix: Matrix) -> Matrix:
        return self.chance_.predict(matrix) * self.amount_.predict(matrix)

    def _amount(self, matrix: Matrix, amount: Matrix) -> Trees:
        return self._trees("HistGradientBoostingRegressor", matrix, amount, loss="gamma")


def _target(frame: pd.DataFrame, y: ArrayLike) -> Matrix:
    target = np.asarray(y, dtype=np.float64)
    if target.shape != (len(frame),) or len(frame) == 0:
        raise ValueError(f"a target for each of {len(frame)} rows is needed, not shape {target.shape}")
    if not np.isfinite(target).all():
        raise ValueError("targets must not be missing or infinite")
    return target


def _categories(name: str, values: pd.Series) -> tuple[str, ...] | None:
    """Return the most common texts in alphabetical order, or None for a column of numbers."""
    if pd.api.types.is_numeric_dtype(values.dtype):
        return None
    known = values.dropna().astype(object)
    kinds = {_kind(value) for value in known}
    if kinds <= {"number"}:
        return None
    if kinds != {"text"}:
        raise ValueError(f"column {name} holds {' and '.join(sorted(kinds))}: use numbers, booleans or text")
    counts = known.value_counts()
    ranked = sorted(counts.index, key=lambda text: (-counts[text], text))
    return tuple(sorted(ranked[:MOST_CATEGORIES]))


def _varies(values: Matrix) -> bool:
    known = values[~np.isnan(values)]
    return len(known) > 0 and bool(len(known) < len(values) or known.min() < known.max())


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "text"
    return "number" if isinstance(value, (Number, np.bool_)) else type(value).__name__


def _codes(values: pd.Series, known: tuple[str, ...] | None) -> Matrix:
    if known is None:
        numbers = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        return np.where(np.isfinite(numbers), numbers, np.nan)
    codes = pd.Index(known, dtype=object).get_indexer(pd.Index(values, dtype=object))
    return np.where(codes < 0, np.nan, codes)
