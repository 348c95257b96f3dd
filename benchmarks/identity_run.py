"""`python -m benchmarks.identity_run TASK LAKE GUARDS NUMBER`: one task in a process of its own, measured.

Prints CPU and wall seconds and by how many bytes the peak memory exceeds that of an open, idle lake.
"""

import json
import resource
import sys
from collections.abc import Callable
from importlib import import_module

from benchmarks.identity_graph import TABLE, TYPES, add_day, generate, make_project, remove_day
from benchmarks.measure import timed
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.project import Project
from resources.lake import Con, Lake

CHANGES: dict[str, Callable[[Con, int], None]] = {
    "generate": generate,
    "add_day": lambda con, number: add_day(con, number // 100, number // 10),
    "remove_day": lambda con, _: remove_day(con),
}
READ = ", ".join(f"max(id_{name})" for name in TYPES)


def main(task: str, root: str, guards: str, number: str) -> None:
    """Do a task in a lake and print what it took; for `stitch` the number is how many MB DuckDB may take, if any."""
    memory = f"{number}MB" if task == "stitch" and int(number) else ""
    lake = Lake(root=root, memory_limit=memory)
    with lake.get_connection() as con:
        work = _work(task, lake, con, guards, int(number))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        cpu, wall = timed(work)
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    json.dump({"cpu": cpu, "wall": wall, "peak": peak}, sys.stdout)


def _work(task: str, lake: Lake, con: Con, guards: str, number: int) -> Callable[[], object]:
    if task == "stitch":
        return lambda: stitch(lake, make_project(guards))
    if task == "floor":
        con.execute("CREATE TEMP TABLE answer AS FROM identity.stitched_ids")
        return lambda: floor(con)
    if task in CHANGES:
        return lambda: CHANGES[task](con, number)
    peer = getattr(import_module("benchmarks.identity_peers"), task)
    return lambda: peer(con)


def stitch(lake: Lake, project: Project) -> None:
    """Bring evidence and ids up to date with the raw events, as the two assets do."""
    update_evidence(lake, project)
    update_stitched(lake, project, "user")


def floor(con: Con) -> None:
    """Read all ids of the edges, and write rows as many and as wide as the stitched ids into the lake."""
    con.execute(f"SELECT max(day), max(tuple_user), max(time), {READ} FROM {TABLE}").fetchall()
    con.execute("CREATE OR REPLACE TABLE identity.answer AS FROM answer")


if __name__ == "__main__":
    main(*sys.argv[1:])
