"""Publication of profiles together with the audiences and feature views made from them."""

import duckdb

from profiles_assets.project.project import Project
from resources import progress
from resources.lake import Lake

Con = duckdb.DuckDBPyConnection

MADE_FROM = "profiles"


def companions(project: Project, entity: str) -> list[str]:
    """Steps that readers expect to be of the same state as the profiles of an entity."""
    audiences = [f"audiences/{name}" for name in project.audiences_of(entity)]
    return [*audiences, *(f"views/{name}" for name in project.views_of(entity))]


def profiles_note(con: Con, entity: str) -> str | None:
    """Version of the profiles of an entity, which a companion notes as what it was made from."""
    return progress.applied(con, f"profiles/{entity}").get("all")


def unpublish(con: Con, entity: str) -> None:
    """Note, in the transaction that changes a companion, that the newest state has yet to be published."""
    progress.record(con, f"published/{entity}", {}, removed=["all"])


def publish_complete(lake: Lake, project: Project, entity: str) -> int | None:
    """Publish the newest snapshot once all companions are made from its profiles, unless it is published already.

    Until then readers keep the snapshot before, in which everything is of one state.
    """
    with lake.get_connection() as con:
        version = profiles_note(con, entity)
        published = progress.applied(con, f"published/{entity}").get("all")
        made_from = {progress.applied(con, step).get(MADE_FROM) for step in companions(project, entity)}
    if version is None or version == published or not made_from <= {version}:
        return None
    return lake.publish(entity, version)
