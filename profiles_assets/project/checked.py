"""Data against a typed spec: all that is wrong with it, and as much of it as is right."""

from typing import Any, TypeVar

from pydantic import ValidationError

from profiles_assets.project.base import Spec
from profiles_assets.project.messages import explain
from profiles_assets.project.problems import Problem
from profiles_assets.project.yaml_lines import Document, Part

M = TypeVar("M", bound=Spec)
KEY = "[key]"
ITEM = 2


def checked(
    model: type[M], document: Document, stand_in: dict[str, Any] | None = None
) -> tuple[M | None, list[Problem]]:
    """The document as a model and its problems.

    Broken parts are left out, first single keys, then whole items, so that the rest can be checked further;
    `stand_in` fills required keys of the file that are missing.
    """
    data: Any = document.data
    problems: list[Problem] = []
    for depth in (None, ITEM, 1):
        try:
            return model.model_validate(data), problems
        except ValidationError as error:
            problems = problems or explain(model, error, document)
            data = {**(stand_in or {}), **_without(data, [_parts(e["loc"])[:depth] for e in error.errors()])}
    return None, problems


def _parts(loc: tuple[Part, ...]) -> tuple[Part, ...]:
    return loc[:-1] if loc and loc[-1] == KEY else loc


def _without(data: Any, paths: list[tuple[Part, ...]]) -> Any:
    if not isinstance(data, dict):
        return data
    return {
        key: _without(value, [path[1:] for path in paths if path[:1] == (key,)])
        for key, value in data.items()
        if (key,) not in paths
    }
