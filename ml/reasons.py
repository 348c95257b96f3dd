"""Why a score is what it is: by how much it moves when a feature takes its usual value.

The usual value is the lower median of everybody who is scored, of texts the most frequent one; the purchase
history counts as one feature, since its parts belong together. One feature is changed at a time, so of two that
say the same neither may move the score much.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ml.candidates import Candidate
from ml.custom import Custom
from ml.rows import Rows, Vector

MOST = 3
SMALLEST = 0.001  # as a share of the largest change there is


@dataclass(frozen=True)
class Reasons:
    """Names of features and the change each makes, shape (rows,) of lists, the largest change first."""

    names: list[list[str]]
    changes: list[list[float]]


def explained(model: Candidate, rows: Rows, scores: Vector, event: str) -> Reasons:
    """Up to three reasons of each row: features that move its score most, up or down."""
    moved = own_effects(model, rows) or dict(effects(model, rows, scores, event))
    if not moved or not len(rows):
        return Reasons([[] for _ in scores], [[] for _ in scores])
    names, matrix = np.array(list(moved), dtype=object), np.column_stack(list(moved.values()))
    least = SMALLEST * float(np.abs(matrix).max())
    order = np.argsort(-np.abs(matrix), axis=1, kind="stable")[:, :MOST]
    changes = np.take_along_axis(matrix, order, axis=1)
    kept = np.abs(changes) > least
    return Reasons(_kept(names[order], kept), _kept(changes, kept))


def own_effects(model: Candidate, rows: Rows) -> dict[str, Vector]:
    """What a Python model with `explain` says itself: a frame of changes with a column per feature."""
    return model.explain(rows) if isinstance(model, Custom) else {}


def effects(model: Candidate, rows: Rows, scores: Vector, event: str) -> Iterator[tuple[str, Vector]]:
    """Change that each feature makes: the score less the score with the feature's usual value, shape (rows,)."""
    told = {f"history of {event}": rows.history} if rows.history else {}
    usual = told | {name: [name] for name in sorted(rows.features)}
    for name, columns in usual.items():
        values = {column: usual_value(rows.frame[column]) for column in columns}
        changed = replace(rows, frame=rows.frame.assign(**values))
        yield name, scores - model.predict(changed)


def usual_value(values: pd.Series) -> Any:
    """Lower median of numbers, most frequent of texts (first by name of equals); missing where most are missing."""
    known = values.dropna()
    if 2 * len(known) < len(values) or known.empty:
        return np.nan if pd.api.types.is_numeric_dtype(values.dtype) else None
    if pd.api.types.is_numeric_dtype(values.dtype):
        return float(np.sort(known.to_numpy(np.float64))[(len(known) - 1) // 2])
    counts = known.value_counts()
    return min(counts.index[counts == counts.max()])


def _kept(values: NDArray[Any], kept: NDArray[np.bool_]) -> list[list[Any]]:
    return [list(row[chosen]) for row, chosen in zip(values, kept, strict=True)]
