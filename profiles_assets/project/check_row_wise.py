"""Which models can be sources: those whose rows, once there, never change when later data arrives."""

from collections.abc import Iterator

from sqlglot import exp

from profiles_assets.project.model_columns import Reading
from profiles_assets.project.model_days import dated_selects, undated_rows
from profiles_assets.project.problems import Problem

Fault = tuple[str, str]
WHY = "rows of a source must not change when later data arrives"
ALLOWED = "select, filter, compute, UNNEST, UNION ALL and inner joins are possible"
INNER = ("INNER", "CROSS")
AROUND = (exp.From, exp.Join, exp.CTE, exp.SetOperation, exp.Subquery, exp.Lateral)
FROM_SOURCES = "read event sources only, else identity would depend on itself"


def row_wise_problems(reading: Reading) -> Iterator[Problem]:
    """Why a model that a source names cannot be one; nothing for other models."""
    if not any(source.model == reading.model.name for source in reading.project.sources.values()):
        return
    for use in reading.tables:
        if use.kind != "source":
            message = f'a model that is a source cannot read the {use.kind.replace("_", " ")} "{use.name}"'
            yield _problem(reading, use.node, message, FROM_SOURCES)
        elif reading.project.sources[use.name].kind == "records":
            message = f'"{use.name}" has records, of which the newest counts'
            yield _problem(reading, use.node, f"{message}; {WHY}", "read sources of events only")
        for column in use.columns:
            if column.path.lower() == "profile_id":
                yield _problem(reading, column.node, "a model that is a source cannot use profile_id", FROM_SOURCES)
    for as_of in reading.as_of:
        yield _problem(reading, as_of, f"a model that is a source cannot use as_of: {WHY}", ALLOWED)
    if reading.model.tree is None:
        return
    for node in reading.model.tree.walk():
        for message in _faults(node):
            yield _problem(reading, node, f"a model that is a source {message}: {WHY}", ALLOWED)
    yield from _day_faults(reading, reading.model.tree)


def _problem(reading: Reading, node: exp.Expr, message: str, hint: str) -> Problem:
    return reading.model.problem(node, message, hint)


def _faults(node: exp.Expr) -> Iterator[str]:
    if isinstance(node, exp.Select):
        for key, what in (("group", "GROUP BY"), ("distinct", "DISTINCT"), ("qualify", "QUALIFY")):
            if node.args.get(key):
                yield f"cannot use {what}"
        if any(projection.is_star for projection in node.expressions):
            yield "cannot use *; name the columns"
    if isinstance(node, exp.Query) and (node.args.get("limit") or node.args.get("offset")):
        yield "cannot use LIMIT"
    if isinstance(node, exp.SetOperation) and (not isinstance(node, exp.Union) or node.args.get("distinct")):
        yield f"can use UNION ALL, but not {node.key.upper()}"
    if isinstance(node, exp.Window):
        yield "cannot use OVER"
    elif isinstance(node, exp.AggFunc | exp.AnonymousAggFunc):
        yield "cannot aggregate"
    if isinstance(node, exp.Join) and (node.args.get("side") or node.args.get("kind") not in (None, "", *INNER)):
        words = [node.args.get("side"), node.args.get("kind")]
        yield f"cannot use {' '.join(filter(None, words))} JOIN"
    if isinstance(node, exp.Query) and isinstance(node.parent, exp.Expr) and not isinstance(node.parent, AROUND):
        yield "cannot have a query inside an expression"


def _day_faults(reading: Reading, tree: exp.Query) -> Iterator[Problem]:
    for select in undated_rows(tree):
        message = "these rows come from no source, so they have no load day"
        yield _problem(reading, select, message, "select them from a source")
    for dated in dated_selects(tree):
        if len(dated.aliases) > 1 and "" in dated.aliases:
            yield _problem(reading, dated.select, "a joined subquery has no name", "give it one, such as (…) AS lines")
    for alias in tree.find_all(exp.TableAlias):
        if alias.args.get("columns") and isinstance(alias.parent, exp.CTE | exp.Subquery):
            message = f'the columns of "{alias.name}" are named in a list'
            yield _problem(reading, alias, message, "name them with AS in the SELECT")
