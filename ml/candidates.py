"""The models that compete for a prediction, behind one protocol.

`btyd`      Pareto/NBD, MBG/NBD or BG/NBD on each purchase history, with Gamma-Gamma for money. It says nothing
            about people who never bought: they get the mean outcome of such people in training.
`boosted`   gradient boosting on traits and purchase history.
`blend`     logit average of both for probabilities, geometric mean for amounts.

A Python file of the project stands beside all of them.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
import pandas as pd

from ml.blend import geometric_mean, logit_average
from ml.boosted import BoostedClassifier, BoostedRegressor
from ml.btyd import BGNBD, MBGNBD, GammaGamma, ParetoNBD
from ml.btyd.purchases import PurchaseModel
from ml.custom import Custom
from ml.rows import Rows, Vector
from ml.threads import one_thread
from profiles_assets.project.project import Forecast

MODELS = ("btyd", "boosted", "blend")
PURCHASE_MODELS: dict[str, type[PurchaseModel]] = {"ParetoNBD": ParetoNBD, "MBGNBD": MBGNBD, "BGNBD": BGNBD}
PENALTY = 1e-4


class Candidate(Protocol):
    """A model of one prediction."""

    def fit(self, rows: Rows, histories: pd.DataFrame) -> Self:
        """Learn from labelled rows, and from the purchase histories of everybody as of the newest date."""
        ...

    def predict(self, rows: Rows) -> Vector:
        """Probability or expected amount, shape (rows,)."""
        ...


@dataclass
class BuyTillYouDie:
    """Repeat buying until an unseen end; where nobody has bought again yet, everybody gets the mean."""

    forecast: Forecast
    purchases: PurchaseModel | None = None
    spend: GammaGamma | None = None
    per_day: float = 1.0
    elsewhere: float = 0.0

    def fit(self, rows: Rows, histories: pd.DataFrame) -> Self:
        """Fit to histories; the rows give the mean outcome of those who never bought."""
        strangers = rows.label[~rows.has_bought]
        self.elsewhere = float((strangers if len(strangers) else rows.label).mean())
        frequency, recency, age, monetary = (
            histories[name].to_numpy(np.float64) for name in ("_frequency", "_recency", "_age", "_monetary")
        )
        self.purchases = fit_purchases(frequency, recency, age)
        again = frequency > 0
        if again.any():
            self.per_day = float(frequency[again] @ monetary[again] / frequency[again].sum())
        if self.forecast.spec.predict.goal == "sum":
            self.spend = fit_spend(frequency[again], np.maximum(monetary[again], 0))
        return self

    def predict(self, rows: Rows) -> Vector:
        """Closed forms of the horizon for whoever has bought, the mean outcome for the others."""
        predicted = np.full(len(rows), self.elsewhere)
        bought = rows.has_bought
        if self.purchases is None or not bought.any():
            return predicted
        names = ("_frequency", "_recency", "_age", "_monetary")
        history = [rows.column(name)[bought] for name in names]
        predicted[bought] = self._answer(self.purchases, *history)
        return predicted

    def _answer(self, model: PurchaseModel, x: Vector, tx: Vector, age: Vector, monetary: Vector) -> Vector:
        goal, horizon = self.forecast.spec.predict.goal, self.forecast.spec.over
        if goal in ("none", "any"):
            buys = model.probability_of_purchase(horizon, x, tx, age)
            return 1 - buys if goal == "none" else buys
        expected = model.expected_purchases(horizon, x, tx, age)
        if self.spend is None:
            return expected * self.per_day
        return expected * self.spend.expected_spend(x, np.maximum(np.nan_to_num(monetary), 0))

    def to_dict(self) -> dict[str, Any]:
        """Parameters ready for JSON."""
        return {
            "purchases": self.purchases and {"model": type(self.purchases).__name__, **self.purchases.to_dict()},
            "spend": self.spend and self.spend.to_dict(),
            "per_day": self.per_day,
            "elsewhere": self.elsewhere,
        }

    @classmethod
    def from_dict(cls, forecast: Forecast, values: Mapping[str, Any]) -> Self:
        """The fitted model that `to_dict` described."""
        told = dict(values["purchases"] or {})
        purchases = PURCHASE_MODELS[told.pop("model")].from_dict(told) if told else None
        spend = GammaGamma.from_dict(values["spend"]) if values["spend"] else None
        return cls(forecast, purchases, spend, values["per_day"], values["elsewhere"])


@dataclass
class Trees:
    """Gradient boosting on everything that is known."""

    forecast: Forecast
    estimator_: BoostedClassifier | BoostedRegressor | None = None

    def fit(self, rows: Rows, histories: pd.DataFrame) -> Self:  # noqa: ARG002
        """Fit to labelled rows."""
        self.estimator_ = BoostedClassifier() if self.forecast.spec.is_probability else BoostedRegressor()
        with one_thread():
            self.estimator_.fit(rows.matrix, rows.label)
        return self

    def predict(self, rows: Rows) -> Vector:
        """Probability or amount of each row."""
        assert self.estimator_ is not None
        with one_thread():
            if isinstance(self.estimator_, BoostedClassifier):
                return np.asarray(self.estimator_.predict_proba(rows.matrix)[:, 1], np.float64)
            return self.estimator_.predict(rows.matrix)


@dataclass
class Blend:
    """Two fitted models as one."""

    forecast: Forecast
    first: Candidate
    second: Candidate

    def fit(self, rows: Rows, histories: pd.DataFrame) -> Self:
        """Fit both."""
        self.first.fit(rows, histories)
        self.second.fit(rows, histories)
        return self

    def predict(self, rows: Rows) -> Vector:
        """Mean of both on the scale of the prediction."""
        blend = logit_average if self.forecast.spec.is_probability else geometric_mean
        return blend(self.first.predict(rows), self.second.predict(rows))


def fit_purchases(frequency: Vector, recency: Vector, age: Vector) -> PurchaseModel | None:
    """The purchase model that explains the histories best, all having four parameters; None if nobody bought again."""
    fitted: list[PurchaseModel] = []
    for model in PURCHASE_MODELS.values():
        with suppress(ValueError):
            fitted.append(model.fit(frequency, recency, age, penalty=PENALTY))
    return max(fitted, key=lambda model: model.to_dict()["log_likelihood"], default=None)


def fit_spend(frequency: Vector, monetary: Vector) -> GammaGamma | None:
    """Gamma-Gamma; None where it finds no parameters or nobody spent anything."""
    try:
        return GammaGamma.fit(frequency, monetary, penalty=PENALTY)
    except ValueError:
        return None


def built_in(forecast: Forecast) -> tuple[str, ...]:
    """Built-in models that can answer a prediction, the simplest first; traits have no history of purchases."""
    return ("boosted",) if forecast.spec.of_traits else MODELS


def fitted_models(forecast: Forecast, rows: Rows, histories: pd.DataFrame) -> dict[str, Candidate]:
    """The candidates that a spec allows, fitted; the blend shares the fits of the others.

    Beside a Python model all built-in ones are tested too, to tell what it adds.
    """
    spec = forecast.spec
    chosen = built_in(forecast) if spec.model == "auto" or spec.is_python else (spec.model,)
    btyd, trees = BuyTillYouDie(forecast), Trees(forecast)
    if chosen != ("boosted",):
        btyd.fit(rows, histories)
    if chosen != ("btyd",):
        trees.fit(rows, histories)
    made: dict[str, Candidate] = {"btyd": btyd, "boosted": trees, "blend": Blend(forecast, btyd, trees)}
    own: dict[str, Candidate] = {spec.model: Custom(forecast).fit(rows, histories)} if spec.is_python else {}
    return own | {name: made[name] for name in chosen}
