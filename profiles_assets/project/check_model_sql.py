"""What a model's SQL may not do: write, reach outside of the project, or depend on chance, clock or row order."""

import json
from collections.abc import Iterator
from typing import Any

from sqlglot import exp

from profiles_assets.project.models import Model
from profiles_assets.project.problems import Problem
from profiles_assets.project.sql_words import ANY_ORDER, CHANCE, CLOCK, OUTSIDE

Fault = tuple[str, str]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ONE_SELECT = "a model is one SELECT; it may start with WITH and join several with UNION"
TABLES = "a model reads sources, other models, sections, funnels and stitched_ids, by their names alone"
TABLE_FUNCTIONS = frozenset({"unnest", "range", "generate_series"})
SESSION = _words(
    """
    current_user user session_user current_role current_catalog current_database current_schema current_schemas
    current_query current_query_id current_connection_id current_transaction_id txid_current in_search_path version
    write_log sleep_ms stats error set_config json_execute_serialized_sql
    """
)
CATALOGUE = (*OUTSIDE, "pg_", "duckdb_", "ducklake_", "pragma_", "has_", "which_secret", "add_parquet_key", "write_")
NEED_ORDER = ANY_ORDER | _words("list array_agg string_agg group_concat listagg json_group_array")
BY_POSITION = _words("row_number ntile lag lead first_value last_value nth_value first last")
BY_SAMPLE = {"approx_quantile": "quantile_cont", "approx_top_k": "count(*) in a GROUP BY"}
WRITING = (exp.DDL, exp.DML, exp.Command, exp.Set, exp.Pragma, exp.Attach, exp.Copy, exp.Into)
LOOKING = (exp.Describe, exp.Summarize, exp.Show)


def sql_faults(model: Model) -> list[Problem]:
    """Problems of a model's text on its own, each at its line."""
    if model.tree is None:
        return [_unreadable(model)]
    found = [model.problem(node, message, hint) for node in model.tree.walk() for message, hint in _faults(model, node)]
    return list(dict.fromkeys(found)) or list(_seen_by_duckdb(model))


def _faults(model: Model, node: exp.Expr) -> Iterator[Fault]:
    for found in (_form(node), _table(node), _misplaced(model, node), _call(model, node), _order(model, node)):
        yield from found


def _unreadable(model: Model) -> Problem:
    found = [s for s in model.statements if s is not None and not isinstance(s, exp.Semicolon)]
    if len(found) > 1:
        return model.problem(found[1], "there is more than one statement", ONE_SELECT)
    if found:
        return model.problem(found[0], "this is not a SELECT", ONE_SELECT)
    told = json.loads(_serialised(model.sql))
    reason = told.get("error_message") or "there is no SQL that can be read"
    line = _line_at(model.sql, int(told.get("position") or 0))
    return Problem(model.file, line, f"this is not a SELECT: {reason}", ONE_SELECT)


def _misplaced(model: Model, node: exp.Expr) -> Iterator[Fault]:
    """Names whose place in the text is not known, so that nothing can be put in theirs."""
    for part in node.parts if isinstance(node, exp.Table | exp.Column) else ():
        if isinstance(part, exp.Identifier) and written(model, part).strip("\"'").replace('""', '"') != part.name:
            yield f'"{part.name}" cannot be found in the text', "write the SQL around it more simply"


def _form(node: exp.Expr) -> Iterator[Fault]:
    if isinstance(node, WRITING):
        yield "a model only reads, so nothing can be written here", ONE_SELECT
    elif isinstance(node, LOOKING):
        yield "a model reads tables of the project, not what the database tells about itself", ONE_SELECT
    elif isinstance(node, exp.Placeholder | exp.Parameter):
        yield "parameters are not possible here", "write the value itself"
    elif isinstance(node, exp.TableSample):
        yield "a sample differs with every run", "pick rows with a condition"
    elif isinstance(node, exp.Pivot):
        yield "the columns of PIVOT depend on the data", "write one sum(…) FILTER (WHERE …) per column"
    elif isinstance(node, exp.PositionalColumn):
        yield "columns have names", "write the name instead of #"
    elif isinstance(node, exp.With) and node.args.get("recursive"):
        yield "WITH RECURSIVE may never end", "join the model with itself as often as needed"
    elif isinstance(node, exp.Join) and node.args.get("method") in ("NATURAL", "POSITIONAL", "ASOF"):
        method = node.args["method"]
        why = "the columns that happen to be there" if method == "NATURAL" else "the order of rows"
        yield f"{method} JOIN depends on {why}", "write JOIN … USING (…) or JOIN … ON …"


def _call(model: Model, node: exp.Expr) -> Iterator[Fault]:
    names = called(node)
    name = written(model, node) or min(names, default="")
    if not names.isdisjoint(CLOCK) or (names == {"age"} and len(list(node.iter_expressions())) == 1):
        yield f"{name} depends on when it runs", "use as_of, the day that is asked about"
    elif not names.isdisjoint(CHANCE):
        yield f"{name} differs with every run", "a model must give the same rows when it is computed again"
    elif not isinstance(node.parent, exp.Table) and (names & SESSION or any(n.startswith(CATALOGUE) for n in names)):
        yield f"{name} reads what is not data of the project", TABLES
    for found in names & BY_SAMPLE.keys():
        yield f"{name} depends on the order of rows", f"use {BY_SAMPLE[found]}"


