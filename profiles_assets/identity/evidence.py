"""Evidence: the distinct id tuples of each load day and source, and the dictionary of their ids."""

import hashlib
from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.events.visible import ever_counts_sql
from profiles_assets.identity.dictionary import Rows, delete_gone, stage_gone, stage_nodes
from profiles_assets.identity.schema import create_tables, stage, view
from profiles_assets.project.project import Project
from resources import progress
from resources.lake import Lake
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection
STEP = "id_edges"
DECLARED = "id_edges/declared"


@dataclass(frozen=True)
class EvidenceReport:
    """Partitions applied and removed, the tuples they hold and the ids that were not known before."""

    partitions: int = 0
    removed: int = 0
    tuples: int = 0
    nodes: int = 0
    collisions: int = 0


@dataclass(frozen=True)
class Pending:
    """Partitions that evidence has yet to apply or drop; those replaced hold rows now."""

    versions: dict[str, str] = field(default_factory=dict)
    removed: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    declared: dict[str, str] = field(default_factory=dict)


def update_evidence(lake: Lake, project: Project) -> EvidenceReport:
    """Apply every partition of raw events that is new, changed or gone; writes nothing when none is."""
    report, _ = lake.step(
        lambda con: compute_evidence(con, project),
        lambda con, value: write_evidence(con, value[1]),
        [STEP, *(f"raw_events/{source}" for source in project.sources)],
    )
    return report


def compute_evidence(con: Con, project: Project) -> tuple[EvidenceReport, Pending]:
    """Stage the evidence of all pending partitions in temporary tables, and say what is pending."""
    pending = pending_partitions(con, project)
    if not pending.versions and not pending.removed:
        return EvidenceReport(), pending
    stage(con, "id_edges", "new_edges")
    stage(con, "id_nodes", "new_nodes")
    view(con, "id_nodes")
    for source, days in by_source([*pending.versions]).items():
        for entity in project.entities:
            _stage_source(con, project, source, entity, days)
    _stage_removed(con, pending)
    if pending.replaced:
        stage_gone(con, f"(FROM {view(con, 'id_edges')} WHERE NOT {partition_filter(pending.replaced)})")
    return _report(con, pending), pending


def write_evidence(con: Con, pending: Pending) -> None:
    """Write what was staged, in the caller's transaction."""
    if not pending.versions and not pending.removed:
        return
    create_tables(con)
    for source, days in by_source(pending.replaced).items():
        con.execute(f"DELETE FROM identity.id_edges WHERE source = {literal(source)} AND day IN ({dates(days)})")
    if pending.replaced:
        delete_gone(con)
    for staged, table in (
        ("new_edges", "id_edges"),
        ("new_nodes", "id_nodes"),
        ("new_removed", "id_removed"),
    ):
        con.execute(f"INSERT INTO identity.{table} BY NAME FROM {staged}")
    progress.record(con, STEP, pending.versions, pending.removed)
    progress.record(con, DECLARED, pending.declared)


def pending_partitions(con: Con, project: Project) -> Pending:
    """Partitions of raw events against those that evidence has applied."""
    upstream = {
        f"{source}/{day}": version
        for source in project.sources
        for day, version in progress.applied(con, f"raw_events/{source}").items()
    }
    done, declared = progress.applied(con, STEP), {name: _declared(project, name) for name in project.sources}
    before = progress.applied(con, DECLARED)
    same = {name: v for name, v in done.items() if before.get(_source(name)) == declared.get(_source(name))}
    versions, _ = progress.pending(upstream, same)
    removed = [name for name in done if name not in upstream]
    return Pending(versions, removed, [*(name for name in versions if name in done), *removed], declared)


def _declared(project: Project, source: str) -> str:
    """What is declared about the ids of a source: other ids make other tuples of the same rows."""
    found = {
        entity: [f"{name}:{spec.ids[name].normalise}" for name in spec.ids if name in project.sources[source].ids]
        for entity, spec in sorted(project.entities.items())
    }
    return hashlib.md5(repr(found).encode(), usedforsecurity=False).hexdigest()


def _source(partition: str) -> str:
    return partition.rpartition("/")[0]


def by_source(partitions: list[str]) -> dict[str, list[str]]:
    """Days of each source among partitions named `source/day`."""
    found: dict[str, list[str]] = {}
    for source, _, day in (name.rpartition("/") for name in partitions):
        found.setdefault(source, []).append(day)
    return found


def dates(days: list[str]) -> str:
    """SQL list of dates. Raises ValueError for what is none."""
    return ", ".join(f"DATE '{date.fromisoformat(day)}'" for day in days)


def partition_filter(partitions: list[str]) -> str:
    """SQL condition: the row belongs to one of these partitions."""
    tests = [f"(source = {literal(s)} AND day IN ({dates(days)}))" for s, days in by_source(partitions).items()]
    return f"({' OR '.join(tests)})" if tests else "false"


def _stage_source(con: Con, project: Project, source: str, entity: str, days: list[str]) -> None:
    spec = project.sources[source]
    types = tuple(name for name in project.entities[entity].ids if name in spec.ids)
    if not types:
        return
    # an event may be dated a day after it was loaded, and is seen from that day on only
    rows = f"""SELECT day, greatest(day, coalesce(event_day, day)) AS visible,
        {"superseded" if spec.kind == "records" else "NULL::DATE"} AS until, {quote(f"tuple_{entity}")} AS tuple_key,
        coalesce(time, received, day) AS seen, {", ".join(quote(f"id_{name}") for name in types)}
        FROM raw_events.{quote(source)} e
        WHERE {ever_counts_sql(spec, "e")} AND tuple_key IS NOT NULL AND day IN ({dates(days)})"""
    keys = stage_nodes(con, Rows(entity, types, rows))
    columns = ", ".join(f"key_{name}" for name in types)
    con.execute(
        f"""INSERT INTO new_edges BY NAME SELECT ? AS entity, ? AS source, day, visible, until, tuple_key,
            list_filter([{columns}], lambda k: k IS NOT NULL) AS nodes, count, first_seen, last_seen
        FROM (SELECT day, visible, until, tuple_key, {columns}, count(*) AS count, min(seen) AS first_seen,
            max(seen) AS last_seen FROM (SELECT *, {keys} FROM ({rows})) GROUP BY day, visible, until, tuple_key,
            {columns})""",
        [entity, source],
    )


def _stage_removed(con: Con, pending: Pending) -> None:
    """Ids in tuples that a replaced partition no longer has, or has now: what did not change concerns nobody."""
    stage(con, "id_removed", "new_removed")
    if pending.replaced:
        here = f"WHERE {partition_filter(pending.replaced)}"
        old, new = f"FROM {view(con, 'id_edges')} {here}", f"FROM new_edges {here}"
        con.execute(
            "INSERT INTO new_removed BY NAME SELECT DISTINCT entity, unnest(nodes) AS key "
            f"FROM (({old} EXCEPT {new}) UNION ALL ({new} EXCEPT {old}))"
        )


def _report(con: Con, pending: Pending) -> EvidenceReport:
    row = con.execute(
        "SELECT (SELECT count(*) FROM new_edges), count(*), count(collides_with) FROM new_nodes"
    ).fetchone()
    assert row is not None
    return EvidenceReport(len(pending.versions), len(pending.removed), *row)
