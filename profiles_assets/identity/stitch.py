"""Stitched ids: brings the people of an entity up to date with the evidence, touching only who changed."""

from dataclasses import dataclass, field, replace
from datetime import date

import duckdb
import pyarrow as pa

from profiles_assets.identity import evidence, guard_changes, rules, schema
from profiles_assets.identity.closure import load_closed_set
from profiles_assets.identity.graph import Graph, Previous, Resolution, Rules
from profiles_assets.identity.loading import view_before, view_evidence
from profiles_assets.identity.outcome import (
    stage_id_changes,
    stage_ids,
    stage_log,
    stage_violation_changes,
    stage_violations,
    stage_whole,
    write_violation_changes,
)
from profiles_assets.identity.plan import Plan, make_plan, step_name
from profiles_assets.identity.resolve import resolve
from profiles_assets.identity.whole import load_whole
from profiles_assets.project.entities import Entity
from profiles_assets.project.project import Project
from resources import progress
from resources.lake import Lake
from resources.tables import Change, Merge, literal, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection


@dataclass(frozen=True)
class StitchReport:
    """What a run of stitching did; without an as_of there was nothing to stitch."""

    as_of: date | None = None
    full: bool = False
    partitions: int = 0
    nodes: int = 0
    change: Change = field(default_factory=Change)
    created: int = 0
    merged: int = 0
    split: int = 0
    violations: int = 0


@dataclass(frozen=True)
class Staged:
    """Changes in temporary tables, ready to be written."""

    report: StitchReport
    plan: Plan | None = None
    ids: Merge | None = None


def update_stitched(
    lake: Lake, project: Project, entity: str, as_of: date | None = None, rebuild: bool = False
) -> StitchReport:
    """Resolve what changed in the evidence of an entity since the last run, or everything.

    Everything is resolved at the first run, after a change of the entity's rules, and with `rebuild`; that
    changes no id. Raises ValueError for an as_of older than what is stored: read that with `stitch_as_of`.
    """
    staged = lake.step(
        lambda con: compute_stitched(con, project, entity, as_of, rebuild),
        write_stitched,
        [evidence.STEP, step_name(entity), rules.step_name(entity)],
    )
    return staged.report


def compute_stitched(
    con: Con, project: Project, entity: str, as_of: date | None = None, rebuild: bool = False
) -> Staged:
    """Resolve what is pending and stage the differences."""
    spec = project.entities[entity]
    plan = make_plan(con, project, entity, as_of, rebuild)
    if plan is None or plan.idle:
        return Staged(StitchReport(plan.as_of if plan else None))
    edges, nodes, stitched = (schema.view(con, name) for name in ("id_edges", "id_nodes", "stitched_ids"))
    view_evidence(con, edges, entity, plan.as_of)
    view_before(con, stitched, entity)
    guards = Rules.of(spec, project.timezone)
    if plan.full:
        loaded = load_whole(con, nodes, entity, spec)
        found = resolve(loaded.graph, loaded.previous, guards)
        loaded = loaded.without_evidence()
        stage_whole(con, entity, loaded, found, held=_stored(con))
        return _stage(con, spec, plan, loaded.graph, found)
    rules.stage_changed(con, entity)
    if plan.other_guards:
        guard_changes.stage_touched(con, plan.other_guards, spec)
    _stage_frontier(con, edges, plan)
    graph, found = resolve_closed(con, *load_closed_set(con, nodes, entity, spec, guards), guards)
    stage_ids(con, entity, graph, found)
    return _stage(con, spec, plan, graph, found)


def write_stitched(con: Con, staged: Staged) -> None:
    """Write what was staged and note it, in the caller's transaction."""
    plan = staged.plan
    if plan is None or staged.ids is None:
        return
    schema.create_tables(con)
    write_merge(con, staged.ids)
    write_violation_changes(con, plan.entity)
    con.execute("INSERT INTO identity.identity_log BY NAME FROM staged_log")
    con.execute("DELETE FROM identity.id_removed WHERE entity = ?", [plan.entity])
    rules.write_applied(con, plan.entity)
    notes = {"as_of": plan.as_of.isoformat(), "rules": plan.rules, "manual": plan.manual, "declared": plan.declared}
    progress.record(con, step_name(plan.entity), plan.versions | notes, plan.removed)


