"""Feature views: one row per value of an id type, with chosen traits of the person who used it last.

`views.<name>_keys` says whose each value is; `views.<name>` joins it with the profiles when it is read.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.identity import schema
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.profiles.masking import masked_sql
from profiles_assets.profiles.publication import MADE_FROM, profiles_note, publish_complete, unpublish
from profiles_assets.profiles.table import view_name
from profiles_assets.project.funnels import funnel_columns
from profiles_assets.project.graph import late_columns
from profiles_assets.project.project import Project
from profiles_assets.project.views import KEYS, OWN_COLUMNS
from resources import progress
from resources.lake import Lake
from resources.tables import Change, Merge, columns, exists, literal, quote, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class ViewReport:
    """Values in a feature view, and how many of them several people used, as of a day."""

    as_of: date | None
    rows: int = 0
    conflicts: int = 0
    change: Change = field(default_factory=Change)


@dataclass(frozen=True)
class Staged:
    """Changes of a feature view, ready to be written; without notes there are none."""

    report: ViewReport
    notes: dict[str, str] = field(default_factory=dict)
    merge: Merge | None = None
    select: str = ""


def update_view(lake: Lake, project: Project, name: str) -> ViewReport:
    """Bring a feature view up to its profiles and publish it; only changed values are written."""
    entity = project.views[name].entity
    staged = lake.step(
        lambda con: compute_view(con, project, name),
        lambda con, staged: write_view(con, project, name, staged),
        [f"profiles/{entity}", f"stitched_ids/{entity}", "id_edges", step_name(name)],
    )
    publish_complete(lake, project, entity)
    return staged.report


def compute_view(con: Con, project: Project, name: str) -> Staged:
    """Stage whose each value is, unless profiles and definition are those of the last time."""
    entity = project.views[name].entity
    version, row = profiles_note(con, entity), con.execute("SELECT as_of FROM ops.as_of WHERE entity = ?", [entity])
    as_of = (row.fetchone() or (None,))[0]
    if version is None or as_of is None:
        return Staged(ViewReport(as_of))
    select, done = view_sql(con, project, name), progress.applied(con, step_name(name))
    notes = {MADE_FROM: version, "definition": hashlib.md5(select.encode(), usedforsecurity=False).hexdigest()}
    if done == notes:
        return Staged(_report(con, as_of, keys_table(name), Change()))
    stage_owners(con, project, name, as_of, "staged_keys")
    merge = stage_merge(con, keys_table(name), "staged_keys", ["value"])
    stale = done.get("definition") != notes["definition"]
    return Staged(_report(con, as_of, "staged_keys", merge.change), notes, merge, select if stale else "")


def write_view(con: Con, project: Project, name: str, staged: Staged) -> None:
    """Write what was staged and note it, in the caller's transaction."""
    if staged.merge is None:
        return
    write_merge(con, staged.merge)
    if staged.select:
        con.execute(f"CREATE OR REPLACE VIEW {view_table(name)} AS {staged.select}")
    if staged.merge.change.total or staged.select:
        unpublish(con, project.views[name].entity)
    progress.record(con, step_name(name), staged.notes)


def stage_owners(con: Con, project: Project, name: str, as_of: date, table: str) -> None:
    """Temporary table (value, profile_id, owners) of the values of a view's key that people were seen with.

    The owner is who was seen with the value most recently, at equal times the smallest profile id; `owners`
    counts all who ever were. Blocked values are nobody's.
    """
    entity, id_type = project.views[name].entity, project.views[name].spec.key
    create_attribution(con, project, entity, as_of=as_of)
    edges, stitched = (schema.view(con, kind) for kind in ("id_edges", "stitched_ids"))
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {table} AS
        WITH tuples AS (
            SELECT tuple_key, nodes, max(last_seen) AS last_seen FROM {edges}
            WHERE entity = {literal(entity)} AND {schema.counts_sql(as_of)} GROUP BY ALL),
        ids AS (
            SELECT key, value FROM {stitched}
            WHERE entity = {literal(entity)} AND id_type = {literal(id_type)} AND status <> 'blocked'),
        seen AS (
            SELECT value, profile_id, max(last_seen) AS last_seen
            FROM (SELECT tuple_key, last_seen, unnest(nodes) AS key FROM tuples)
            JOIN ids USING (key) JOIN attribution USING (tuple_key) GROUP BY ALL)
        SELECT value, first(profile_id ORDER BY last_seen DESC, profile_id) AS profile_id, count(*) AS owners
        FROM seen GROUP BY value"""
    )


def view_sql(con: Con, project: Project, name: str) -> str:
    """SELECT of a feature view: the key, the person, how many people used the value, and the chosen traits."""
    view = project.views[name]
    source, key = source_view(view.entity, view.spec.personal), view.spec.key
    personal = project.entities[view.entity].ids[key].pii
    value = masked_sql("k.value", personal) if personal and not view.spec.personal else "k.value"
    have = columns(con, source)
    chosen = [f"person.{quote(n)}" for n in view.spec.traits or all_traits(project, name) if n in have]
    named = ", ".join([f"{value} AS {quote(key)}", "k.profile_id", "k.owners", *chosen])
    return f"SELECT {named} FROM {keys_table(name)} AS k JOIN {source} AS person USING (profile_id)"


def all_traits(project: Project, name: str) -> list[str]:
    """Traits, audiences, funnel columns and scores that a view has where it names none."""
    view = project.views[name]
    funnels = [column for funnel in project.funnels_of(view.entity) for column in funnel_columns(funnel)]
    late = late_columns(project.predictions_of(view.entity), project.attributions_of(view.entity))
    known = [*project.facts_of(view.entity), *funnels, *late]
    return [column for column in known if column not in (view.spec.key, *OWN_COLUMNS)]


def source_view(entity: str, personal: bool) -> str:
    """View of the profiles that a feature view takes its traits from."""
    return view_name(entity, personal=personal)


def step_name(name: str) -> str:
    """Step of a feature view in the notes of progress."""
    return f"views/{name}"


def view_table(name: str) -> str:
    """Name of the view that people read."""
    return f"views.{quote(name)}"


def keys_table(name: str) -> str:
    """Table (value, profile_id, owners) that says whose each value is."""
    return f"views.{quote(name + KEYS)}"


def _report(con: Con, as_of: date, table: str, change: Change) -> ViewReport:
    if not exists(con, table):
        return ViewReport(as_of)
    row = con.execute(f"SELECT count(*), count(*) FILTER (owners > 1) FROM {table}").fetchone()
    assert row is not None
    rows, conflicts = row
    return ViewReport(as_of, rows, conflicts, change)
