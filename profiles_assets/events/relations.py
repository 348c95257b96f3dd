"""A source as a relation with the columns that a model names, and models' text with such relations put in.

What a user wrote runs as it was written: only names of tables, dotted paths and `as_of` are replaced.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import sqlglot
from sqlglot import Token, TokenType, exp

from profiles_assets.events.columns import SQL_TYPES
from profiles_assets.events.derive import property_column
from profiles_assets.events.visible import counts_sql
from profiles_assets.project.expressions import parse_expression, properties, property_path
from profiles_assets.project.model_columns import Reading, TableUse
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Column
from resources.tables import literal, quote

BUILT_IN = {
    "time": ("e.time", "TIMESTAMP"),
    "received": ("e.received", "TIMESTAMP"),
    "event": ("e.event", "VARCHAR"),
    "event_id": ("e.event_id", "VARCHAR"),
    "day": ("e.event_day", "DATE"),
    "load_day": ("e.day", "DATE"),
    "profile_id": ("a.profile_id", "VARCHAR"),
}


@dataclass(frozen=True)
class Edit:
    """Text to put in place of the characters from start up to end; `rank` orders edits at one place."""

    start: int
    end: int
    text: str
    rank: int = 0


def source_relation(
    project: Project,
    name: str,
    have: Mapping[str, str],
    paths: Iterable[str],
    as_of: str,
    *,
    attribution: str = "attribution",
    where: str = "true",
    more: Iterable[str] = (),
) -> str:
    """SELECT of the events of a source that count at `as_of` (a SQL date), with these columns and `more` SQL.

    `have` are the columns of its table, none when it was never loaded; `attribution` maps tuples to profiles.
    """
    source, entity = project.sources[name], next(iter(project.entities))
    columns = [f"{_column(project, name, have, path)} AS {quote(path)}" for path in paths]
    select = ", ".join([*columns, *more]) or "1 AS one"
    if not have:
        return f"SELECT {select} WHERE false"
    asks_who = any(path.lower() == "profile_id" for path in paths)
    join = f" LEFT JOIN {attribution} a ON a.tuple_key = e.{quote(f'tuple_{entity}')}" if asks_who else ""
    return f"SELECT {select} FROM raw_events.{quote(name)} e{join} WHERE {counts_sql(source, as_of, 'e')} AND {where}"


def _column(project: Project, name: str, have: Mapping[str, str], path: str, around: tuple[str, ...] = ()) -> str:
    """SQL of a column over the table `e`: built-in, id, computed, or a property, which is empty where none is known."""
    source, key = project.sources[name], path.lower()
    if key in BUILT_IN:
        value, type_ = BUILT_IN[key]
        return value if have else f"NULL::{type_}"
    if path in source.columns and path not in around:
        return _computed(source.columns[path], lambda p: _column(project, name, have, p, (*around, path)))
    stored = f"id_{key}" if key in source.ids else property_column(path)
    if stored in have:
        return f"e.{quote(stored)}"
    return f"NULL::{SQL_TYPES[source.types.get(path, 'text')]}"


def _computed(column: Column, value_of: Callable[[str], str]) -> str:
    type_, tree = SQL_TYPES[column.type], parse_expression(column.sql)
    if tree is None:
        return f"NULL::{type_}"
    tree = exp.Paren(this=tree.copy())
    for used in list(properties(tree)):
        used.replace(sqlglot.parse_one(value_of(property_path(used)), dialect="duckdb"))
    value = f"try_cast(TRY({tree.sql(dialect='duckdb')}) AS {type_})"
    return f"CASE WHEN isfinite({value}) THEN {value} END" if type_ == "DOUBLE" else value


def bound_edits(reading: Reading, relation_of: Callable[[TableUse], str], as_of: str) -> list[Edit]:
    """Edits that put relations in place of tables, columns of them in place of paths, and the day for `as_of`."""
    edits = [_table_edit(use, relation_of(use)) for use in reading.tables]
    for column in (c for use in reading.tables for c in use.columns if len(c.parts) > 1):
        start, end = column.parts[0].meta["start"], column.parts[-1].meta["end"] + 1
        edits.append(Edit(start, end, quote(column.path)))
    for node in reading.as_of:
        alone = isinstance(node.parent, exp.Select) and node.arg_key == "expressions"
        start, end = node.this.meta["start"], node.this.meta["end"] + 1
        edits.append(Edit(start, end, as_of + (" AS as_of" if alone else "")))
    return edits + _ends(reading.model.sql)


def _table_edit(use: TableUse, relation: str) -> Edit:
    alias = "" if use.node.alias else f" AS {quote(use.node.name)}"
    return Edit(use.node.this.meta["start"], use.node.this.meta["end"] + 1, f"({relation}){alias}")


def _ends(sql: str) -> list[Edit]:
    semicolons = [token for token in tokens(sql) if token.token_type == TokenType.SEMICOLON]
    return [Edit(token.start, token.end + 1, " ") for token in semicolons]


def tokens(sql: str) -> list[Token]:
    """Tokens of a model's text, with the places of their first and last character."""
    return sqlglot.tokenize(sql, read="duckdb")


def edited(sql: str, edits: Iterable[Edit]) -> str:
    """The text with all edits made; they may touch but not overlap."""
    made, at = [], 0
    for edit in sorted(edits, key=lambda e: (e.start, e.end, e.rank)):
        made += [sql[at : edit.start], edit.text]
        at = edit.end
    return "".join([*made, sql[at:]])


def day_in(days: Iterable[str]) -> str:
    """Condition that the load day of an event `e` is one of these ISO dates."""
    return f"e.day IN ({', '.join(f'DATE {literal(day)}' for day in sorted(days))})"
