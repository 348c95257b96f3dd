"""Projects of the benchmarks built into lakes, as far as predictions need them."""

import shutil
from pathlib import Path

from profiles_assets.events.load import load_events
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from resources.lake import Lake

DECLARED = shutil.ignore_patterns(".lake", ".dagster", "landing", "*.py", "__pycache__")


def declared_copy(project: Path, folder: Path) -> Path:
    """A project's declarations in a folder of their own."""
    return Path(shutil.copytree(project, folder, ignore=DECLARED))


def built(root: Path) -> tuple[Project, Lake]:
    """A project with its events loaded and its people known."""
    project, lake = load_project(root), Lake(root=str(root / ".lake"))
    for source in project.sources:
        load_events(lake, project, source)
    update_evidence(lake, project)
    for entity in project.entities:
        update_stitched(lake, project, entity)
    return project, lake
