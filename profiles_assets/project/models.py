"""models/*.sql: SELECT statements over sources, other models, stitched ids and traits."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from profiles_assets.project.problems import Problem

HEADER = re.compile(r"^--\s*(title|description|owner):\s*(.*?)\s*$", re.MULTILINE)


class ModelError(Exception):
    """A model that does not fit the data; its text names the file and says why."""


@dataclass(frozen=True)
class Model:
    """A SELECT with a name, the file's; comments `-- title:`, `-- description:` and `-- owner:` describe it."""

    name: str
    sql: str
    file: str
    title: str = ""
    description: str = ""
    owner: str = ""

    @cached_property
    def statements(self) -> list[exp.Expr | None]:
        """What sqlglot makes of the text; empty when it cannot be read."""
        try:
            return list(sqlglot.parse(self.sql, dialect="duckdb"))
        except (SqlglotError, RecursionError, ValueError):
            return []

    @property
    def tree(self) -> exp.Query | None:
        """The SELECT; None when the text is not exactly one."""
        found = [s for s in self.statements if s is not None and not isinstance(s, exp.Semicolon)]
        return found[0] if len(found) == 1 and isinstance(found[0], exp.Query) else None

    def problem(self, node: exp.Expr, message: str, hint: str = "") -> Problem:
        """A problem at a part of the SELECT."""
        return Problem(self.file, min(line_of(node), self.sql.count("\n") + 1), message, hint)

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Names it selects from, each once: sources, models, sections or `stitched_ids`; not its own WITH names."""
        found = physical_tables(self.tree) if self.tree is not None else ()
        return tuple(dict.fromkeys(table_name(table) for table in found))


def physical_tables(tree: exp.Expr) -> Iterator[exp.Table]:
    """Places in a query that name a table by a plain or dotted name, but for the names its own WITHs give."""
    for table in tree.find_all(exp.Table):
        if isinstance(table.this, exp.Identifier) and not (len(table.parts) == 1 and is_own_name(table)):
            yield table


def table_name(table: exp.Table) -> str:
    """Name of a table as the project has it: small letters, dots between parts."""
    return ".".join(part.name for part in table.parts).lower()


def is_own_name(table: exp.Table) -> bool:
    """True when a WITH around the place gives this name; the query of a WITH name does not see the name itself."""
    inside: exp.Expr = table
    while inside.parent is not None:
        parent = inside.parent
        found = parent.args.get("with_") if isinstance(parent, exp.Query) else None
        if isinstance(inside, exp.CTE) and isinstance(parent, exp.With):
            earlier = parent.expressions[: [id(cte) for cte in parent.expressions].index(id(inside))]
            if _names(table, earlier):
                return True
            inside = parent.parent or parent
            continue
        if found is not None and _names(table, found.expressions):
            return True
        inside = parent
    return False


def _names(table: exp.Table, ctes: list[exp.Expr]) -> bool:
    return table.name.lower() in {cte.alias.lower() for cte in ctes}


def output_name(projection: exp.Expr) -> str:
    """Name that a SELECT gives to an expression: its alias or its column; empty for what has no name of its own."""
    if isinstance(projection, exp.Alias):
        return projection.alias
    return projection.name if isinstance(projection, exp.Column) else ""


def line_of(node: exp.Expr) -> int:
    """Line of a part of a query in its file; that of what is around it where the part has none."""
    for part in node.walk():
        if "line" in part.meta:
            return int(part.meta["line"])
    return line_of(node.parent) if node.parent is not None else 1


def read_model(name: str, sql: str, file: str) -> Model:
    """A model from the text of its file."""
    return Model(name, sql, file, **dict(HEADER.findall(sql)))
