"""Hashes of what was declared: when they change, a model is trained or scores are made again."""

import hashlib

from profiles_assets.project.graph import depends_on_prediction
from profiles_assets.project.project import Forecast, Project

CODE_VERSION = "1"
WORDS = {"title", "description", "owner"}


def model_definition(project: Project, forecast: Forecast) -> str:
    """Hash of everything declared that a model depends on: the prediction, and the traits it may see."""
    spec = forecast.spec.model_dump_json(exclude=WORDS | {"bands", "retrain"})
    traits = [
        f"{name}: {trait.model_dump_json(exclude=WORDS | {'unit'})}"
        for name, trait in sorted(project.traits_of(forecast.entity).items())
        if not depends_on_prediction(project, forecast.entity, name)
    ]
    return text_hash(CODE_VERSION, forecast.entity, spec, *traits)


def score_definition(project: Project, forecast: Forecast) -> str:
    """Hash of everything declared that scores depend on: the model's, and the bands."""
    bands = [f"{name}: {rule}" for name, rule in forecast.spec.bands.items()]
    return text_hash(model_definition(project, forecast), *bands)


def text_hash(*parts: object) -> str:
    """One hash of several parts."""
    return hashlib.md5("\n".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()
