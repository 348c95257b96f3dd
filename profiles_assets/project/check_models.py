"""Checks of models against the project: names, tables, columns, circles, and what the source of a model needs."""

from collections.abc import Iterator
from itertools import groupby

from sqlglot import exp

from profiles_assets.project.check_model_sql import sql_faults
from profiles_assets.project.check_row_wise import row_wise_problems
from profiles_assets.project.draft import Draft
from profiles_assets.project.graph import cycles
from profiles_assets.project.model_columns import Reading, TableUse
from profiles_assets.project.model_scopes import read_columns
from profiles_assets.project.model_tables import STITCHED, Columns, table_kinds
from profiles_assets.project.models import Model, output_name
from profiles_assets.project.problems import Problem, any_of, did_you_mean
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from profiles_assets.project.sql_words import RESERVED


def model_problems(draft: Draft) -> Iterator[Problem]:
    """What is wrong with models, and with the sources made from them."""
    outputs: dict[str, Columns] = {}
    for model in draft.project.models.values():
        yield from _name_problems(draft.project, model)
        faults = sql_faults(model)
        yield from faults
        if not faults:
            reading = read_columns(draft.project, model, outputs)
            yield from reading.problems
            yield from _column_problems(reading)
            yield from row_wise_problems(reading)
    yield from _circle_problems(draft.project)
    for name, source in draft.project.sources.items():
        if source.model:
            yield from _source_problems(draft, name, source, outputs)


def _name_problems(project: Project, model: Model) -> Iterator[Problem]:
    taken = {STITCHED: "the table of stitched ids"}
    for what, names in (
        ("source", [name for name, source in project.sources.items() if source.model != name]),
        ("section", project.sections),
        ("funnel", project.funnels),
        ("prediction", project.predictions),
        ("entity", project.entities),
    ):
        taken |= dict.fromkeys(names, f"a {what}".replace("a e", "an e"))
    if model.name in taken:
        yield Problem(model.file, 1, f'model "{model.name}" has the name of {taken[model.name]}', "rename the file")
    if model.name in RESERVED:
        yield Problem(model.file, 1, f'"{model.name}" is a word of SQL, so nobody could query it', "rename the file")


def _column_problems(reading: Reading) -> Iterator[Problem]:
    model = reading.model
    for use in reading.tables:
        if use.kind == "source":
            yield from _spelling_problems(model, use)
            yield from _person_problems(reading, use)
    yield from _output_problems(model)


def _spelling_problems(model: Model, use: TableUse) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for column in use.columns:
        other = seen.setdefault(column.path.lower(), column.path)
        if other != column.path:
            message = f'"{column.path}" and "{other}" differ only in capital letters, which SQL cannot tell apart'
            yield model.problem(column.node, message, "write one of them")


def _person_problems(reading: Reading, use: TableUse) -> Iterator[Problem]:
    entity, spec = next(iter(reading.project.entities.items()), ("", None))
    asked = next((column for column in use.columns if column.path.lower() == "profile_id"), None)
    if asked and spec and not spec.ids.keys() & reading.project.sources[use.name].ids.keys():
        message = f'the source "{use.name}" has no id of {entity}, so its events have no profile_id'
        yield reading.model.problem(asked.node, message, f"add one of {any_of(list(spec.ids))} to it")


def _output_problems(model: Model) -> Iterator[Problem]:
    """Columns without a name of their own, or with one that is there already."""
    query: exp.Expr | None = model.tree
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    seen = set[str]()
    for number, projection in enumerate(query.expressions if isinstance(query, exp.Select) else (), 1):
        name = output_name(projection).lower()
        star = isinstance(projection, exp.Star | exp.Columns) or projection.is_star
        dotted = isinstance(projection, exp.Dot) or (isinstance(projection, exp.Column) and len(projection.parts) > 2)
        if not star and (not name or dotted):
            message = f"column {number} has no name"
            yield model.problem(projection, message, "give it one with AS, such as … AS total")
        elif not star and name in seen:
            message = f'two columns are called "{name}"'
            yield model.problem(projection, message, "give one of them another name with AS")
        seen.add(name)


def _circle_problems(project: Project) -> Iterator[Problem]:
    """Models, and sources made from models, that read each other in a circle."""
    reads: dict[str, tuple[str, ...]] = {}
    for model in project.models.values():
        kinds = {name: table_kinds(project, name)[:1] for name in model.tables}
        reads[f"model {model.name}"] = tuple(
            f"{kind} {name}" for name, (*found,) in kinds.items() for kind in found if kind in ("model", "source")
        )
    for name, source in project.sources.items():
        reads[f"source {name}"] = (f"model {source.model}",) if source.model in project.models else ()
    for path in cycles(reads):
        first = next(step for step in path if step.startswith("model ")).removeprefix("model ")
        names = [name for name, _ in groupby(step.partition(" ")[2] for step in path)]
        message = f"models are made from each other in a circle: {' → '.join(names if names[1:] else names * 2)}"
        yield Problem(project.models[first].file, 1, message, "break it at one of them")


def _source_problems(draft: Draft, name: str, source: Source, outputs: dict[str, Columns]) -> Iterator[Problem]:
    place, models = draft.place("sources", name), draft.project.models
    if source.model not in models:
        hint = did_you_mean(str(source.model), models) or f"write models/{source.model}.sql"
        yield place.problem(f'there is no model "{source.model}"', "model", hint=hint)
        return
    columns = outputs.get(source.model, Columns.of([], is_open=True))
    if source.kind == "records":
        yield place.problem("the rows of a model are events, not records that change", "kind", hint="leave out kind")
    paths: dict[tuple[str, ...], str | None] = {("ids", t): path for t, path in source.ids.items()}
    paths |= {(key,): getattr(source, key) for key in ("time", "received", "event_id", "event", "identify_traits")}
    for at, path in paths.items():
        if path and not columns.is_open and path.split(".")[0].lower() not in columns.known:
            message = f'the model "{source.model}" has no column "{path}"'
            yield place.problem(message, *at, hint=did_you_mean(path, sorted(columns.known)))
