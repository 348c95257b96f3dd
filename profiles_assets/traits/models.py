"""Models: the SQL that a model's text becomes, and the table `models.<name>` with its rows."""

import hashlib
from dataclasses import dataclass
from datetime import date

import duckdb

from profiles_assets.events.load import newest_day
from profiles_assets.events.readable import stage_model
from profiles_assets.events.relations import bound_edits, edited, source_relation
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.model_columns import Reading, TableUse
from profiles_assets.project.model_scopes import read_columns
from profiles_assets.project.model_tables import STITCHED_COLUMNS, is_source_of_its_name, section_traits
from profiles_assets.project.project import Project
from profiles_assets.traits.columns import EventColumns, event_columns
from profiles_assets.traits.derived import Reading as TraitReading
from profiles_assets.traits.derived import add_traits, stored_traits
from profiles_assets.traits.model_order import create_macro, order_edits
from resources import progress
from resources.lake import Lake
from resources.tables import columns, literal, quote

Con = duckdb.DuckDBPyConnection
STAGED = "staged_model"


@dataclass(frozen=True)
class ModelReport:
    """Rows of a model's table as of a day, and how many of them are new or gone."""

    as_of: date | None
    rows: int = 0
    inserted: int = 0
    deleted: int = 0


@dataclass(frozen=True)
class _Plan:
    version: str
    report: ModelReport
    replace: bool = False


def built_models(project: Project) -> list[str]:
    """Names of the models with a table of their own: all but those whose rows are a source of the same name."""
    return [name for name in project.models if not is_source_of_its_name(project, name)]


def compile_model(project: Project, name: str, events: EventColumns, as_of: str) -> str:
    """SELECT of a model's rows as of a day (a SQL date): its text, with relations in place of the names of tables.

    Reads a table `attribution` where the model asks for the person of events; calls the macro of `create_macro`.
    """
    reading = read_columns(project, project.models[name])
    base = bound_edits(reading, lambda use: _relation(project, use, events, as_of), as_of)
    return edited(reading.model.sql, [*base, *order_edits(reading.model.sql, base)])


def _relation(project: Project, use: TableUse, events: EventColumns, as_of: str) -> str:
    match use.kind:
        case "source":
            return source_relation(project, use.name, events.tables.get(use.name, {}), use.paths, as_of)
        case "section":
            return _section_relation(project, use.name, as_of)
        case "stitched_ids":
            return f"SELECT {', '.join(STITCHED_COLUMNS)} FROM identity.stitched_ids"
        case _:
            return f"SELECT * FROM {use.kind}s.{quote(use.name)}"


def _section_relation(project: Project, name: str, as_of: str) -> str:
    section, kept = project.sections[name], stored_traits(project, name)
    traits = section_traits(project, name)
    derived = [t for t in traits if t not in kept or section.traits[t].verb == "days_since"]
    reading = TraitReading.of(project, section.entity, as_of)
    select = add_traits(f"SELECT * FROM entity_vars.{quote(name)}", derived, section.traits, reading)
    return f"SELECT profile_id, {', '.join(map(quote, traits))} FROM ({select})"


def model_steps(project: Project, reading: Reading) -> list[str]:
    """Steps whose notes decide what the rows of a model are."""
    steps = {
        "source": lambda name: f"raw_events/{name}",
        "model": lambda name: f"models/{name}",
        "section": lambda name: f"entity_vars/{name}",
        "funnel": lambda name: f"funnels/{name}",
    }
    found = {steps[use.kind](use.name) for use in reading.tables if use.kind in steps}
    if any(use.kind == "stitched_ids" for use in reading.tables):
        found |= {f"stitched_ids/{entity}" for entity in project.entities}
    if asks_who(reading):
        found.add(f"stitched_ids/{next(iter(project.entities))}")
    return sorted(found)


def asks_who(reading: Reading) -> bool:
    """True when a model reads the profile_id of a source's events."""
    return any(use.kind == "source" and "profile_id" in map(str.lower, use.paths) for use in reading.tables)


def update_model(lake: Lake, project: Project, name: str) -> ModelReport:
    """Bring the table of a model to the newest load day; rows are written only when they differ.

    Raises ModelError when the data does not fit the SQL.
    """
    step, table = f"models/{name}", f"models.{quote(name)}"
    reading = read_columns(project, project.models[name])
    reads = [*model_steps(project, reading), step]

    def compute(con: Con) -> _Plan:
        as_of = newest_day(con, project)
        sql = compile_model(project, name, event_columns(con, project), f"DATE {literal(str(as_of))}")
        version = _version(con, reads[:-1], sql)
        if as_of is None or progress.applied(con, step).get("all") == version:
            return _Plan("", ModelReport(as_of, _count(con, table) if columns(con, table) else 0))
        if asks_who(reading):
            create_attribution(con, project, next(iter(project.entities)))
        create_macro(con)
        stage_model(con, reading.model.file, sql, STAGED)
        return _compare(con, table, as_of, version)

    def write(con: Con, plan: _Plan) -> None:
        if plan.replace:
            con.execute(f"CREATE OR REPLACE TABLE {table} AS FROM {STAGED}")
        elif plan.report.inserted:
            con.execute(f"INSERT INTO {table} BY NAME FROM new_rows")
        if plan.version:
            progress.record(con, step, {"all": plan.version})

    return lake.step(compute, write, reads).report


def _version(con: Con, steps: list[str], sql: str) -> str:
    text = f"{progress.fingerprint(con, steps)}|{sql}"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _compare(con: Con, table: str, as_of: date, version: str) -> _Plan:
    """What to write: nothing, the new rows where none is gone, or everything."""
    rows, before = _count(con, STAGED), columns(con, table)
    if list(before.items()) != list(columns(con, STAGED).items()):
        old = _count(con, table) if before else 0
        return _Plan(version, ModelReport(as_of, rows, rows, old), replace=True)
    if _content(con, table) == _content(con, STAGED):
        return _Plan(version, ModelReport(as_of, rows))
    con.execute(f"CREATE OR REPLACE TEMP TABLE new_rows AS FROM {STAGED} EXCEPT ALL FROM {table}")
    new = _count(con, "new_rows")
    gone = _count(con, table) + new - rows
    return _Plan(version, ModelReport(as_of, rows, new, gone), replace=gone > 0)


def _content(con: Con, table: str) -> tuple[object, ...]:
    """Number of rows and two sums over their hashes, which do not depend on their order."""
    row = con.execute(f"SELECT count(*), sum(hash(t)::HUGEINT), bit_xor(hash(t, 'twice')) FROM {table} t").fetchone()
    return row or ()


def _count(con: Con, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
