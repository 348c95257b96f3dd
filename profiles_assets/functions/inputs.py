"""What there is to compute from, without the events: counts and hashes per load day, event day and id tuple.

So whose events changed, arrived or left a window is told without reading an event twice.
"""

from collections.abc import Sequence

import duckdb

from profiles_assets.events import notes
from profiles_assets.functions import tables
from profiles_assets.functions.tables import INPUTS
from profiles_assets.project.project import Project
from resources import progress
from resources.lake import Lake
from resources.tables import columns, literal, quote

Con = duckdb.DuckDBPyConnection
STEP = "function_inputs"
Pending = tuple[dict[str, str], list[str]]


def event_sources(project: Project) -> list[str]:
    """Sources of events, which are what functions read."""
    return [name for name, source in project.sources.items() if source.kind == "events"]


def update_inputs(lake: Lake, project: Project, *, always: bool = True) -> int:
    """Bring the inputs up to the events; how many load days of sources were read.

    Unless `always`, nothing is done while nothing was ever published or previewed.
    """
    reads = [STEP, *(notes.rows_step(name) for name in event_sources(project))]

    def write(con: Con, pending: Pending) -> None:
        changed, gone = pending
        if not changed and not gone:
            return
        tables.create(con)
        for source, days in _by_source([*changed, *gone]).items():
            con.execute(f"DELETE FROM {INPUTS} WHERE source = {literal(source)} AND {_in(days)}")
        if changed:
            con.execute(f"INSERT INTO {INPUTS} BY NAME FROM staged_inputs")
        progress.record(con, STEP, changed, gone)

    changed, gone = lake.step(lambda con: _compute(con, project, always), write, reads)
    return len(changed) + len(gone)


def _compute(con: Con, project: Project, always: bool) -> Pending:
    if not always and not columns(con, INPUTS):
        return {}, []
    upstream = {
        f"{name}/{day}": version
        for name in event_sources(project)
        for day, version in progress.applied(con, notes.rows_step(name)).items()
    }
    changed, gone = progress.pending(upstream, progress.applied(con, STEP))
    con.execute(f"CREATE OR REPLACE TEMP TABLE staged_inputs ({tables.TABLES[INPUTS]})")
    for source, days in _by_source(list(changed)).items():
        for entity in project.entities:
            if f"tuple_{entity}" in columns(con, notes.table_of(source)):
                con.execute(f"INSERT INTO staged_inputs BY NAME {_inputs_sql(source, entity, days)}")
    return changed, gone


def _inputs_sql(source: str, entity: str, days: Sequence[str]) -> str:
    key = quote(f"tuple_{entity}")
    return f"""SELECT {literal(source)} AS source, {literal(entity)} AS entity, day, event_day, {key} AS tuple_key,
            count(*) AS events, {_sum("hash(time, event, event_id, payload)")} AS content,
            {_sum("CASE WHEN identify_traits IS NOT NULL THEN hash(time, event_id, identify_traits) END")} AS told
        FROM {notes.table_of(source)} WHERE NOT duplicate AND {key} IS NOT NULL AND {_in(days)} GROUP BY ALL"""


def _sum(hashed: str) -> str:
    return f"(coalesce(sum({hashed}), 0) % 4611686018427387904)::BIGINT"


def _by_source(partitions: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for partition in partitions:
        source, day = partition.split("/", 1)
        found.setdefault(source, []).append(day)
    return found


def _in(days: Sequence[str]) -> str:
    return f"day IN ({', '.join(f'DATE {literal(day)}' for day in sorted(days))})"
