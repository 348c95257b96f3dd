"""Who is to be erased: the ids of the people asked for, and the profile ids they go by or went by."""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from profiles_assets.events.ids import normalised_sql
from profiles_assets.events.normalisers import register_normalisers
from profiles_assets.events.suppression import IDS, suppressed
from profiles_assets.identity import schema
from profiles_assets.identity.aliases import VIEW, current_id
from profiles_assets.identity.blocked import blocked
from profiles_assets.identity.keys import node_key
from profiles_assets.project.entities import Entity
from profiles_assets.project.problems import did_you_mean
from profiles_assets.project.project import Project
from resources.tables import exists, literal

Con = duckdb.DuckDBPyConnection
ALONE = {
    "": "was never seen; only this id is erased, and kept out from now on",
    "hub": "is shared by many (max_linked) and nobody's; only this id and its events are erased",
    "bridge": "is shared by several people (max_bridged) and nobody's; only this id and its events are erased",
    "collision": "has the key of another id and is nobody's; only this id and its events are erased",
    "quarantined": "is quarantined by a rule and nobody's; only this id and its events are erased",
}


class ErasureError(Exception):
    """Why an erasure cannot be done or finished, in words, without values."""


@dataclass(frozen=True)
class Person:
    """What one of the things asked for stands for; `note` tells where that is less than a profile."""

    entity: str
    profile_id: str | None = None
    note: str = ""


def stage_people(con: Con, project: Project, asked: Sequence[str]) -> list[Person]:
    """Temporary tables `erased_ids` (entity, id_type, value, key) and `erased_profiles` (entity, profile_id).

    `asked` are ids (type:value) and profile ids. Raises ErasureError with all that nobody can be erased by.
    """
    register_normalisers(con, project)
    con.execute("CREATE OR REPLACE TEMP TABLE erased_ids (entity VARCHAR, id_type VARCHAR, value VARCHAR, key BIGINT)")
    con.execute("CREATE OR REPLACE TEMP TABLE erased_profiles (entity VARCHAR, profile_id VARCHAR)")
    found, problems = list[Person](), list[str]()
    for number, one in enumerate(asked, 1):
        try:
            found += _stage_id(con, project, one, number) if ":" in one else [_profile(con, one, number)]
        except ErasureError as error:
            problems.append(str(error))
    if problems:
        raise ErasureError("\n".join(problems))
    _add_members(con, project)
    return found


def erased_note(con: Con, project: Project, asked: str) -> str:
    """Sentence about an id or a profile id that was erased; empty for one that was not."""
    if not exists(con, IDS):
        return ""
    if ":" not in asked:
        log = schema.view(con, "identity_log")
        row = con.execute(f"SELECT 1 FROM {log} WHERE change = 'erased' AND profile_id = ?", [asked]).fetchone()
        return f"{asked} was erased" if row else ""
    known = suppressed(con, "")
    id_type, _, value = asked.partition(":")
    entities = [name for name, entity in project.entities.items() if id_type in entity.ids]
    if known is None or not entities:
        return ""
    register_normalisers(con, project)
    normal = {name: normalised_sql(project.entities[name].ids[id_type], literal(value)) for name in entities}
    tests = [f"(entity = {literal(n)} AND hash = {known.id_hash(n, id_type, sql)})" for n, sql in normal.items()]
    if con.execute(f"SELECT 1 FROM {IDS} WHERE {' OR '.join(tests)}").fetchone() is None:
        return ""
    return f"{asked} belongs to somebody who was erased; records with it are kept out"


def _stage_id(con: Con, project: Project, asked: str, number: int) -> list[Person]:
    id_type, _, value = asked.partition(":")
    entities = [name for name, entity in project.entities.items() if id_type in entity.ids]
    if not entities:
        known = sorted({t for entity in project.entities.values() for t in entity.ids})
        hint = did_you_mean(id_type, known) or "it has " + ", ".join(known)
        raise ErasureError(f'number {number}: "{id_type}" is no id type of this project; {hint}')
    found = [_owner(con, project.entities[entity], entity, id_type, value) for entity in entities]
    if None in found:
        raise ErasureError(f"number {number}: this {id_type} identifies nobody (it is blocked), so nobody is erased")
    return [person for person in found if person]


def _owner(con: Con, spec: Entity, entity: str, id_type: str, text: str) -> Person | None:
    """Whose an id is in an entity; None for a value that is blocked."""
    normal, stitched = normalised_sql(spec.ids[id_type], literal(text)), schema.view(con, "stitched_ids")
    row = con.execute(
        f"""SELECT value, {blocked(spec, literal(id_type), "value")}, coalesce(s.key, {node_key(id_type, "value")}),
            status, profile_id FROM (SELECT {normal} AS value)
        LEFT JOIN (FROM {stitched} WHERE entity = ? AND id_type = ?) s USING (value)""",
        [entity, id_type],
    ).fetchone()
    assert row is not None
    value, is_blocked, key, status, profile_id = row
    if value is None or is_blocked or status == "blocked":
        return None
    if profile_id:
        con.execute("INSERT INTO erased_profiles VALUES (?, ?)", [entity, profile_id])
        return Person(entity, profile_id)
    con.execute("INSERT INTO erased_ids VALUES (?, ?, ?, ?)", [entity, id_type, value, key])
    return Person(entity, note=f"this {id_type} {ALONE[status or '']}")


def _profile(con: Con, asked: str, number: int) -> Person:
    found = current_id(con, asked)
    if found is None:
        log = schema.view(con, "identity_log")
        gone = con.execute(f"SELECT 1 FROM {log} WHERE change = 'erased' AND profile_id = ?", [asked]).fetchone()
        why = "was erased before" if gone else "is no profile id; to erase by an id, write type:value"
        raise ErasureError(f"number {number}: {asked} {why}")
    con.execute("INSERT INTO erased_profiles VALUES (?, ?)", list(found))
    return Person(*found)


def _add_members(con: Con, project: Project) -> None:
    """The ids of the profiles, in every entity that has their type, and the ids that these profiles went by before."""
    stitched = schema.view(con, "stitched_ids")
    con.execute(
        f"""INSERT INTO erased_ids SELECT entity, id_type, value, key FROM {stitched}
        WHERE status = 'ok' AND (entity, profile_id) IN (SELECT (entity, profile_id) FROM erased_profiles)"""
    )
    types = ", ".join(f"({literal(e)}, {literal(t)})" for e, spec in project.entities.items() for t in spec.ids)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE erased_ids AS
        SELECT t.entity, t.id_type, i.value, any_value(coalesce(s.key, i.key)) AS key
        FROM erased_ids i JOIN (VALUES {types}) t(entity, id_type) USING (id_type)
        LEFT JOIN {stitched} s ON s.entity = t.entity AND s.id_type = t.id_type AND s.value = i.value GROUP BY ALL"""
    )
    if exists(con, VIEW):
        con.execute(
            f"INSERT INTO erased_profiles SELECT entity, alias FROM {VIEW} SEMI JOIN erased_profiles "
            "USING (entity, profile_id)"
        )
    con.execute("CREATE OR REPLACE TEMP TABLE erased_profiles AS SELECT DISTINCT * FROM erased_profiles")
