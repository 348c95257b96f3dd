"""A simulated shop in a temporary lake, for the areas that need events."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from profiles_assets.events.load import load_events
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from profiles_assets.simulator import load_settings, simulate
from resources.lake import Lake

EXAMPLE = Path(__file__).parents[1] / "examples" / "shop"


@contextmanager
def stitched_shop(people: int, days: int) -> Iterator[tuple[Lake, Project]]:
    """A shop of some people and days, loaded and stitched."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "shop"
        shutil.copytree(EXAMPLE, root, ignore=shutil.ignore_patterns(".lake", ".dagster", "landing", "truth"))
        simulate(load_settings(root / "simulator.yml").model_copy(update={"people": people, "days": days}), root)
        project, lake = load_project(root), Lake(root=str(root / ".lake"))
        for source in project.sources:
            load_events(lake, project, source)
        update_evidence(lake, project)
        update_stitched(lake, project, next(iter(project.entities)))
        yield lake, project
