"""Expressions that users write in SQL: their tree, the properties they read, their aggregates and windows."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import pairwise

import sqlglot
from sqlglot import TokenType, exp
from sqlglot.errors import SqlglotError

from profiles_assets.project.sql_words import AGGREGATES, BEFORE_BRACKETS, WINDOW

AS_OF = "as_of"
NAME = re.compile(r"[A-Za-z_]\w*")
OF_NUMBERS = (
    exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Abs, exp.Round, exp.Floor, exp.Ceil, exp.Ln, exp.Exp, exp.Sqrt,
    exp.Sum, exp.Avg,
)  # fmt: skip
PASSING_ON = (exp.Paren, exp.Coalesce, exp.Greatest, exp.Least)
ORDERED = (exp.LT, exp.LTE, exp.GT, exp.GTE)
TIMES = frozenset({"time", "received", "day", AS_OF})
AROUND_A_CALL = (exp.Filter, exp.WithinGroup, exp.IgnoreNulls, exp.RespectNulls)


@lru_cache(maxsize=4_096)
def parse_expression(sql: str) -> exp.Expr | None:
    """Tree of one expression, shared by all who ask, so to be copied before it is changed; None when it is none."""
    try:
        parsed = sqlglot.parse(sql, dialect="duckdb")
    except (SqlglotError, RecursionError, ValueError):
        return None
    return parsed[0] if len(parsed) == 1 else None


def names_in(tree: exp.Expr) -> Iterator[exp.Column]:
    """Columns that stand for properties or `as_of`, not for what a lambda or comprehension calls an item."""
    bound = {p.name for node in tree.find_all(exp.Lambda) for p in node.expressions}
    bound |= {node.expression.name for node in tree.find_all(exp.Comprehension)}
    for column in tree.find_all(exp.Column):
        if column.parts[0].name not in bound:
            yield column


def properties(tree: exp.Expr) -> Iterator[exp.Column]:
    """Columns that stand for properties."""
    return (column for column in names_in(tree) if property_path(column) != AS_OF)


def property_path(column: exp.Column) -> str:
    """Path of the property that a column stands for, such as cart.id."""
    return ".".join(part.name for part in column.parts)


@lru_cache(maxsize=4_096)
def expression_uses(sql: str) -> tuple[tuple[str, bool], ...]:
    """Paths of the properties in an expression; True for those that it uses as numbers."""
    tree = parse_expression(sql)
    return tuple((property_path(c), _as_number(c)) for c in properties(tree)) if tree is not None else ()


def number_paths(sql: str) -> frozenset[str]:
    """Paths of the properties that an expression uses as numbers."""
    return frozenset(path for path, number in expression_uses(sql) if number)


def _as_number(node: exp.Expr) -> bool:
    parent = node.parent
    others = [part for part in parent.iter_expressions() if part is not node] if parent else []
    if isinstance(parent, exp.Add | exp.Sub):
        return not any(map(_is_time, others))
    if isinstance(parent, ORDERED):
        return any(map(_is_number, others))
    if isinstance(parent, PASSING_ON):
        return any(map(_is_number, others)) or _as_number(parent)
    return isinstance(parent, OF_NUMBERS)


def _is_number(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not node.is_string


def _is_time(node: exp.Expr) -> bool:
    if isinstance(node, exp.Column):
        return node.name in TIMES
    return isinstance(node, exp.Interval) or (isinstance(node, exp.Cast) and node.is_type(*exp.DataType.TEMPORAL_TYPES))


def called(sql: str) -> Iterator[str]:
    """Names of all functions that a text calls, in small letters, however they are written."""
    before, tokens = None, sqlglot.tokenize(sql, read="duckdb")
    for token, after in pairwise(tokens):
        opens, name = after.token_type == TokenType.L_PAREN, token.text.lower()
        is_type = before is not None and before.token_type in (TokenType.DCOLON, TokenType.ALIAS)
        syntax = token.token_type != TokenType.IDENTIFIER and name in BEFORE_BRACKETS
        if opens and NAME.fullmatch(name) and token.token_type != TokenType.STRING and not (is_type or syntax):
            yield name
        before = token


def names_of(node: exp.Expr) -> set[str]:
    """Names of the function that a node calls, in small letters; none for other nodes."""
    if isinstance(node, exp.Anonymous):
        return {node.name.lower()}
    return {name.lower() for name in node.sql_names()} if isinstance(node, exp.Func) else set()


def is_window_function(node: exp.Expr) -> bool:
    """True for functions that exist only over a window, such as lag."""
    return not names_of(node).isdisjoint(WINDOW)


def is_aggregate(node: exp.Expr) -> bool:
    """True for an aggregate over the events of a person; one over a window is none."""
    known = node.name.lower() in AGGREGATES if isinstance(node, exp.Anonymous) else isinstance(node, exp.AggFunc)
    return known and not is_window_function(node) and not isinstance(outside(node).parent, exp.Window)


def outside(node: exp.Expr) -> exp.Expr:
    """The node with what belongs to its call: FILTER, WITHIN GROUP and IGNORE NULLS."""
    while isinstance(node.parent, AROUND_A_CALL) and node.parent.this is node:
        node = node.parent
    return node


def wrap(node: exp.Expr, around: exp.Expr) -> None:
    """Put a node into one around it, as its `this`."""
    node.replace(around)
    around.set("this", node)


def windows(tree: exp.Expr) -> list[exp.Expr]:
    """The windows in an expression, each with its OVER where it has one."""
    bare = [outside(n) for n in tree.find_all(exp.Func) if is_window_function(n)]
    return [*tree.find_all(exp.Window), *(node for node in bare if not isinstance(node.parent, exp.Window))]


def inside(node: exp.Expr | None, wanted: Callable[[exp.Expr], bool]) -> bool:
    """True when a node, or one around it, is wanted."""
    while node is not None and not wanted(node):
        node = node.parent
    return node is not None
