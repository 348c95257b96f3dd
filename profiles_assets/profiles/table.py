"""One row per person: ids, identify traits and stored traits, rewritten only when the person changed.

`profiles.<entity>_rows` is the table; `profiles.<entity>_unmasked` adds the predictions and the traits that move
by themselves or depend on a prediction; `profiles.<entity>` is the view that people read, without personal data.
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.events.load import newest_day
from profiles_assets.identity.owners import owners_step
from profiles_assets.profiles.masking import masked_map_sql, masked_sql
from profiles_assets.profiles.publication import publish_complete
from profiles_assets.profiles.rows import ROWS, rows_shape, rows_table, stage_rows
from profiles_assets.project.personal import personal_columns, personal_ids, personal_keys
from profiles_assets.project.project import Project
from profiles_assets.project.score_columns import MIX, PARTS, PEOPLE, Part
from profiles_assets.traits.derived import Reading, add_traits, read_traits, stored_tables
from resources import progress
from resources.feed import newest_snapshot
from resources.lake import Lake
from resources.tables import Change, Merge, exists, quote, rows_after, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection
AS_OF = "(SELECT as_of FROM ops.as_of WHERE entity = '{}')"


@dataclass(frozen=True)
class ProfilesReport:
    """What filling the profiles changed; the snapshot, unless publication waits for what is made of the profiles."""

    as_of: date | None
    people: int = 0
    change: Change = field(default_factory=Change)
    snapshot: int | None = None


@dataclass(frozen=True)
class _Plan:
    as_of: date
    notes: dict[str, str]
    unmasked: str
    masked: str
    merge: Merge
    people: int


def update_profiles(lake: Lake, project: Project, entity: str) -> ProfilesReport:
    """Bring the profiles of an entity up to date and publish them; writes nothing when nothing changed."""
    step = f"profiles/{entity}"

    def compute(con: Con) -> _Plan | None:
        as_of = newest_day(con, project)
        version = profiles_version(con, project, entity, as_of)
        if as_of is None or progress.applied(con, step).get("all") == version:
            return None
        table, notes = rows_table(entity), progress.applied(con, step)
        merge = stage_merge(con, table, ROWS, ["profile_id"], stage_rows(con, project, entity, notes))
        views = view_sql(con, project, entity), masked_view_sql(project, entity)
        made = {"shape": rows_shape(con, project, entity), "snapshot": str(newest_snapshot(con))}
        return _Plan(as_of, {"all": version} | made, *views, merge, rows_after(con, merge))

    def write(con: Con, plan: _Plan | None) -> None:
        if plan:
            write_merge(con, plan.merge)
            con.execute("DELETE FROM ops.as_of WHERE entity = ?", [entity])
            con.execute("INSERT INTO ops.as_of VALUES (?, ?)", [entity, plan.as_of])
            con.execute(f"CREATE OR REPLACE VIEW {view_name(entity, personal=True)} AS {plan.unmasked}")
            con.execute(f"CREATE OR REPLACE VIEW {view_name(entity)} AS {plan.masked}")
            progress.record(con, step, plan.notes)

    plan = lake.step(compute, write, [*inputs(project, entity), owners_step(entity), step])
    snapshot = publish_complete(lake, project, entity)
    if plan is None:
        return _unchanged(lake, entity, snapshot)
    return ProfilesReport(plan.as_of, plan.people, plan.merge.change, snapshot)


def inputs(project: Project, entity: str) -> list[str]:
    """Steps whose notes decide what the profiles of an entity are."""
    stored, late = stored_tables(project, entity), [f"predictions/{n}" for n in project.predictions_of(entity)]
    late += [f"attribution/{name}" for name in project.attributions_of(entity)]
    metrics = [f"metrics/{name}" for name in project.metrics_of(entity)]
    return [*(f"raw_events/{s}" for s in project.sources), f"stitched_ids/{entity}", *stored, *metrics, *late]


def profiles_version(con: Con, project: Project, entity: str, as_of: date | None) -> str:
    """Hash of everything the profiles are made from, the definitions of traits read from the view included."""
    facts = project.facts_of(entity)
    read = [f"{name}: {facts[name].model_dump_json()}" for name in read_traits(project, entity)]
    personal = personal_columns(project, entity), personal_ids(project, entity), personal_keys(project, entity)
    parts = (progress.fingerprint(con, inputs(project, entity)), as_of, *read, *personal)
    return hashlib.md5("|".join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()


def masked_view_sql(project: Project, entity: str) -> str:
    """SELECT of what people read: the unmasked view with stand-ins for personal data."""
    return masked_select(project, entity, f"FROM {view_name(entity, personal=True)}", project.facts_of(entity))


def masked_select(project: Project, entity: str, select: str, have: Collection[str]) -> str:
    """SELECT with stand-ins for the personal data of another one that has ids, identify_traits and some traits."""
    personal = personal_columns(project, entity)
    stand_ins = {name: masked_sql(quote(name), how) for name, how in personal.items() if name in have}
    if ids := personal_ids(project, entity):
        stand_ins["ids"] = masked_map_sql("ids", ids, of_lists=True)
    if keys := personal_keys(project, entity):
        stand_ins["identify_traits"] = masked_map_sql("identify_traits", keys)
    replaced = ", ".join(f"{sql} AS {quote(name)}" for name, sql in stand_ins.items())
    return f"SELECT *{f' REPLACE ({replaced})' if replaced else ''} FROM ({select})"


def view_sql(con: Con, project: Project, entity: str) -> str:
    """SELECT of the unmasked view: stored rows, predictions, credited mixes, and the traits computed when reading."""
    joins, late = "", []
    for number, (name, table, parts) in enumerate(late_tables(project, entity)):
        alias = f"late_{number}" if exists(con, table) else ""
        if alias:
            joins += f" LEFT JOIN {table} AS {alias} USING (profile_id)"
        late += late_columns(name, parts, alias)
    select = f"SELECT {', '.join(['person.*', *late])} FROM {rows_table(entity)} AS person{joins}"
    reading = Reading.of(project, entity, AS_OF.format(entity))
    return add_traits(select, read_traits(project, entity), project.facts_of(entity), reading)


def late_tables(project: Project, entity: str) -> list[tuple[str, str, tuple[Part, ...]]]:
    """Name, table and columns of each prediction and attribution that comes back as traits."""
    found = [(name, f"predictions.{quote(name)}", PARTS) for name in project.predictions_of(entity)]
    return found + [(name, f"attribution.{quote(name + PEOPLE)}", MIX) for name in project.attributions_of(entity)]


def late_columns(name: str, parts: Iterable[Part], alias: str) -> list[str]:
    """Columns of a table in which a prediction or attribution comes back as traits; empty ones without a table."""
    return [
        f"{f'{alias}.{quote(p.column)}' if alias else f'NULL::{p.sql_type}'} AS {quote(name + p.suffix)}" for p in parts
    ]


def view_name(entity: str, *, personal: bool = False) -> str:
    """Name of the view that people read, or of the one with personal data as it is."""
    return f"profiles.{quote(entity + '_unmasked' if personal else entity)}"


def _unchanged(lake: Lake, entity: str, snapshot: int | None) -> ProfilesReport:
    with lake.get_connection() as con:
        if not exists(con, rows_table(entity)):
            return ProfilesReport(None)
        row = con.execute("SELECT as_of FROM ops.as_of WHERE entity = ?", [entity]).fetchone()
        return ProfilesReport(row[0] if row else None, _count(con, rows_table(entity)), snapshot=snapshot)


def _count(con: Con, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
