"""Assets `id_edges` and `stitched_ids`: from the ids seen together to people."""

from typing import Any

import dagster as dg

from profiles_assets import pictures
from profiles_assets.events.assets import event_asset_key
from profiles_assets.identity.checks import evidence_reconciles, fixpoint_reached, no_id_in_two_profiles
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.owners import update_owners
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.project import Project
from profiles_assets.shell import (
    FRESHNESS,
    automation,
    checks,
    daily_partitions,
    outcome,
    owners,
    report_metadata,
    schema,
)
from resources.lake import Lake

EDGES = dg.AssetKey(["id_edges"])
STITCHED = dg.AssetKey(["stitched_ids"])
EDGE_CHECKS = {
    "rows_reconcile": "Every event that carries an id, duplicates aside, is counted in exactly one edge row."
}
STITCH_CHECKS = {
    "no_id_in_two_profiles": "Each id belongs to at most one profile.",
    "fixpoint_reached": "Ids joined by surviving evidence are in one component: resolving again changes nothing.",
}
EDGE_COLUMNS = {
    "entity": ("VARCHAR", "Entity the ids belong to."),
    "source": ("VARCHAR", "Source that saw them together."),
    "day": ("DATE", "Load day, the partition."),
    "tuple_key": ("BIGINT", "Key of the ids seen together in one record."),
    "visible": ("DATE", "Day from which it counts: the later of load day and event day."),
    "until": ("DATE", "Day from which newer versions of all its records count instead; empty while it counts."),
    "nodes": ("BIGINT[]", "Keys of these ids, in declared order."),
    "count": ("BIGINT", "Records with exactly these ids."),
    "first_seen": ("TIMESTAMP", "Earliest event time."),
    "last_seen": ("TIMESTAMP", "Latest event time."),
}
STITCHED_COLUMNS = {
    "entity": ("VARCHAR", "Entity of the id."),
    "key": ("BIGINT", "Key of the id, from the md5 of type:value."),
    "id_type": ("VARCHAR", "Kind of identifier."),
    "value": ("VARCHAR", "Normalised value."),
    "component": ("BIGINT", "Component before limits."),
    "known": ("BIGINT", "Component over ids of people only, which bridges are counted on."),
    "profile_id": ("VARCHAR", "The person; empty for ids that identify nobody."),
    "profile_key": ("BIGINT", "The same as a number, for joins."),
    "status": ("VARCHAR", "ok, or why the id identifies nobody: blocked, hub, bridge, collision."),
    "retired_id": ("VARCHAR", "Profile id that this id had before, for when a merge is undone."),
    "first_day": ("DATE", "First load day."),
    "first_seen": ("TIMESTAMP", "Earliest event time."),
    "last_seen": ("TIMESTAMP", "Latest event time."),
    "count": ("BIGINT", "Events seen with this id."),
}


def build_identity_assets(project: Project) -> list[dg.AssetsDefinition]:
    """The daily evidence and the stitched ids of all entities."""
    return [_id_edges(project), _stitched_ids(project)]


def _id_edges(project: Project) -> dg.AssetsDefinition:
    @dg.asset(
        key=EDGES,
        deps=[event_asset_key(name) for name in project.sources],
        partitions_def=daily_partitions(project),
        backfill_policy=dg.BackfillPolicy.single_run(),
        group_name="identity",
        kinds={"duckdb", "sql"},
        owners=owners(project.owner),
        freshness_policy=FRESHNESS,
        check_specs=checks(EDGES, EDGE_CHECKS),
        metadata=schema(EDGE_COLUMNS),
        description=_picture("id_edges", "Which ids were seen together: the evidence of each load day and source."),
    )
    def id_edges(lake: Lake) -> dg.MaterializeResult:
        report = update_evidence(lake, project)
        with lake.get_connection() as con:
            result = outcome("rows_reconcile", evidence_reconciles(con, project))
        return dg.MaterializeResult(metadata=report_metadata(report), check_results=[result])

    return id_edges


def _stitched_ids(project: Project) -> dg.AssetsDefinition:
    @dg.asset(
        key=STITCHED,
        deps=[EDGES],
        group_name="identity",
        kinds={"duckdb", "scipy"},
        owners=owners(project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        check_specs=checks(STITCHED, STITCH_CHECKS),
        metadata=schema(STITCHED_COLUMNS),
        description=_picture(
            "stitched_ids",
            "Which ids belong to one person: connected components of the evidence, after the guards declared in "
            "project.yml, with profile ids that survive merges, undone merges and rebuilds.",
        ),
    )
    def stitched_ids(lake: Lake) -> dg.MaterializeResult:
        metadata: dict[str, Any] = {}
        for entity in project.entities:
            report = report_metadata(update_stitched(lake, project, entity))
            update_owners(lake, project, entity)
            metadata |= {f"{entity}/{name}": value for name, value in report.items()}
        with lake.get_connection() as con:
            found = [(no_id_in_two_profiles(con, e), fixpoint_reached(con, project, e)) for e in project.entities]
        results = [
            outcome(name, (all(f[i][0] for f in found), {k: v for f in found for k, v in f[i][1].items()}))
            for i, name in enumerate(STITCH_CHECKS)
        ]
        return dg.MaterializeResult(metadata=metadata, check_results=results)

    return stitched_ids


def _picture(stage: str, words: str) -> str:
    return f"{words}\n\n{pictures.markdown(pictures.pipeline(stage), 'stage ' + stage)}"
