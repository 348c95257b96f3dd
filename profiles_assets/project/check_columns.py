"""Checks of the computed columns of sources."""

from collections.abc import Iterator

from profiles_assets.project.draft import Draft, Place
from profiles_assets.project.expressions import expression_uses
from profiles_assets.project.graph import cycles
from profiles_assets.project.problems import Problem
from profiles_assets.project.sources import Column
from profiles_assets.project.sql_check import column_sql_problems
from profiles_assets.project.value_types import BUILT_IN


def column_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with the computed columns of sources: their SQL, their names, circles among them."""
    for name, source in draft.project.sources.items():
        if source.columns:
            place = draft.place("sources", name)
            yield from _sql_problems(place, source.columns)
            yield from _name_problems(place, source.columns)
            yield from _cycle_problems(place, source.columns)


def _sql_problems(place: Place, columns: dict[str, Column]) -> Iterator[Problem]:
    for name, column in columns.items():
        for message, hint in column_sql_problems(column.sql):
            yield place.problem(f'sql of column "{name}": {message}', "columns", name, "sql", hint=hint)


def _name_problems(place: Place, columns: dict[str, Column]) -> Iterator[Problem]:
    for name in columns:
        if name in BUILT_IN:
            message = f'"{name}" is there for every event, so no column can have this name'
            yield place.problem(message, "columns", name, hint=f'rename it, such as "own_{name}"', of_key=True)


def _cycle_problems(place: Place, columns: dict[str, Column]) -> Iterator[Problem]:
    inputs = {
        name: tuple(dict.fromkeys(path for path, _ in expression_uses(column.sql) if path in columns))
        for name, column in columns.items()
    }
    for path in cycles(inputs):
        message = f"columns are made from each other in a circle: {' → '.join(path)}"
        hint = "break it at one of them; a column cannot have the name of a property it is made from"
        yield place.problem(message, "columns", path[0], hint=hint, of_key=True)
