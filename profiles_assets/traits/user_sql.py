"""Traits with `sql:`: a user's aggregate, bound to a scan and made independent of the order of rows.

Sums and averages of numbers are exact, other aggregates that see an order get the order of the events, and what
cannot be computed for an event (a cast, a logarithm) is missing there instead of stopping everybody's traits.
"""

from collections.abc import Callable, Iterator

import sqlglot
from sqlglot import exp

from profiles_assets.project.expressions import (
    AS_OF,
    TIMES,
    is_aggregate,
    names_of,
    number_paths,
    outside,
    parse_expression,
    property_path,
    windows,
    wrap,
)
from profiles_assets.project.sql_words import ANY_ROW_ORDER
from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import MOMENT, NO_NUMBER, NOTHING, EventColumns, bind
from profiles_assets.traits.verbs import narrowed, rows_sql
from resources.tables import quote

PASSES_TIMES_ON = (
    exp.Paren, exp.Add, exp.Sub, exp.Neg, exp.Case, exp.If, exp.Coalesce, exp.Greatest, exp.Least, exp.Distinct,
    exp.Order, exp.Window, exp.Lag, exp.Lead, exp.FirstValue, exp.LastValue,
)  # fmt: skip
SIMPLE = (exp.Column, exp.Literal, exp.Star, exp.Boolean, exp.Null)
TIME_TYPES = ("TIMESTAMP", "DATE")
ROWS = quote("rows of the trait")


def has_windows(trait: Trait) -> bool:
    """True for sql with window functions."""
    tree = parse_expression(trait.sql) if trait.sql else None
    return tree is not None and bool(windows(tree))


def sql_needs_order(trait: Trait, events: EventColumns, as_of: str) -> bool:
    """True when sql looks at the order of events."""
    return has_windows(trait) or MOMENT in plain_sql(trait, events, as_of)


def plain_sql(trait: Trait, events: EventColumns, as_of: str) -> str:
    """Aggregate over events of its name that gives the value of a trait; nothing for people without any of its own."""
    rows, root = " AND ".join(narrowed(trait, events, as_of)), _parsed(trait)
    aggregates = _marked(root, trait, events)
    bind(root, _lookup(trait, events, as_of))
    for node, numbers in aggregates:
        _settle(node, numbers)
        if rows:
            _only_rows(node)
        _as_number(node, numbers)
    aggregate = root.sql(dialect="duckdb").replace(ROWS, f"({rows})")
    return f"CASE WHEN count(*) FILTER (WHERE {rows}) > 0 THEN {aggregate} END" if rows else aggregate


def windowed_sql(name: str, trait: Trait, events: EventColumns, as_of: str) -> str:
    """SELECT of (profile_key, value) of a trait with windows, which are computed over the trait's own events."""
    root = _parsed(trait)
    aggregates, found = _marked(root, trait, events), windows(root)
    bind(root, _lookup(trait, events, as_of))
    order = events.value(trait.event, str(trait.order_by)).sql
    computed = []
    for number, node in enumerate(found):
        column = quote(f"window {number}")
        computed.append(f"{_over(node, order)} AS {column}")
        node.replace(sqlglot.parse_one(column, dialect="duckdb"))
    for node, numbers in aggregates:
        _settle(node, numbers)
        _as_number(node, numbers)
    rows = f"SELECT *, {', '.join(computed)} FROM events WHERE {rows_sql(trait, events, as_of)}"
    return f"SELECT profile_key, {root.sql(dialect='duckdb')} AS {quote(name)} FROM ({rows}) GROUP BY profile_key"


def _parsed(trait: Trait) -> exp.Paren:
    """A copy of the expression in brackets, so that all of it can be replaced."""
    tree = parse_expression(str(trait.sql))
    assert tree is not None
    return exp.Paren(this=tree.copy())


def _lookup(trait: Trait, events: EventColumns, as_of: str) -> Callable[[str], str]:
    numbers = number_paths(str(trait.sql))

    def lookup(path: str) -> str:
        if path == AS_OF:
            return as_of
        value = events.value(trait.event, path)
        return NO_NUMBER if value == NOTHING and path in numbers else value.sql

    return lookup


