"""Edits that keep the order of rows out of a model's aggregates.

Floating sums differ with every order of rows, so `sum` and `avg` add up exact decimals; what else adds up floats
reads its values in order; and of rows that are equal in what an ORDER BY or `arg_max` compares, the value decides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb
from sqlglot import Token, TokenType

from profiles_assets.events.relations import Edit, edited, tokens
from profiles_assets.project.sql_words import AGGREGATES

EXACT = "exact_number"
UNCHANGED = """
    TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT BOOLEAN
    INTERVAL DATE TIMESTAMP TIMESTAMPTZ TIME VARCHAR
"""
SUMS = ("sum", "avg", "mean")
BY_VALUE = ("arg_max", "arg_min", "max_by", "min_by", "argmax", "argmin", "arg_max_null", "arg_min_null")
ORDERED = ("first", "last", "any_value", "arbitrary", "list", "array_agg", "string_agg", "group_concat", "listagg")
FLOATS = """
    stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp skewness kurtosis
    kurtosis_pop sem product entropy mode fsum kahan_sum sumkahan favg regr_avgx regr_avgy regr_intercept regr_r2
    regr_slope regr_sxx regr_sxy regr_syy
"""
OPEN = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
CLOSE = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)


def create_macro(con: duckdb.DuckDBPyConnection) -> None:
    """Create the temporary macro that compiled models call: floats as exact decimals, anything else as it is."""
    exact = ["(x DOUBLE) AS try_cast(x AS DECIMAL(28, 9))", "(x FLOAT) AS try_cast(x AS DECIMAL(28, 9))"]
    exact += [f"(x {type_}) AS x" for type_ in UNCHANGED.split()]
    con.execute(f"CREATE OR REPLACE TEMP MACRO {EXACT}{', '.join(exact)}")


@dataclass(frozen=True)
class Call:
    """A call in a text: the numbers of its tokens, of each argument's first and last, and of its inner ORDER BY."""

    name: int
    arguments: tuple[tuple[int, int], ...]
    order: int | None
    close: int


def order_edits(sql: str, base: Sequence[Edit]) -> list[Edit]:
    """Edits of a model's text; `base` are those made already, which copies of arguments need as well."""
    found = tokens(sql)
    return [
        edit
        for number, token in enumerate(found[:-1])
        if found[number + 1].token_type == TokenType.L_PAREN and not _follows_dot(found, number)
        for edit in _edits(sql, base, found, _call(found, number), token.text.lower())
    ]


def _follows_dot(found: Sequence[Token], number: int) -> bool:
    return number > 0 and found[number - 1].token_type == TokenType.DOT


def _edits(sql: str, base: Sequence[Edit], found: Sequence[Token], call: Call, name: str) -> Iterator[Edit]:
    def copy(first: int, last: int) -> str:
        start, end = found[first].start, found[last].end + 1
        inside = [Edit(e.start - start, e.end - start, e.text) for e in base if start <= e.start and e.end <= end]
        return edited(sql[start:end], inside)

    if not call.arguments:
        return
    depth = call.close - call.name
    first, last = call.arguments[0]
    if name in SUMS:
        if not _aggregates(found[first:last]):  # what is summed over a sum is exact, and has no type for macros yet
            yield _insert(found[first].start, f"{EXACT}(", -depth)
            yield _insert(found[last].end + 1, ")", depth)
    elif name in BY_VALUE and len(call.arguments) > 1:
        value, by = copy(first, last), copy(*call.arguments[1])
        yield _insert(found[call.arguments[1][0]].start, f"CASE WHEN ({by}) IS NOT NULL THEN {{'by': ", -depth)
        yield _insert(found[call.arguments[1][1]].end + 1, f", 'of': {value}}} END", depth)
    elif name in FLOATS.split() or (name in ORDERED and call.order is not None):
        values = [copy(*argument) for argument in call.arguments if not _is_constant(found, argument)]
        words = ", " if call.order is not None else " ORDER BY "
        yield _insert(found[call.close].start, words + ", ".join(values), depth)


def _insert(at: int, text: str, rank: int) -> Edit:
    return Edit(at, at, text, rank)


def _aggregates(inside: Sequence[Token]) -> bool:
    return any(token.text.lower() in AGGREGATES for token in inside if token.token_type != TokenType.STRING)


def _is_constant(found: Sequence[Token], argument: tuple[int, int]) -> bool:
    first, last = argument
    return first == last and found[first].token_type in (TokenType.STRING, TokenType.NUMBER)


def _call(found: Sequence[Token], name: int) -> Call:
    close = _closing(found, name + 1)
    arguments, order = list[tuple[int, int]](), None
    start = number = name + 2
    if number < close and found[number].token_type in (TokenType.DISTINCT, TokenType.ALL):
        start = number = number + 1
    while number < close and order is None:
        if found[number].token_type in OPEN:
            number = _closing(found, number)
        elif found[number].token_type in (TokenType.COMMA, TokenType.ORDER_BY):
            arguments.append((start, number - 1))
            order = number if found[number].token_type == TokenType.ORDER_BY else None
            start = number + 1
        number += 1
    if order is None and start < close:
        arguments.append((start, close - 1))
    return Call(name, tuple(arguments), order, close)


def _closing(found: Sequence[Token], number: int) -> int:
    depth = 0
    for at in range(number, len(found)):
        depth += (found[at].token_type in OPEN) - (found[at].token_type in CLOSE)
        if depth == 0:
            return at
    return len(found) - 1
