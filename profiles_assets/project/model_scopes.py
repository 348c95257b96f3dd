"""Names in a model: which table each column belongs to.

Scopes are those of SQL: a name belongs to the nearest query around it that has a table for it. A source has any
column, so a name without a table goes to the one source in scope unless another table is known to have it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from sqlglot import exp

from profiles_assets.project.model_columns import ColumnUse, Reading, TableUse
from profiles_assets.project.model_tables import Columns, columns_of, table_kinds, table_names
from profiles_assets.project.models import Model, output_name, table_name
from profiles_assets.project.problems import any_of, did_you_mean
from profiles_assets.project.project import Project

AS_OF = "as_of"
Env = Mapping[str, Columns]


@dataclass
class Entry:
    """A table in the FROM of a SELECT: the name it has there, and what is known of its columns."""

    alias: str
    columns: Columns
    use: TableUse | None = None


@dataclass
class Frame:
    """The tables of one SELECT, the place of each name it gives to an expression, and the columns joined by USING."""

    entries: list[Entry] = field(default_factory=list)
    aliases: dict[str, int] = field(default_factory=dict)
    forced: set[str] = field(default_factory=set)
    joined: set[str] = field(default_factory=set)

    def having(self, name: str) -> list[Entry]:
        """Tables known to have a column, else those that may have it."""
        known = [entry for entry in self.entries if name in entry.columns.known]
        return known or [entry for entry in self.entries if entry.columns.is_open]

    def is_alias(self, name: str) -> bool:
        """True for a name that the SELECT gives, unless it is a column as well; as in DuckDB, columns go first."""
        known = any(name in entry.columns.known for entry in self.entries)
        return name in self.aliases and name not in self.forced and not known


Frames = Sequence[Frame]


def read_columns(project: Project, model: Model, outputs_of: dict[str, Columns] | None = None) -> Reading:
    """What a model reads, and what is not clear about it; nothing for a text that is not one SELECT.

    `outputs_of` keeps the columns of models that were read before.
    """
    reading = Reading(project, model, {} if outputs_of is None else outputs_of)
    reading.outputs_of[model.name] = Columns.of([], is_open=True)  # for models in a circle
    if model.tree is not None:
        reading.outputs_of[model.name] = _query(reading, model.tree, {}, ())
    return reading


def model_outputs(project: Project, name: str, outputs_of: dict[str, Columns] | None = None) -> Columns:
    """Columns that a model gives; open where its text alone does not tell them."""
    outputs_of = {} if outputs_of is None else outputs_of
    if name not in outputs_of:
        read_columns(project, project.models[name], outputs_of)
    return outputs_of[name]


def _query(reading: Reading, query: exp.Expr, env: Env, outer: Frames) -> Columns:
    for cte in query.args["with_"].expressions if query.args.get("with_") else ():
        columns = _named(cte.args.get("alias"), _query(reading, cte.this, env, outer))
        env = {**env, cte.alias.lower(): columns}
    if isinstance(query, exp.Subquery):
        return _query(reading, query.this, env, outer)
    if isinstance(query, exp.SetOperation):
        left, right = (_query(reading, part, env, outer) for part in (query.this, query.expression))
        both = Columns(left.known | right.known, left.is_open or right.is_open)
        return both if query.args.get("by_name") else left
    if isinstance(query, exp.Select):
        return _select(reading, query, env, outer)
    return Columns.of([], is_open=True)


def _select(reading: Reading, select: exp.Select, env: Env, outer: Frames) -> Columns:
    frame = Frame(aliases={p.alias.lower(): i for i, p in enumerate(select.expressions) if isinstance(p, exp.Alias)})
    frames = (frame, *outer)
    for item in _from_items(select):
        _add_table(reading, item, env, frames)
    for i, projection in enumerate(select.expressions):
        named = {c.name.lower() for c in projection.find_all(exp.Column) if len(c.parts) == 1}
        frame.forced |= {name for name in named if frame.aliases.get(name, -1) >= i}
    rest = [v for k, v in select.args.items() if k not in ("from_", "joins", "laterals", "with_")]
    for part in rest:
        for node in part if isinstance(part, list) else [part]:
            if isinstance(node, exp.Expr):
                _expression(reading, node, env, frames)
    return _outputs(select, frame)


def _from_items(select: exp.Select) -> Iterator[exp.Expr]:
    if select.args.get("from_"):
        yield from _with_joins(select.args["from_"].this)
    yield from select.args.get("joins") or ()
    yield from select.args.get("laterals") or ()


def _with_joins(item: exp.Expr) -> Iterator[exp.Expr]:
    yield item
    yield from item.args.get("joins") or ()


def _add_table(reading: Reading, item: exp.Expr, env: Env, frames: Frames) -> None:
    join = item if isinstance(item, exp.Join) else None
    table = item.this if join else item
    for one in _with_joins(table) if join else (table,):
        if one is not table:
            _add_table(reading, one, env, frames)
            continue
        entry = _entry(reading, one, env, frames)
        for column in join.args.get("using") or () if join else ():
            _join_using(reading, column, entry, frames[0])
        if not (join and join.args.get("kind") in ("SEMI", "ANTI")) or join.args.get("on"):
            frames[0].entries.append(entry)
    if join and join.args.get("on"):
        _expression(reading, join.args["on"], env, frames)


def _entry(reading: Reading, table: exp.Expr, env: Env, frames: Frames) -> Entry:
    alias = table.args.get("alias")
    if isinstance(table, exp.Table) and isinstance(table.this, exp.Identifier):
        return _named_table(reading, table, env)
    if isinstance(table, exp.Subquery | exp.Lateral) and isinstance(table.this, exp.Query | exp.Subquery):
        return Entry(table.alias.lower(), _named(alias, _query(reading, table.this, env, frames)))
    for part in [v for k, v in table.args.items() if k not in ("alias", "joins")]:
        for node in part if isinstance(part, list) else [part]:
            if isinstance(node, exp.Expr):
                _expression(reading, node, env, frames)
    given = Columns.of([table.alias, "unnest", "range", "generate_series"], is_open=False)
    return Entry(table.alias.lower(), _named(alias, given, also=table.alias))


def _named_table(reading: Reading, table: exp.Table, env: Env) -> Entry:
    name, alias = table_name(table), table.args.get("alias")
    shown = table.alias_or_name.lower()
    if name in env:
        return Entry(shown, _named(alias, env[name]))
    kinds = table_kinds(reading.project, name)
    if not kinds:
        hint = did_you_mean(name, table_names(reading.project))
        hint = hint or f"there are {any_of(table_names(reading.project))}"
        if len(table.parts) == 1:
            reading.problem(table, f'unknown table "{table.name}"', hint)
        return Entry(shown, Columns.of([], is_open=True))
    if len(kinds) > 1:
        reading.problem(table, f'"{name}" is the name of a {" and of a ".join(kinds)}', "rename one of them")
    use = TableUse(name, kinds[0], table)
    reading.tables.append(use)
    if kinds[0] == "source" and alias is not None and alias.args.get("columns"):
        reading.problem(table, "a source cannot have its columns renamed here", "rename them with AS in a SELECT")
    if kinds[0] == "model":
        columns = model_outputs(reading.project, name, reading.outputs_of)
    else:
        columns = columns_of(reading.project, kinds[0], name)
    return Entry(shown, _named(alias, columns), use)


def _named(alias: exp.Expr | None, columns: Columns, also: str = "") -> Columns:
    names = [column.name for column in alias.args.get("columns") or ()] if isinstance(alias, exp.TableAlias) else []
    return Columns.of([*names, also] if also else names) if names else columns


def _join_using(reading: Reading, column: exp.Expr, right: Entry, frame: Frame) -> None:
    name = column.name.lower()
    left = frame.having(name)
    if name not in frame.joined:
        _take(reading, left, column, [column], column.name)
    _take(reading, [right], column, [column], column.name)
    frame.joined.add(name)


def _expression(reading: Reading, node: exp.Expr, env: Env, frames: Frames) -> None:
    """Resolve the columns of an expression, and the queries inside it."""
    if isinstance(node, exp.Query):
        _query(reading, node, env, frames)
    elif isinstance(node, exp.Column) and isinstance(node.this, exp.Star):
        entry = next((e for frame in frames for e in frame.entries if e.alias == node.table.lower()), None)
        _no_star(reading, node, [entry] if entry else [])
    elif isinstance(node, exp.Column):
        _column(reading, node, frames)
    elif isinstance(node, exp.Star | exp.Columns) and not isinstance(node.parent, exp.Count):
        _no_star(reading, node, frames[0].entries)
        for replaced in node.args.get("replace") or ():
            _expression(reading, replaced, env, frames)
    else:
        for child in node.iter_expressions():
            _expression(reading, child, env, frames)


def _no_star(reading: Reading, node: exp.Expr, entries: Sequence[Entry]) -> None:
    select = node.find_ancestor(exp.Select)
    if select is not None and isinstance(select.parent, exp.Exists):
        return
    for entry in entries:
        if entry.use and entry.use.kind == "source":
            message = f'* stands for all columns, but events of the source "{entry.use.name}" have no fixed ones'
            reading.problem(node, message, f"name the columns, such as {entry.alias}.time")


def _column(reading: Reading, column: exp.Column, frames: Frames) -> None:
    parts = [*column.parts, *_further(column)]
    whole: exp.Expr = column
    for _ in _further(column):
        whole = whole.parent or whole
    owner = next((e for f in frames for e in f.entries if e.alias == parts[0].name.lower()), None)
    if len(parts) > 1 and owner is not None:
        _take(reading, [owner], whole, parts[1:], ".".join(part.name for part in parts))
    elif len(parts) == 1 and column.name.lower() == AS_OF:
        reading.as_of.append(column)
    else:
        _unqualified(reading, whole, parts, frames)


def _further(column: exp.Column) -> list[exp.Expr]:
    """Parts of a path beyond the four that a column has room for."""
    found: list[exp.Expr] = []
    inner: exp.Expr = column
    while isinstance(inner.parent, exp.Dot) and inner.parent.this is inner:
        if not isinstance(inner.parent.expression, exp.Identifier):
            break
        inner = inner.parent
        found.append(inner.expression)
    return found


def _unqualified(reading: Reading, node: exp.Expr, parts: Sequence[exp.Expr], frames: Frames) -> None:
    name = parts[0].name.lower()
    shown = ".".join(part.name for part in parts)
    for frame in frames:
        if len(parts) == 1 and (name in frame.joined or frame.is_alias(name)):
            return
        if frame.having(name):
            _take(reading, frame.having(name), node, parts, shown)
            return
    known = {column for frame in frames for entry in frame.entries for column in entry.columns.known if column}
    names = {name for frame in frames for name in frame.aliases}
    reading.problem(node, f'unknown column "{shown}"', did_you_mean(shown, sorted(known | names)))


def _take(reading: Reading, entries: Sequence[Entry], node: exp.Expr, parts: Sequence[exp.Expr], shown: str) -> None:
    """Note that a column is read of the one table that has it; several are a problem."""
    path = ".".join(part.name for part in parts)
    if len(entries) > 1:
        names = [entry.alias or "a subquery" for entry in entries]
        message = f'"{shown}" could come from {any_of(names)}'
        reading.problem(node, message, f"write {names[0]}.{path}")
        return
    entry = entries[0] if entries else None
    first = parts[0].name.lower()
    if entry and entry.use and entry.use.kind == "source":
        entry.use.columns.append(ColumnUse(path, tuple(parts), node))
    elif entry and first not in entry.columns.known and not entry.columns.is_open:
        message = f'"{entry.alias}" has no column "{parts[0].name}"'
        reading.problem(node, message, did_you_mean(first, sorted(entry.columns.known)))


def _outputs(select: exp.Select, frame: Frame) -> Columns:
    found, is_open = set[str](), False
    for projection in select.expressions:
        star = projection.this if isinstance(projection, exp.Column) else projection
        if isinstance(star, exp.Star):
            alias = projection.table.lower() if isinstance(projection, exp.Column) else None
            entries = [e for e in frame.entries if alias in (None, e.alias)]
            without = {column.name.lower() for column in star.args.get("except_") or ()}
            found |= {name for entry in entries for name in entry.columns.known} - without
            is_open |= any(entry.columns.is_open for entry in entries) or bool(star.args.get("rename"))
        elif isinstance(projection, exp.Columns | exp.Explode | exp.Unnest):
            is_open = True
        else:
            found.add(output_name(projection))
    return Columns.of(found - {""}, is_open)
