"""Which properties of sources models read, so that they are loaded as typed columns."""

from collections.abc import Iterator

from sqlglot import exp

from profiles_assets.project.model_columns import TableUse
from profiles_assets.project.model_scopes import read_columns
from profiles_assets.project.model_tables import EVENT_COLUMNS
from profiles_assets.project.project import Project


def used_in_models(project: Project, source_name: str) -> dict[str, bool]:
    """Properties of a source that models read; True for those that they count with, so that they must be numbers."""
    found: dict[str, bool] = {}
    for use in _uses_of(project, source_name):
        properties = property_paths(project, use)
        for column in use.columns:
            if column.path in properties:
                found[column.path] = found.get(column.path, False) or _as_number(column.node)
    return found


def _as_number(column: exp.Expr) -> bool:
    parent = column.parent
    if isinstance(parent, exp.LT | exp.LTE | exp.GT | exp.GTE):
        other = parent.expression if parent.this is column else parent.this
        return isinstance(other, exp.Literal) and not other.is_string
    return isinstance(parent, exp.Sum | exp.Avg | exp.Mul | exp.Div | exp.IntDiv | exp.Mod | exp.Neg)


def property_paths(project: Project, use: TableUse) -> list[str]:
    """Properties among the columns read of a source: all but ids and the columns that every source has."""
    own = {*EVENT_COLUMNS, *project.sources[use.name].ids}
    return [path for path in use.paths if path.lower() not in own]


def _uses_of(project: Project, source_name: str) -> Iterator[TableUse]:
    for model in project.models.values():
        if source_name in model.tables:
            yield from (use for use in read_columns(project, model).tables if use.name == source_name)
