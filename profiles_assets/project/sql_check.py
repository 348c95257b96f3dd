"""Checks of SQL that users write: one aggregate of a trait, one value of a computed column, and nothing else."""

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError

from profiles_assets.project.expressions import (
    called,
    inside,
    is_aggregate,
    is_window_function,
    names_of,
    outside,
    properties,
    property_path,
    windows,
)
from profiles_assets.project.problems import did_you_mean
from profiles_assets.project.sql_words import (
    AGGREGATES,
    ANY_ORDER,
    BEFORE_BRACKETS,
    CHANCE,
    CLOCK,
    FUNCTIONS,
    OUTSIDE,
    WINDOW,
)

EXPRESSIONS = (exp.Condition, exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)
NULLS = re.compile(r"\b(?:ignore|respect)\s+nulls\b", re.IGNORECASE)
KNOWN = AGGREGATES | FUNCTIONS | WINDOW | BEFORE_BRACKETS

AGGREGATE = "write one aggregate, such as avg(total) or count(*) filter (where total > 100)"
VALUE = "write one value, such as price * quantity"
Fault = tuple[str, str]


def sql_problems(sql: str, *, ordered: bool = False) -> list[Fault]:
    """Faults of an expression with hints; empty when it is one read-only aggregate.

    Window functions are possible inside the aggregate when the events are `ordered`.
    """
    tree, faults = _read(sql, AGGREGATE)
    if tree is not None:
        faults = [*_forbidden_in(tree, sql, AGGREGATE), *_window_faults(tree, ordered)]
        faults = faults or list(_not_one_aggregate(tree))
    return list(dict.fromkeys(faults))


def column_sql_problems(sql: str) -> list[Fault]:
    """Faults of an expression with hints; empty when it is one read-only value of a single event."""
    tree, faults = _read(sql, VALUE)
    if tree is not None:
        faults = list(_forbidden_in(tree, sql, VALUE)) or list(_not_one_value(tree))
    return list(dict.fromkeys(faults))


def _read(sql: str, hint: str) -> tuple[exp.Expr | None, list[Fault]]:
    try:
        if _has_more_than_code(sql):
            return None, [("the expression has a comment or a semicolon", "keep the expression only")]
        if NULLS.search(sql):
            return None, [
                ("IGNORE NULLS and RESPECT NULLS are not possible here", "leave events out with where: instead")
            ]
        parsed = sqlglot.parse(sql, dialect="duckdb")
    except (SqlglotError, RecursionError, ValueError) as error:
        return None, [(f"this is not one SQL expression: {_first_words(error)}", hint)]
    tree = parsed[0] if len(parsed) == 1 else None
    return (tree, []) if isinstance(tree, EXPRESSIONS) else (None, [_not_an_expression(tree, hint)])


def _has_more_than_code(sql: str) -> bool:
    tokens = sqlglot.tokenize(sql, read="duckdb")
    return any(token.comments or token.token_type == TokenType.SEMICOLON for token in tokens)


def _first_words(error: Exception) -> str:
    errors = getattr(error, "errors", None)
    return str(errors[0]["description"] if errors else error).splitlines()[0].split("  ")[0].rstrip(".")


def _not_an_expression(tree: exp.Expr | None, hint: str) -> Fault:
    if isinstance(tree, exp.Alias):
        return "the expression has a name of its own", f'leave out "as {tree.alias}"'
    if isinstance(tree, exp.Query):
        return "subqueries and SELECT are not possible here", hint
    return "this is not one SQL expression", hint


def _forbidden_in(tree: exp.Expr, sql: str, hint: str) -> Iterator[Fault]:
    known = [fault for node in tree.walk() for fault in (*_forbidden(node, hint), *_forbidden_call(node, hint))]
    yield from known or _unknown_calls(sql, hint)