def resolve_closed(con: Con, graph: Graph, previous: Previous, guards: Rules) -> tuple[Graph, Resolution]:
    """Resolve a closed set, giving out no id that a living profile outside it has."""
    while True:
        found = resolve(graph, previous, guards)
        clashes = _living_elsewhere(con, found)
        if not clashes:
            return graph, found
        previous = replace(previous, elsewhere=previous.elsewhere | clashes)


def _living_elsewhere(con: Con, found: Resolution) -> frozenset[int]:
    given = pa.table({"profile_key": found.changes.profile[found.changes.kind != "merged"]})
    if not given.num_rows:
        return frozenset()
    con.register("given_keys", given)
    rows = con.execute(
        "SELECT DISTINCT profile_key FROM (FROM before SEMI JOIN given_keys USING (profile_key)) "
        "ANTI JOIN closed USING (key)"
    ).fetchall()
    con.unregister("given_keys")
    return frozenset(int(row[0]) for row in rows)


def _stage_frontier(con: Con, edges: str, plan: Plan) -> None:
    """Tables `arrived`, the evidence that counts now and did not, or the other way round, and `frontier`, its ids."""
    first, last = sorted((plan.before or plan.as_of, plan.as_of))
    tests = (
        f"{evidence.partition_filter(plan.fresh)} AND visible <= DATE '{plan.as_of}'",
        f"visible > DATE '{first}' AND visible <= DATE '{last}'",
        f"until > DATE '{first}' AND until <= DATE '{last}'",
    )
    rows = [f"SELECT day, nodes FROM {edges} WHERE entity = {literal(plan.entity)} AND {test}" for test in tests]
    # one scan each: the statistics of files rule most of them out, but not for all conditions at once
    con.execute(f"CREATE OR REPLACE TEMP TABLE arrived AS {' UNION '.join(rows)}")
    removed = schema.view(con, "id_removed")
    con.execute(f"""CREATE OR REPLACE TEMP TABLE frontier AS
        SELECT DISTINCT unnest(nodes) AS key FROM arrived
        UNION SELECT key FROM {removed} WHERE entity = {literal(plan.entity)}
        UNION FROM ruled_keys""")
    days = [name.rpartition("/")[2] for name in plan.versions]
    con.execute("INSERT INTO arrived SELECT unnest(?::DATE[]), []", [days])


def _stage(con: Con, spec: Entity, plan: Plan, graph: Graph, found: Resolution) -> Staged:
    stage_violations(con, plan.entity, tuple(spec.ids), graph, found)
    stage_log(con, plan.entity, plan.as_of, schema.view(con, "identity_log"), found)
    mine = f"entity = {literal(plan.entity)}"
    scope = mine if plan.full else f"{mine} AND key IN (SELECT key FROM closed)"
    ids = _stage_whole_merge(con, mine) if plan.full else stage_id_changes(con, mine)
    stage_violation_changes(con, schema.view(con, "identity_violations"), scope)
    return Staged(_report(plan, graph, found, ids.change), plan, ids)


def _stage_whole_merge(con: Con, scope: str) -> Merge:
    table, key = "identity.stitched_ids", ("entity", "key")
    if _stored(con):
        return stage_merge(con, table, "staged_ids", key, scope)
    return Merge(table, "staged_ids", key, scope, Change(inserted=_count(con, "staged_ids")), whole=True)


def _stored(con: Con) -> bool:
    return con.execute("FROM before LIMIT 1").fetchone() is not None


def _count(con: Con, relation: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {relation}").fetchone()
    assert row is not None
    return int(row[0])


def _report(plan: Plan, graph: Graph, found: Resolution, change: Change) -> StitchReport:
    counts = {kind: int((found.changes.kind == kind).sum()) for kind in ("created", "merged", "split")}
    return StitchReport(
        as_of=plan.as_of,
        full=plan.full,
        partitions=len(plan.versions) + len(plan.removed),
        nodes=int(graph.inner.sum()),
        change=change,
        violations=len(found.violations.node),
        **counts,
    )
