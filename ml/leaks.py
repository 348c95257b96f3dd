"""Refuses features that know the future.

Whatever describes people as of a date tells at least as much of the horizon before it as of the one after it. A
feature that alone says nearly perfectly who will, and is much worse at saying who did, was made from what
happened later: a table written over since then, a property filled in afterwards, traits of another day. Where
traits are predicted, who did are those who meet the condition already, and who will are found among the others.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from ml.errors import PredictionError
from ml.metrics import auc
from ml.rows import Rows, Vector
from ml.targets import MET
from profiles_assets.project.project import Forecast

SUSPICIOUS, MUCH = 0.95, 0.1
FEWEST = 25


@dataclass(frozen=True)
class Leak:
    """A feature that tells what comes (`after`) better than what was (`before`), as areas under the curve."""

    feature: str
    as_of: date
    after: float
    before: float


def check_leaks(rows: Rows, forecast: Forecast) -> None:
    """Raise PredictionError when a feature knows the future, naming all that do."""
    worst: dict[str, Leak] = {}
    for leak in leaks(rows, forecast):
        known = worst.get(leak.feature)
        worst[leak.feature] = leak if known is None or leak.after > known.after else known
    if worst:
        told = ", ".join(
            f"{name} (as of {leak.as_of} AUC {leak.after:.2f} for the {forecast.spec.over} days after it, "
            f"{leak.before:.2f} for those before it)"
            for name, leak in sorted(worst.items())
        )
        raise PredictionError(f"features know the future: {told}; exclude them or load them as of their day")


def leaks(rows: Rows, forecast: Forecast) -> Iterator[Leak]:
    """Features that know the future, by date; dates on which few did or few did not say nothing."""
    for stamp, frame in rows.frame.groupby("_as_of", sort=True):
        did = frame[MET if forecast.spec.of_traits else "_recent"].fillna(0).to_numpy(np.float64) > 0
        label = frame["_label"].to_numpy(np.float64) > 0
        will = ~label if forecast.spec.predict.goal == "none" else label
        open_ = ~did if forecast.spec.of_traits else np.ones_like(did)
        if min(will[open_].sum(), (~will[open_]).sum()) < FEWEST:
            continue
        for name in rows.features:
            after = separation(frame[name][open_], will[open_])
            before = separation(frame[name], did) if after >= SUSPICIOUS else after
            if after - before > MUCH:
                yield Leak(name, pd.Timestamp(str(stamp)).date(), after, before)


def separation(values: pd.Series, happened: np.ndarray) -> float:
    """How well a feature alone tells two groups apart, 0.5 to 1, whichever way round and wherever the missing stand.

    Texts stand for the share it happened to among those who have them. 0.5 where there is only one group.
    """
    if pd.api.types.is_numeric_dtype(values.dtype):
        numbers = values.to_numpy(np.float64, na_value=np.nan)
    else:
        numbers = pd.Series(happened, index=values.index).groupby(values.fillna("")).transform("mean").to_numpy(float)
    found = [auc(happened, filled) for filled in _filled(numbers)]
    return max((max(a, 1 - a) for a in found if np.isfinite(a)), default=0.5)


def _filled(numbers: Vector) -> Iterator[Vector]:
    known = numbers[np.isfinite(numbers)]
    if not len(known):
        return
    missing = ~np.isfinite(numbers)
    for stand_in in (known.min() - 1, known.max() + 1) if missing.any() else (0.0,):
        yield np.where(missing, stand_in, numbers)
