"""What a model reads: the places of its tables and columns, and what is not clear about them."""

from dataclasses import dataclass, field

from sqlglot import exp

from profiles_assets.project.model_tables import Columns, TableKind
from profiles_assets.project.models import Model
from profiles_assets.project.problems import Problem
from profiles_assets.project.project import Project


@dataclass(frozen=True)
class ColumnUse:
    """A place that reads a column: the identifiers of its path, and the whole of it."""

    path: str
    parts: tuple[exp.Expr, ...]
    node: exp.Expr


@dataclass
class TableUse:
    """A place where a model names a table, and what it reads of it there; only reads of sources are noted."""

    name: str
    kind: TableKind
    node: exp.Table
    columns: list[ColumnUse] = field(default_factory=list)

    @property
    def paths(self) -> list[str]:
        """Columns read, each once."""
        return sorted({use.path for use in self.columns})


@dataclass
class Reading:
    """What a model reads, the columns it gives, the places of `as_of`, and what is not clear about it."""

    project: Project
    model: Model
    outputs_of: dict[str, Columns]
    tables: list[TableUse] = field(default_factory=list)
    as_of: list[exp.Column] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def problem(self, node: exp.Expr, message: str, hint: str = "") -> None:
        """Note a problem at a part of the model, once."""
        problem = self.model.problem(node, message, hint)
        if problem not in self.problems:
            self.problems.append(problem)
