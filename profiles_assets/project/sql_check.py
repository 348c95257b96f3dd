"""Checks of a trait's `sql:`: one aggregate over the events of a person, and nothing else."""

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError

from profiles_assets.project.sql_words import AGGREGATES, ANY_ORDER, CHANCE, CLOCK, OUTSIDE, WINDOW

EXPRESSIONS = (exp.Condition, exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)

EXAMPLE = "such as avg(total) or count(*) filter (where total > 100)"
Fault = tuple[str, str]


def sql_problems(sql: str) -> list[Fault]:
    """Faults of an expression with hints; empty when it is one read-only aggregate."""
    try:
        if _has_more_than_code(sql):
            return [("the expression has a comment or a semicolon", "keep the expression only")]
        parsed = sqlglot.parse(sql, dialect="duckdb")
    except (SqlglotError, RecursionError, ValueError) as error:
        return [(f"this is not one SQL expression: {_first_words(error)}", f"write one aggregate, {EXAMPLE}")]
    tree = parsed[0] if len(parsed) == 1 else None
    if not isinstance(tree, EXPRESSIONS):
        return [_not_an_expression(tree)]
    return list(dict.fromkeys(_faults(tree)))


def _has_more_than_code(sql: str) -> bool:
    tokens = sqlglot.tokenize(sql, read="duckdb")
    return any(token.comments or token.token_type == TokenType.SEMICOLON for token in tokens)


def _first_words(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    return str(errors[0]["description"] if errors else error).splitlines()[0].split("  ")[0].rstrip(".")


def _not_an_expression(tree: exp.Expr | None) -> Fault:
    if isinstance(tree, exp.Alias):
        return "the expression has a name of its own", f'leave out "as {tree.alias}"'
    if isinstance(tree, exp.Query):
        return "subqueries and SELECT are not possible here", f"write one aggregate, {EXAMPLE}"
    return "this is not one SQL expression", f"write one aggregate, {EXAMPLE}"


def _faults(tree: exp.Expr) -> Iterator[Fault]:
    nodes = list(tree.walk())
    forbidden = [fault for node in nodes for fault in (*_forbidden(node), *_forbidden_call(node))]
    yield from forbidden or _not_one_aggregate(nodes)


def _not_one_aggregate(nodes: list[exp.Expr]) -> Iterator[Fault]:
    aggregates = [node for node in nodes if _is_aggregate(node)]
    if not aggregates:
        yield "there is no aggregate, so it is not one value per person", f"write one, {EXAMPLE}"
        return
    if any(_inside(node.parent, _is_aggregate) for node in aggregates):
        yield "an aggregate stands inside another one", "a trait is one aggregate over the events of a person"
    bound = {parameter.name for node in nodes if isinstance(node, exp.Lambda) for parameter in node.expressions}
    loose = [node for node in nodes if isinstance(node, exp.Column) and node.name not in {"as_of", *bound}]
    for column in loose:
        if not _inside(column, _gathers):
            name = column.sql()
            yield f'"{name}" stands outside of an aggregate', f"a person has many events; write max({name})"


def _forbidden(node: exp.Expr) -> Iterator[Fault]:
    if isinstance(node, exp.Query | exp.Exists | exp.Table):
        yield "subqueries and SELECT are not possible here", f"write one aggregate, {EXAMPLE}"
    elif isinstance(node, exp.Window):
        yield "window functions (over) are not possible here", f"write one aggregate, {EXAMPLE}"
    elif isinstance(node, exp.Placeholder | exp.Parameter):
        yield "parameters are not possible here", "write the value itself"
    elif isinstance(node, exp.Columns | exp.Explode | exp.Unnest):
        yield "a trait is one value, so nothing here may make several", f"write one aggregate, {EXAMPLE}"
    elif isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
        yield "* stands for all properties, but a trait reads one", "name the property"


def _forbidden_call(node: exp.Expr) -> Iterator[Fault]:
    names = _names(node)
    name = node.sql(dialect="duckdb").lower()[:40] if names else ""
    if not names.isdisjoint(CLOCK):
        yield f"{name} depends on when it runs", "use as_of, the day that is asked about"
    elif not names.isdisjoint(CHANCE):
        yield f"{name} differs with every run", "a trait must give the same value when it is computed again"
    elif any(n.startswith(OUTSIDE) for n in names):
        yield f"{name} reads what is not an event of the person", f"write one aggregate, {EXAMPLE}"
    elif not names.isdisjoint(WINDOW):
        yield "window functions (over) are not possible here", f"write one aggregate, {EXAMPLE}"
    elif not names.isdisjoint(ANY_ORDER) and node.find(exp.Order) is None:
        yield f"{name} depends on the order of rows", "say which one, such as first(total order by time)"


def _names(node: exp.Expr) -> set[str]:
    if isinstance(node, exp.Anonymous):
        return {node.name.lower()}
    return {name.lower() for name in node.sql_names()} if isinstance(node, exp.Func) else set()


def _is_aggregate(node: exp.Expr) -> bool:
    if isinstance(node, exp.Anonymous):
        return node.name.lower() in AGGREGATES
    return isinstance(node, exp.AggFunc)


def _gathers(node: exp.Expr) -> bool:
    return _is_aggregate(node) or isinstance(node, exp.Filter | exp.WithinGroup)


def _inside(node: exp.Expr | None, wanted: Callable[[exp.Expr], bool]) -> bool:
    while node is not None and not wanted(node):
        node = node.parent
    return node is not None
