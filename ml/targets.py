"""Predictions about traits: who meets a condition as of a day, and from which sources that follows.

People who meet it on the day they are looked at are none to predict. They stay beside the others until features have
been searched for leaks, since they show what a feature says about the past.
"""

from collections.abc import Mapping
from typing import Any

import duckdb

from ml.features import conditions_sql
from profiles_assets.project.graph import reachable, trait_inputs
from profiles_assets.project.project import Forecast, Project
from profiles_assets.traits.columns import EventColumns

Con = duckdb.DuckDBPyConnection

MET = "_met"


def met_sql(forecast: Forecast, columns: Mapping[str, str], table: str = "t") -> str:
    """1 for who meets the condition in a table of traits, else 0. Raises PredictionError for an unknown trait."""
    return f"({conditions_sql(forecast.spec.predict.met, columns, table, 'predict')})::DOUBLE"


def met_later_sql(forecast: Forecast, columns: Mapping[str, str], traits: str, people: str) -> str:
    """SELECT of (profile_key, met) of everybody in tables of traits and people as of the close of a window."""
    return f"SELECT profile_key, {met_sql(forecast, columns)} AS met FROM {traits} t JOIN {people} USING (profile_id)"


def keep_open(con: Con, forecast: Forecast, table: str) -> None:
    """Leave only the people of a table for whom the predicted condition is still open."""
    if forecast.spec.of_traits:
        con.execute(f"DELETE FROM {table} WHERE {MET} > 0")


def sources_of(project: Project, forecast: Forecast, have: EventColumns) -> list[str]:
    """Loaded sources that what is predicted comes from; all of them where traits read no event."""
    spec = forecast.spec
    if not spec.of_traits:
        return have.sources(spec.predict.event)
    traits, inputs = project.traits_of(forecast.entity), trait_inputs(project, forecast.entity)
    names = {name for one in spec.predicted_traits for name in (one, *reachable(inputs, one))}
    events = {traits[name].event for name in names if name in traits} - {""}
    found = {source for event in events for source in have.sources(event)}
    return sorted(found or (name for name, columns in have.tables.items() if columns))


def shown(conditions: Mapping[str, Any]) -> str:
    """Conditions as they are written, on one line: plan: premium."""
    return ", ".join(f"{name}: {value}" for name, value in conditions.items())
