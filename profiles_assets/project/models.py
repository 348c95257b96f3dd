"""models/*.sql: SELECT statements over sources, other models, stitched ids and traits."""

import re
from dataclasses import dataclass
from functools import cached_property

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

HEADER = re.compile(r"^--\s*(title|description|owner):\s*(.*?)\s*$", re.MULTILINE)


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
        found = [s for s in self.statements if s is not None]
        return found[0] if len(found) == 1 and isinstance(found[0], exp.Query) else None

    @cached_property
    def tables(self) -> tuple[str, ...]:
        """Names it selects from, each once: sources, models, sections or `stitched_ids`; not its own WITH names."""
        if self.tree is None:
            return ()
        own = {cte.alias for cte in self.tree.find_all(exp.CTE)}
        names = (table.sql(dialect="duckdb", comments=False) for table in _plain_tables(self.tree))
        return tuple(dict.fromkeys(name for name in names if name not in own))


def _plain_tables(tree: exp.Query) -> list[exp.Table]:
    tables = [table.copy() for table in tree.find_all(exp.Table) if isinstance(table.this, exp.Identifier)]
    for table in tables:
        table.set("alias", None)
        table.set("joins", None)
    return tables


def read_model(name: str, sql: str, file: str) -> Model:
    """A model from the text of its file."""
    return Model(name, sql, file, **dict(HEADER.findall(sql)))
