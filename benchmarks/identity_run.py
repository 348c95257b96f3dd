"""`python -m benchmarks.identity_run TASK LAKE GUARDS NUMBER`: one task in a process of its own, measured.

Prints CPU and wall seconds, by how many bytes the peak memory exceeds that of an open, idle lake, and what the
stages of a full stitch took.
"""

import json
import resource
import sys
from collections.abc import Callable
from importlib import import_module

from benchmarks.identity_graph import TABLE, TYPES, add_day, generate, make_project, remove_day
from benchmarks.identity_stages import measured
from benchmarks.measure import timed
from profiles_assets.identity.erasure_evidence import advance_evidence, stage_evidence, write_evidence
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.project import Project
from resources import progress
from resources.lake import Con, Lake, transaction

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
    with lake.get_connection() as con, measured() as stages:
        work = _work(task, lake, con, guards, int(number))
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        cpu, wall = timed(work)
    peak = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    json.dump({"cpu": cpu, "wall": wall, "peak": peak, "stages": stages}, sys.stdout)


def _work(task: str, lake: Lake, con: Con, guards: str, number: int) -> Callable[[], object]:
    if task == "stitch":
        return lambda: stitch(lake, make_project(guards))
    if task == "floor":
        con.execute("CREATE TEMP TABLE answer AS FROM identity.stitched_ids")
        return lambda: floor(con)
    if task == "erase":
        choose_person(con)
        return lambda: erase(lake, con, make_project(guards))
    if task in CHANGES:
        return lambda: CHANGES[task](con, number)
    peer = getattr(import_module("benchmarks.identity_peers"), task)
    return lambda: peer(con)


def stitch(lake: Lake, project: Project) -> None:
    """Bring evidence and ids up to date with the raw events, as the two assets do."""
    update_evidence(lake, project)
    update_stitched(lake, project, "user")


def choose_person(con: Con) -> None:
    """Temporary tables of one person with a handful of ids, as an erasure wants them."""
    con.execute(
        """CREATE TEMP TABLE erased_profiles AS SELECT entity, profile_id FROM identity.stitched_ids
        WHERE profile_id IS NOT NULL GROUP BY ALL HAVING count(*) BETWEEN 6 AND 10 ORDER BY profile_id LIMIT 1"""
    )
    con.execute(
        """CREATE TEMP TABLE erased_ids AS SELECT entity, id_type, value, key FROM identity.stitched_ids
        SEMI JOIN erased_profiles USING (entity, profile_id)"""
    )


def erase(lake: Lake, con: Con, project: Project) -> None:
    """Take a person out of raw events, evidence and ids."""
    stage_evidence(con)
    days = [str(row[0]) for row in con.execute("SELECT DISTINCT day FROM erased_edges").fetchall()]
    touched = " OR ".join(f"id_{name} IN (SELECT value FROM erased_ids WHERE id_type = '{name}')" for name in TYPES)
    before = progress.applied(con, "raw_events/web")
    with transaction(con):
        con.execute(f"DELETE FROM {TABLE} WHERE day IN (SELECT unnest(?::DATE[])) AND ({touched})", [days])
        write_evidence(con)
        progress.record(con, "raw_events/web", dict.fromkeys(days, "erased"))
        advance_evidence(con, {f"web/{d}": before[d] for d in days}, {f"web/{d}": "erased" for d in days})
    stitch(lake, project)


def floor(con: Con) -> None:
    """Read all ids of the edges, and write rows as many and as wide as the stitched ids into the lake."""
    con.execute(f"SELECT max(day), max(tuple_user), max(time), {READ} FROM {TABLE}").fetchall()
    con.execute("CREATE OR REPLACE TABLE identity.answer AS FROM answer")


if __name__ == "__main__":
    main(*sys.argv[1:])