def _order(model: Model, node: exp.Expr) -> Iterator[Fault]:
    names = called(node)
    window, name = _window(node), written(model, node) or min(names, default="")
    if window is not None and not names.isdisjoint(BY_POSITION):
        if window.args.get("order") is None and not _named_window_has_order(window):
            yield f"{name} needs an ORDER BY in its OVER (…)", "say in which order"
    elif not names.isdisjoint(NEED_ORDER) and node.find(exp.Order) is None:
        yield f"{name} depends on the order of rows", f"say which one, such as {name}(total ORDER BY time)"
    if isinstance(node, exp.Query) and node.args.get("order") is None:
        if node.args.get("limit") or node.args.get("offset"):
            yield "LIMIT without ORDER BY keeps any rows", "add an ORDER BY that tells which ones"
        distinct = node.args.get("distinct")
        if isinstance(distinct, exp.Distinct) and distinct.args.get("on"):
            yield "DISTINCT ON without ORDER BY keeps any row", "add an ORDER BY that tells which one"


def _window(node: exp.Expr) -> exp.Window | None:
    """The OVER (…) that belongs to a call, past FILTER and IGNORE NULLS."""
    parent = node.parent
    while isinstance(parent, exp.Filter | exp.IgnoreNulls | exp.RespectNulls):
        parent = parent.parent
    return parent if isinstance(parent, exp.Window) and parent.find(type(node)) is not None else None


def _named_window_has_order(window: exp.Window) -> bool:
    select = window.find_ancestor(exp.Select)
    named = [w for w in (select.args.get("windows") or () if select else ()) if w.name == window.alias]
    return any(w.args.get("order") for w in named)


def _table(table: exp.Expr) -> Iterator[Fault]:
    if not isinstance(table, exp.Table):
        return
    if isinstance(table.this, exp.Identifier) and len(table.parts) > 1:
        name = ".".join(part.name for part in table.parts)
        yield f"{name} is a subquery to another schema", TABLES
    if table.args.get("when"):
        yield "AT reads another version of a table", "a model reads everything as of the run's day"
    allowed = isinstance(table.this, exp.Identifier | exp.GenerateSeries | exp.Unnest)
    if not allowed and (names := called(table.this)).isdisjoint(TABLE_FUNCTIONS):
        hint = "of table functions there are unnest, range and generate_series"
        yield f"{min(names, default='this function')} reads what is not data of the project", hint


def written(model: Model, node: exp.Expr) -> str:
    """Name of a function as the text has it; empty where its place is not known."""
    place = node.meta
    return model.sql[place["start"] : place["end"] + 1] if "start" in place else ""


def called(node: exp.Expr) -> set[str]:
    """Names of the function that a node calls, in small letters; empty for anything else."""
    if isinstance(node, exp.Anonymous | exp.AnonymousAggFunc):
        return {node.name.lower()}
    return {name.lower() for name in node.sql_names()} if isinstance(node, exp.Func) else set()


def _seen_by_duckdb(model: Model) -> Iterator[Problem]:
    """The same check on what DuckDB itself reads in the text, should the two readers ever differ."""
    told = json.loads(_serialised(model.sql))
    if told.get("error") or len(told["statements"]) != 1:
        yield Problem(model.file, 1, f"DuckDB cannot read this: {told.get('error_message', 'several statements')}")
        return
    for node in _nodes(told):
        function = node.get("function_name", "").lower()
        is_table = node.get("type") == "TABLE_FUNCTION"
        inner = (node.get("function") or {}).get("function_name", "").lower() if is_table else ""
        bad = node.get("type") in ("SHOW_REF", "PIVOT") or bool(node.get("schema_name") or node.get("catalog_name"))
        bad |= inner not in {"", *TABLE_FUNCTIONS} or function in CLOCK | CHANCE | SESSION
        if bad or function.startswith(CATALOGUE):
            line = _line_at(model.sql, node.get("query_location"))
            yield Problem(model.file, line, "this reads what is not data of the project or differs with every run")


def _nodes(told: Any) -> Iterator[dict[str, Any]]:
    if isinstance(told, dict):
        yield told
    for inner in told.values() if isinstance(told, dict) else told if isinstance(told, list) else ():
        yield from _nodes(inner)


def _serialised(sql: str) -> str:
    import duckdb  # takes its time, and few projects have models

    with duckdb.connect() as con:
        row = con.execute("SELECT json_serialize_sql(?::VARCHAR)", [sql]).fetchone()
    return str(row[0]) if row else "{}"


def _line_at(sql: str, location: Any) -> int:
    encoded = sql.encode()
    return encoded[:location].count(b"\n") + 1 if isinstance(location, int) and location < len(encoded) else 1
