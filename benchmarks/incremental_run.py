"""`python -m benchmarks.incremental_run TASK LAKE DAYS COUNT PEOPLE`: one task in a process of its own, measured."""

import json
import sys
from collections.abc import Callable

from benchmarks.incremental_shop import add_events, generate, make_project
from benchmarks.measure import timed
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.owners import update_owners
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.profiles.table import update_profiles
from profiles_assets.traits.evaluate import update_section
from resources.kept import kept
from resources.lake import Lake

Stages = dict[str, Callable[[Lake], object]]


def main(task: str, root: str, days: str, count: str, people: str) -> None:
    """`generate` so many days, `add` events in the day after them, or `refresh`: prints seconds, by stage."""
    took = {}
    with kept(Lake(root=root)) as lake, lake.get_connection() as con:  # opened already, as in `watch` and in a run
        if task == "refresh":
            for name, update in stages().items():
                took[name] = timed(lambda update=update: update(lake))  # type: ignore[misc]
        else:
            numbers = con, int(days), int(count), int(people)
            # other events of a day are another version of it
            took[task] = timed(
                lambda: generate(*numbers) if task == "generate" else add_events(*numbers, version=count)
            )
    json.dump(took, sys.stdout)


def stages() -> Stages:
    """What follows from new raw events, in order."""
    project = make_project()
    sections: Stages = {
        f"traits/{name}": lambda lake, name=name: update_section(lake, project, name)  # type: ignore[misc]
        for name in project.sections
    }
    return {
        "evidence": lambda lake: update_evidence(lake, project),
        "stitched ids": lambda lake: update_stitched(lake, project, "user"),
        "owners": lambda lake: update_owners(lake, project, "user"),
        **sections,
        "profiles": lambda lake: update_profiles(lake, project, "user"),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])
