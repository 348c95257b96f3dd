"""Formulas of `calculate`: arithmetic with other traits, read by sqlglot and limited to what is safe."""

from collections.abc import Iterator
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

OPERATORS = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Neg, exp.Paren)
FUNCTIONS = (exp.Abs, exp.Round, exp.Greatest, exp.Least, exp.Coalesce)
ALLOWED = (*OPERATORS, *FUNCTIONS, exp.Column, exp.Identifier, exp.Literal)
EXAMPLE = "such as spend_90d / orders_90d; there are + - * / ( ), round, abs, least, greatest and coalesce"


@lru_cache(maxsize=4_096)
def parse_formula(formula: str) -> exp.Expr | None:
    """Tree of a formula; None when it is no arithmetic with traits."""
    try:
        parsed = sqlglot.parse(formula, dialect="duckdb")
    except (SqlglotError, RecursionError, ValueError):
        return None
    tree = parsed[0] if len(parsed) == 1 else None
    return tree if tree is not None and all(_allowed(node) for node in tree.walk()) else None


@lru_cache(maxsize=4_096)
def formula_names(formula: str) -> tuple[str, ...]:
    """Names of the traits in a formula, each once, in order."""
    tree = parse_formula(formula)
    columns = tree.find_all(exp.Column, bfs=False) if tree is not None else ()
    return tuple(dict.fromkeys(column.name for column in columns))


def formula_problems(formula: str) -> Iterator[tuple[str, str]]:
    """What is wrong with a formula, with a hint."""
    if parse_formula(formula) is None:
        yield f'"{formula[:80]}" is not arithmetic with traits', f"write it {EXAMPLE}"
    elif not formula_names(formula):
        yield f'"{formula[:80]}" has no trait in it', f"write it {EXAMPLE}"


def _allowed(node: exp.Expr) -> bool:
    if isinstance(node, exp.Column):
        return len(node.parts) == 1
    return isinstance(node, ALLOWED) and not (isinstance(node, exp.Literal) and node.is_string)
