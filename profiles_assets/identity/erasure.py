"""Erasure of people: one transaction that suppresses and deletes, and notes of how far what follows has come.

After `begin` the person is gone from the events, the evidence and the tables that are named by profile. The steps that
come after events then bring the rest in line, and `resources.purge` takes what is left in old snapshots and files.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import duckdb

from profiles_assets.events import notes
from profiles_assets.events.ids import normalised_sql
from profiles_assets.events.normalisers import register_normalisers
from profiles_assets.events.suppression import IDS, STEP, Suppressed, create, suppressed
from profiles_assets.identity import evidence
from profiles_assets.identity.erasure_events import Touched, stage_events
from profiles_assets.identity.erasure_evidence import (
    advance_evidence,
    stage_evidence,
    write_evidence,
    write_records,
)
from profiles_assets.identity.erasure_person import Person, stage_people
from profiles_assets.identity.erasure_rows import write_events
from profiles_assets.identity.erasure_tables import delete_named, named_counts
from profiles_assets.project.project import Project
from resources import progress
from resources.lake import Lake
from resources.tables import exists, literal

Con = duckdb.DuckDBPyConnection
TABLE = "ops.erasures"
COLUMNS = "id BIGINT, day DATE, mode VARCHAR, status VARCHAR, hashes VARCHAR[], report VARCHAR"
UPDATING, PURGING, DONE = "updating", "purging", "done"


@dataclass(frozen=True)
class Found:
    """All that an erasure is about, in temporary tables and in numbers; `values` and `keys` are known only now."""

    people: list[Person]
    ids: Mapping[str, int]
    touched: list[Touched]
    named: Mapping[str, int]
    values: frozenset[str] = field(default=frozenset(), repr=False)
    keys: frozenset[int] = field(default=frozenset(), repr=False)

    def report(self) -> dict[str, Any]:
        """Numbers without values: what was found, by table."""
        raw = {f"raw_events.{t.source}": t for t in self.touched}
        rejects = sum(t.rejects for t in self.touched)
        deleted = {name: t.deleted for name, t in raw.items()} | {"ops.rejects": rejects} | dict(self.named)
        return {
            "profiles": [p.profile_id for p in self.people if p.profile_id],
            "notes": [p.note for p in self.people if p.note],
            "ids": dict(self.ids),
            "deleted": {name: count for name, count in deleted.items() if count},
            "cleaned": {name: t.cleaned for name, t in raw.items() if t.cleaned},
            "landing_files": sorted({file for t in self.touched for file in t.files}),
        }


@dataclass(frozen=True)
class Erasure:
    """An erasure as it is noted: how far it has come, hashes of its ids, and its report without values."""

    number: int
    day: date
    mode: str
    status: str
    hashes: Sequence[str]
    report: dict[str, Any]


def find(lake: Lake, project: Project, asked: Sequence[str], mode: str) -> Found:
    """What an erasure would delete; writes nothing. Raises ErasureError."""
    with lake.get_connection() as con:
        return stage(con, project, asked, mode)


def begin(lake: Lake, project: Project, asked: Sequence[str], mode: str, day: date) -> tuple[Erasure, Found]:
    """Suppress and delete the people asked for, in one transaction. Raises ErasureError.

    What a stale file may still tell of them comes back as `landing_files` of the report: these are not ours to change.
    """
    reads = [step for name in project.sources for step in (notes.rows_step(name), notes.files_step(name))]
    reads += [evidence.STEP, STEP, *(f"stitched_ids/{entity}" for entity in project.entities)]
    made = list[Erasure]()
    found = lake.step(
        lambda con: stage(con, project, asked, mode),
        lambda con, found: made.append(_write(con, project, found, mode, day)),
        reads,
    )
    return made[-1], found


def stage(con: Con, project: Project, asked: Sequence[str], mode: str) -> Found:
    """Stage everything that an erasure deletes, in temporary tables."""
    people = stage_people(con, project, asked)
    stage_evidence(con)
    numbered = enumerate(project.sources)
    touched = [t for number, name in numbered if (t := stage_events(con, project, name, mode, number))]
    ids = con.execute("SELECT id_type, count(DISTINCT value) FROM erased_ids GROUP BY 1 ORDER BY 1").fetchall()
    keys = con.execute("SELECT DISTINCT key FROM erased_ids").fetchall()
    values = frozenset[str]().union(*(t.values for t in touched))
    return Found(people, dict(ids), touched, named_counts(con), values, frozenset(row[0] for row in keys))


def unfinished(con: Con) -> list[Erasure]:
    """Erasures that have begun and not come to their end, oldest first."""
    if not exists(con, TABLE):
        return []
    rows = con.execute(f"FROM {TABLE} WHERE status <> '{DONE}' ORDER BY id").fetchall()
    return [Erasure(row[0], row[1], row[2], row[3], row[4], json.loads(row[5])) for row in rows]


def covered(con: Con, project: Project, asked: str, erasures: Sequence[Erasure]) -> bool:
    """Whether one of these erasures is of this id or profile id."""
    known, (id_type, colon, value) = suppressed(con, ""), asked.partition(":")
    if known is None or not colon:
        return any(asked in one.report["profiles"] for one in erasures)
    register_normalisers(con, project)
    specs = {name: entity.ids[id_type] for name, entity in project.entities.items() if id_type in entity.ids}
    hashes = [known.id_hash(name, id_type, normalised_sql(spec, literal(value))) for name, spec in specs.items()]
    found = (con.execute(f"SELECT [{', '.join(hashes)}]").fetchone() or ([],))[0]
    return any(hash_ in one.hashes for one in erasures for hash_ in found)


def set_status(lake: Lake, erasure: Erasure, status: str, report: dict[str, Any]) -> Erasure:
    """Note how far an erasure has come, with what is known about it by now."""

    def action(con: Con) -> None:
        con.execute(
            f"UPDATE {TABLE} SET status = ?, report = ? WHERE id = ?", [status, json.dumps(report), erasure.number]
        )

    lake.write(action)
    return Erasure(erasure.number, erasure.day, erasure.mode, status, erasure.hashes, report)


def _write(con: Con, project: Project, found: Found, mode: str, day: date) -> Erasure:
    suppressed = create(con)
    con.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} ({COLUMNS})")
    notes.create(con)
    number = int((con.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {TABLE}").fetchone() or (1,))[0])
    hashes = _suppress(con, project, suppressed, mode, day)
    progress.record(con, STEP, {"all": f"erasure {number}"})
    report = found.report()
    versions = _write_events(con, found, suppressed, day, f"erasure {number}")
    counts = write_evidence(con)
    advance_evidence(con, *versions)
    counts |= write_records(con, project) | delete_named(con)
    report["deleted"] |= {name: count for name, count in counts.items() if count}
    values = [number, day, mode, UPDATING, hashes, json.dumps(report)]
    con.execute(f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?, ?, ?)", values)
    return Erasure(number, day, mode, UPDATING, hashes, report)


def _write_events(
    con: Con, found: Found, suppressed: Suppressed, day: date, version: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Write what is staged of all sources; old and new versions of the partitions from which rows only went."""
    before, after = dict[str, str](), dict[str, str]()
    for touched in found.touched:
        name = touched.source
        old = progress.applied(con, notes.rows_step(name))
        new = write_events(con, touched, suppressed, day, version)
        clean = {d: v for d, v in new.items() if date.fromisoformat(d) not in touched.redone}
        before |= {f"{name}/{d}": old.get(d, "") for d in clean}
        after |= {f"{name}/{d}": v for d, v in clean.items()}
    return before, after


def _suppress(con: Con, project: Project, suppressed: Suppressed, mode: str, day: date) -> list[str]:
    """Keep the salted hashes of all ids; an id that is anonymised and erased is erased."""
    selects = [
        f"SELECT entity, {suppressed.id_hash(entity, id_type, 'value')} AS hash FROM erased_ids "
        f"WHERE entity = {literal(entity)} AND id_type = {literal(id_type)}"
        for entity, spec in project.entities.items()
        for id_type in spec.ids
    ]
    con.execute(f"CREATE OR REPLACE TEMP TABLE new_suppressions AS {' UNION ALL '.join(selects)}")
    known = f"SELECT (entity, hash) FROM {IDS} WHERE mode = $1"
    con.execute(
        f"INSERT INTO {IDS} SELECT entity, hash, $1, $2 FROM new_suppressions WHERE (entity, hash) NOT IN ({known})",
        [mode, day],
    )
    return [row[0] for row in con.execute("SELECT hash FROM new_suppressions ORDER BY hash").fetchall()]
