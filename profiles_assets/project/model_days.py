"""Where the load day of a row comes from in a model that is a source: the tables of each SELECT that have one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlglot import exp

from profiles_assets.project.models import table_name


@dataclass(frozen=True)
class Dated:
    """A SELECT and the names, in its FROM, of the tables with a load day; a subquery without a name is empty."""

    select: exp.Select
    aliases: tuple[str, ...]


def dated_selects(tree: exp.Query) -> list[Dated]:
    """All SELECTs of a model that read sources, directly or not."""
    found: list[Dated] = []
    _query(tree, {}, found)
    return found


def undated_rows(tree: exp.Query) -> Iterator[exp.Select]:
    """SELECTs whose rows are rows of the model or of a source in it, though no source gives them a load day."""
    dated = {id(one.select) for one in dated_selects(tree)}
    for query in (tree, *(union for union in tree.find_all(exp.SetOperation))):
        selects = list(_branches(query))
        if query is tree or any(id(select) in dated for select in selects):
            yield from (select for select in selects if id(select) not in dated)


def _branches(query: exp.Expr) -> Iterator[exp.Select]:
    if isinstance(query, exp.Select):
        yield query
    elif isinstance(query, exp.SetOperation):
        yield from _branches(query.this)
        yield from _branches(query.expression)
    elif isinstance(query, exp.Subquery):
        yield from _branches(query.this)


def _query(query: exp.Expr, env: Mapping[str, bool], found: list[Dated]) -> bool:
    """Whether the rows of a query have a load day; `env` tells it of the names in WITH."""
    for cte in query.args["with_"].expressions if query.args.get("with_") else ():
        env = {**env, cte.alias.lower(): _query(cte.this, env, found)}
    if isinstance(query, exp.Subquery):
        return _query(query.this, env, found)
    if isinstance(query, exp.SetOperation):
        return bool(_query(query.this, env, found) | _query(query.expression, env, found))
    if not isinstance(query, exp.Select):
        return False
    aliases = tuple(table.alias_or_name for table in _tables(query) if _has_day(table, env, found))
    if aliases:
        found.append(Dated(query, aliases))
    return bool(aliases)


def _tables(select: exp.Select) -> Iterator[exp.Expr]:
    items = [select.args["from_"].this] if select.args.get("from_") else []
    items += [join.this for join in select.args.get("joins") or ()] + (select.args.get("laterals") or [])
    for item in items:
        yield item
        yield from (join.this for join in item.args.get("joins") or ())


def _has_day(table: exp.Expr, env: Mapping[str, bool], found: list[Dated]) -> bool:
    if isinstance(table, exp.Table):
        return isinstance(table.this, exp.Identifier) and env.get(table_name(table), True)
    return isinstance(table, exp.Subquery | exp.Lateral) and _query(table.this, env, found)