def _marked(root: exp.Expr, trait: Trait, events: EventColumns) -> list[tuple[exp.Func, bool]]:
    """The aggregates, as properties have their names still; True for sums and averages of numbers."""
    for node in list(root.find_all(exp.Anonymous)):
        if node.name.lower() == "mean":
            node.replace(exp.Avg(this=node.expressions[0]))

    def is_time(leaf: exp.Expr) -> bool:
        if isinstance(leaf, exp.Column):
            path = property_path(leaf)
            return path in TIMES or events.value(trait.event, path).type in TIME_TYPES
        of_time = (*exp.DataType.TEMPORAL_TYPES, exp.DataType.Type.INTERVAL)
        return isinstance(leaf, exp.Interval) or (isinstance(leaf, exp.Cast) and leaf.is_type(*of_time))

    return [
        (node, isinstance(node, exp.Sum | exp.Avg) and not any(map(is_time, _leaves(node.this))))
        for node in root.find_all(exp.Func)
        if is_aggregate(node)
    ]


def _leaves(node: exp.Expr) -> Iterator[exp.Expr]:
    """Parts of an expression that decide whether it is a time or a span of time."""
    if not isinstance(node, PASSES_TIMES_ON):
        yield node
        return
    for part in node.iter_expressions():
        yield from _leaves(part)


def _arguments(call: exp.Expr) -> list[exp.Expr]:
    return [part for part in call.iter_expressions() if not isinstance(part, exp.Where)]


def _settle(call: exp.Func, numbers: bool) -> None:
    """Make an aggregate the same for every order of rows, and forgiving."""
    for argument in _arguments(call):
        _forgive(argument)
    if numbers:
        _sum_exactly(call)
    elif names_of(call).isdisjoint(ANY_ROW_ORDER) and not isinstance(call.parent, exp.WithinGroup):
        _put_in_order(call)


def _forgive(argument: exp.Expr) -> None:
    """Errors in computing an argument become missing values."""
    if isinstance(argument, exp.Distinct | exp.Order | exp.Ordered | exp.Tuple):
        for part in list(argument.iter_expressions()):
            _forgive(part)
    elif not isinstance(argument, SIMPLE) and argument.find(exp.Column):
        wrap(argument, exp.Try())


def _sum_exactly(call: exp.Func) -> None:
    value = call.this
    while isinstance(value, exp.Order | exp.Distinct):
        value = value.this if isinstance(value, exp.Order) else value.expressions[0]
    wrap(value, exp.TryCast(to=exp.DataType.build("DECIMAL(28, 9)", dialect="duckdb")))


def _as_number(call: exp.Func, numbers: bool) -> None:
    """An exact sum as a number like others, to go on calculating with."""
    if numbers and isinstance(call, exp.Sum):
        wrap(outside(call), exp.Cast(to=exp.DataType.build("DOUBLE", dialect="duckdb")))


def _put_in_order(call: exp.Func) -> None:
    """Order the values by moment, after any order that the user gives; distinct values by themselves."""
    order = call.find(exp.Order)
    distinct = call.find(exp.Distinct)
    last = distinct.expressions[0].copy() if distinct else exp.column(MOMENT)
    if order is None:
        inner = call.this if isinstance(call, exp.GroupConcat) or distinct else _arguments(call)[-1]
        wrap(inner, exp.Order(expressions=[exp.Ordered(this=last)]))
    elif not distinct:
        order.append("expressions", exp.Ordered(this=last))


def _only_rows(call: exp.Expr) -> None:
    """Let an aggregate over all events of a name see only the trait's own."""
    rows, outer = sqlglot.parse_one(ROWS, dialect="duckdb"), outside(call)
    if isinstance(outer, exp.Filter):
        own = outer.expression.this
        own.replace(exp.and_(rows, exp.Try(this=own.copy())))
    else:
        wrap(outer, exp.Filter(expression=exp.Where(this=rows)))


def _over(node: exp.Expr, order: str) -> str:
    """SQL of a window function over the events of one person, in their order."""
    text = f"x() OVER (PARTITION BY profile_key ORDER BY {order} ASC NULLS LAST, {MOMENT})"
    over = sqlglot.parse_one(text, dialect="duckdb")
    window = node.copy() if isinstance(node, exp.Window) else exp.Window(this=node.copy(), over="OVER")
    for part in ("partition_by", "order"):
        window.set(part, over.args[part])
    return window.sql(dialect="duckdb")
