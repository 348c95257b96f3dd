"""Which traits a model sees, and which people it is about."""

from collections.abc import Mapping
from typing import Any

import duckdb

from ml.errors import PredictionError
from profiles_assets.project.graph import depends_on_prediction
from profiles_assets.project.project import Forecast, Project
from profiles_assets.traits.columns import Value
from profiles_assets.traits.conditions import NUMERIC, condition_sql
from resources.tables import quote

MOST_TEXTS = 50

Features = dict[str, str]


def features_of(project: Project, forecast: Forecast, columns: Mapping[str, str]) -> Features:
    """Traits that a model may use, with the type it sees: DOUBLE (numbers, booleans) or VARCHAR (text).

    Lists, times and dates are no features, nor is what is personal: every model could tell people apart.
    Raises PredictionError for an included trait that cannot be used.
    """
    chosen, traits = forecast.spec.features, project.traits_of(forecast.entity)
    usable = {name: _seen_as(columns[name]) for name in sorted(traits) if name in columns and not traits[name].pii}
    for name in chosen.include or ():
        if not usable.get(name):
            raise PredictionError(f"the trait {name} cannot be a feature: {_reason(project, forecast, name, columns)}")
    wanted = set(chosen.include or usable) - set(chosen.exclude)
    return {name: kind for name, kind in usable.items() if kind and name in wanted}


def drop_many_valued(con: duckdb.DuckDBPyConnection, forecast: Forecast, table: str, features: Features) -> Features:
    """Drop texts with more than 50 different values from a table, unless they are asked for by name."""
    asked = set(forecast.spec.features.include or ())
    texts = [name for name, kind in features.items() if kind == "VARCHAR" and name not in asked]
    if not texts:
        return features
    counts = con.execute(f"SELECT {', '.join(f'count(DISTINCT {quote(n)})' for n in texts)} FROM {table}").fetchone()
    many = {name for name, count in zip(texts, counts or (), strict=True) if count > MOST_TEXTS}
    for name in sorted(many):
        con.execute(f"ALTER TABLE {table} DROP COLUMN {quote(name)}")
    return {name: kind for name, kind in features.items() if name not in many}


def select_features(features: Features, table: str = "t") -> str:
    """Columns of a select that gives each feature in the type a model sees, led by a comma."""
    return "".join(f", {table}.{quote(name)}::{kind} AS {quote(name)}" for name, kind in features.items())


def among_sql(forecast: Forecast, columns: Mapping[str, str], table: str = "t") -> str:
    """Condition for the people a prediction is about. Raises PredictionError for an unknown trait."""
    return conditions_sql(forecast.spec.among, columns, table, "among")


def conditions_sql(given: Mapping[str, Any], columns: Mapping[str, str], table: str, key: str) -> str:
    """Conditions on the traits in a table. Raises PredictionError for an unknown trait, under the key of the spec."""

    def lookup(name: str) -> Value:
        if name not in columns:
            raise PredictionError(f"{key}: {name} is no trait that is known before the prediction")
        return Value(f"{table}.{quote(name)}", columns[name])

    return condition_sql(given, lookup)


def _seen_as(type_: str) -> str:
    if type_.startswith(NUMERIC) or type_ == "BOOLEAN":
        return "DOUBLE" if not type_.endswith("]") else ""
    return "VARCHAR" if type_ == "VARCHAR" else ""


def _reason(project: Project, forecast: Forecast, name: str, columns: Mapping[str, str]) -> str:
    if name not in project.traits_of(forecast.entity):
        return f"{forecast.entity} has no such trait"
    if depends_on_prediction(project, forecast.entity, name):
        return "it is made from a prediction or an attribution"
    if project.traits_of(forecast.entity)[name].pii:
        return "it is personal (pii)"
    if name not in columns and any(name in traits for traits in project.function_traits_of(forecast.entity).values()):
        return "past days do not tell what its function gave: it is not published, or uses store, fetch or warehouse"
    kind = columns.get(name, "value that was never loaded")
    return f"it is a {kind}, and features are numbers, booleans or text"
