"""Hashes of what was declared: when they change, a model is trained or scores are made again."""

import hashlib

import duckdb

from profiles_assets.functions.as_of import visible_versions
from profiles_assets.project.graph import traits_after_predictions
from profiles_assets.project.project import Forecast, Project

CODE_VERSION = "3"
WORDS = {"title", "description", "owner"}


def model_definition(project: Project, forecast: Forecast) -> str:
    """Hash of everything declared that a model depends on: the prediction, and the traits it may see."""
    spec = forecast.spec.model_dump_json(exclude=WORDS | {"bands", "retrain"})
    late = set(traits_after_predictions(project, forecast.entity))
    facts = [
        f"{name}: {fact.model_dump_json(exclude=WORDS | {'unit'})}"
        for name, fact in sorted(project.facts_of(forecast.entity).items())
        if name not in late
    ]
    funnels = [
        f"{n}: {f.spec.model_dump_json(exclude=WORDS)}" for n, f in sorted(project.funnels_of(forecast.entity).items())
    ]
    return text_hash(CODE_VERSION, forecast.entity, spec, forecast.spec.source, *facts, *funnels)


def trained_definition(con: duckdb.DuckDBPyConnection, project: Project, forecast: Forecast) -> str:
    """Hash of everything that a model depends on beside the data: what is declared, and the versions of functions."""
    declared, functions = model_definition(project, forecast), visible_versions(con, project, forecast.entity)
    return text_hash(declared, functions) if functions else declared


def score_definition(project: Project, forecast: Forecast) -> str:
    """Hash of everything declared that scores depend on: the model's, and the bands."""
    bands = [f"{name}: {rule}" for name, rule in forecast.spec.bands.items()]
    return text_hash(model_definition(project, forecast), *bands)


def text_hash(*parts: object) -> str:
    """One hash of several parts."""
    return hashlib.md5("\n".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()