def _not_one_aggregate(tree: exp.Expr) -> Iterator[Fault]:
    aggregates = [node for node in tree.walk() if is_aggregate(node)]
    if not aggregates:
        yield "there is no aggregate, so it is not one value per person", AGGREGATE
        return
    if any(inside(node.parent, _is_aggregate_or_window) for node in aggregates):
        yield "an aggregate stands inside another one", "a trait is one aggregate over the events of a person"
    for column in properties(tree):
        if not inside(column, _gathers):
            name = column.sql()
            yield f'"{name}" stands outside of an aggregate', f"a person has many events; write max({name})"


def _not_one_value(tree: exp.Expr) -> Iterator[Fault]:
    for node in tree.walk():
        if is_aggregate(node) or isinstance(node, exp.Window) or is_window_function(node):
            name = node.sql(dialect="duckdb")[:40]
            yield f"{name} gathers several events, but a column has one value per event", "write it in a trait's sql"
    if any(isinstance(node, exp.Column) and property_path(node) == "as_of" for node in tree.walk()):
        yield "as_of changes from day to day, but a column is the same for ever", "write it in a trait's sql"
    if next(properties(tree), None) is None:
        yield "there is no property in it", VALUE


def _window_faults(tree: exp.Expr, ordered: bool) -> Iterator[Fault]:
    for node in windows(tree):
        shown = node.sql(dialect="duckdb")[:60]
        if not ordered:
            message = f"{shown}: window functions (over) need an order of the events"
            yield message, "add order_by, such as order_by: time"
        elif any(node.args.get(part) for part in ("partition_by", "order", "alias")):
            message = f"{shown}: the window has a PARTITION BY or ORDER BY of its own"
            yield message, "write over (); it holds the events of one person in the order of order_by"
        elif not inside(node.parent, _gathers):
            yield f"{shown} stands outside of an aggregate", f"a person has many events; write max({shown})"
        elif inside(node.parent, _is_window):
            yield f"{shown}: a window function stands inside another one", "use one window function at a time"


def _forbidden(node: exp.Expr, hint: str) -> Iterator[Fault]:
    if isinstance(node, exp.Query | exp.Exists | exp.Table):
        yield "subqueries and SELECT are not possible here", hint
    elif isinstance(node, exp.Placeholder | exp.Parameter):
        yield "parameters are not possible here", "write the value itself"
    elif isinstance(node, exp.Columns | exp.Explode | exp.Unnest):
        yield "one value is wanted, so nothing here may make several", hint
    elif isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
        yield "* stands for all properties, but one is wanted", "name the property"
    elif isinstance(node, exp.Dot) and isinstance(node.expression, exp.Func):
        call = node.expression.sql(dialect="duckdb")[:40]
        yield f"{call} comes after a dot", "write the function first, such as abs(total)"


def _forbidden_call(node: exp.Expr, hint: str) -> Iterator[Fault]:
    names = names_of(node)
    name = node.sql(dialect="duckdb").lower()[:40] if names else ""
    if not names.isdisjoint(CLOCK) or (names == {"age"} and len(node.expressions) == 1):
        yield f"{name} depends on when it runs", "use as_of, the day that is asked about"
    elif not names.isdisjoint(CHANCE):
        yield f"{name} differs with every run", "a value must be the same when it is computed again"
    elif any(n.startswith(OUTSIDE) for n in names):
        yield f"{name} reads what is not an event of the person", hint
    elif not names.isdisjoint(ANY_ORDER) and node.find(exp.Order) is None and is_aggregate(node):
        yield f"{name} depends on the order of rows", "say which one, such as first(total order by time)"


def _unknown_calls(sql: str, hint: str) -> Iterator[Fault]:
    for name in called(sql):
        if name not in KNOWN:
            yield f'there is no function "{name}" here', did_you_mean(name, KNOWN) or hint


def _is_window(node: exp.Expr) -> bool:
    return isinstance(node, exp.Window) or (
        is_window_function(node) and not isinstance(outside(node).parent, exp.Window)
    )


def _is_aggregate_or_window(node: exp.Expr) -> bool:
    return is_aggregate(node) or _is_window(node)


def _gathers(node: exp.Expr) -> bool:
    return is_aggregate(node) or isinstance(node, exp.Filter | exp.WithinGroup)
