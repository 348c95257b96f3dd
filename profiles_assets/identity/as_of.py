"""Identity at a past day: the same resolution over the evidence visible then. Reads only."""

from datetime import date

import duckdb

from profiles_assets.identity import schema
from profiles_assets.identity.graph import Rules
from profiles_assets.identity.loading import view_before, view_evidence
from profiles_assets.identity.outcome import stage_whole
from profiles_assets.identity.resolve import resolve
from profiles_assets.identity.rules import stage_rulings
from profiles_assets.identity.whole import load_whole
from profiles_assets.project.project import Project

Con = duckdb.DuckDBPyConnection


def stitch_as_of(con: Con, project: Project, entity: str, as_of: date, table: str) -> None:
    """Temporary table with the columns of `stitched_ids`, from the evidence visible at a day.

    Today's rules hold. A profile goes by the id that its oldest member has today; of several that have
    become one since, the one with the older member does, and the others go by the ids they had before.
    """
    spec = project.entities[entity]
    edges, nodes, stitched = (schema.view(con, name) for name in ("id_edges", "id_nodes", "stitched_ids"))
    view_evidence(con, edges, entity, as_of)
    view_before(con, stitched, entity)
    stage_rulings(con, project, entity)
    loaded = load_whole(con, nodes, entity, spec)
    found = resolve(loaded.graph, loaded.previous, Rules.of(spec, project.timezone))
    stage_whole(con, entity, loaded.without_evidence(), found, table)
