"""Read one person: which profile an id belongs to, and everything known about it."""

from datetime import date
from typing import Any

import duckdb

from profiles_assets.events.ids import normalised_sql
from profiles_assets.events.normalisers import register_normalisers
from profiles_assets.functions.as_of import stage_functions_as_of
from profiles_assets.identity.aliases import current_id
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.identity.erasure_person import erased_note
from profiles_assets.profiles.table import masked_select, view_name
from profiles_assets.project.funnels import funnel_columns
from profiles_assets.project.problems import did_you_mean
from profiles_assets.project.project import Project
from profiles_assets.project.score_columns import MIX, PARTS
from profiles_assets.traits.evaluate import stage_traits_as_of
from profiles_assets.traits.identify import stage_identify_traits
from resources.tables import columns, literal

Con = duckdb.DuckDBPyConnection
BASE = ("profile_id", "ids", "first_seen", "last_seen", "identify_traits")


class NotFoundError(LookupError):
    """The id asked for is nobody's; says why as far as it is known."""


def find_profile(con: Con, project: Project, asked: str, stitched: str = "identity.stitched_ids") -> tuple[str, str]:
    """Entity and profile id of `type:value` or of a profile id. Raises NotFoundError when there is none."""
    id_type, colon, value = asked.partition(":")
    if not colon:
        return _by_profile_id(con, project, asked, stitched)
    entities = [name for name, entity in project.entities.items() if id_type in entity.ids]
    if not entities:
        known = sorted({t for entity in project.entities.values() for t in entity.ids})
        raise NotFoundError(
            f'"{id_type}" is no id type of this project; {did_you_mean(id_type, known) or "it has " + ", ".join(known)}'
        )
    register_normalisers(con, project)
    for entity in entities:
        normal = normalised_sql(project.entities[entity].ids[id_type], literal(value))
        row = con.execute(
            f"SELECT profile_id, status FROM {stitched} WHERE entity = ? AND id_type = ? AND value = {normal}",
            [entity, id_type],
        ).fetchone()
        if row and row[0]:
            return entity, str(row[0])
        if row:
            raise NotFoundError(f"{asked} identifies nobody: it is {STATUS.get(row[1], row[1])}")
    raise NotFoundError(erased_note(con, project, asked) or f"{asked} was never seen")


STATUS = {
    "blocked": "a value that is blocked, such as null or a shared mailbox",
    "hub": "seen with too many other ids (max_linked), so it links nobody",
    "bridge": "shared by several known people (max_bridged), so it links nobody",
    "collision": "a key that another id has already",
    "quarantined": "quarantined by a manual rule",
}


def _by_profile_id(con: Con, project: Project, asked: str, stitched: str) -> tuple[str, str]:
    if found := current_id(con, asked, stitched):
        return found
    unknown = f"{asked} is no profile id; to ask by an id, write type:value, such as email:a@b.c"
    raise NotFoundError(erased_note(con, project, asked) or unknown)


def read_profile(con: Con, project: Project, asked: str, *, personal: bool = False) -> dict[str, Any]:
    """Profile, ids, traits and predictions of a person from a published snapshot; personal data only if asked for."""
    entity, profile_id = find_profile(con, project, asked)
    row = _row(con, f"SELECT * FROM {view_name(entity, personal=personal)} WHERE profile_id = ?", [profile_id])
    as_of = _row(con, "SELECT as_of FROM ops.as_of WHERE entity = ?", [entity])["as_of"]
    return arranged(project, entity, row, as_of)


def read_profile_as_of(
    con: Con, project: Project, asked: str, as_of: date, *, personal: bool = False
) -> dict[str, Any]:
    """The same as of a past day: identity and traits computed from what was visible then, no predictions or credits."""
    entity_now = _entity(project, asked)
    stage_traits_as_of(con, project, entity_now, as_of, "traits_then", more=stage_functions_as_of)
    entity, profile_id = find_profile(con, project, asked, "stitched_then")
    create_attribution(con, project, entity, stitched="stitched_then", as_of=as_of)
    stage_identify_traits(con, project, entity, "identify_then", f"DATE '{as_of}'")
    then = f"""SELECT * FROM traits_then LEFT JOIN identify_then USING (profile_id) LEFT JOIN (
        SELECT profile_id, map_from_entries(list((id_type, vals))) AS ids, min(first) AS first_seen,
            max(last) AS last_seen
        FROM (SELECT profile_id, id_type, list_sort(list(value)) AS vals, min(first_seen) AS first,
                max(last_seen) AS last
            FROM stitched_then WHERE entity = {literal(entity)} AND profile_id IS NOT NULL GROUP BY ALL
            ORDER BY id_type)
        GROUP BY profile_id) USING (profile_id)"""
    select = then if personal else masked_select(project, entity, then, columns(con, "traits_then"))
    row = _row(con, f"SELECT * FROM ({select}) WHERE profile_id = ?", [profile_id])
    return arranged(project, entity, row, as_of)


def arranged(project: Project, entity: str, row: dict[str, Any], as_of: date) -> dict[str, Any]:
    """A wide row as {profile_id, entity, as_of, seen, ids, identify_traits, traits, predictions, credits}."""
    predictions, sections = project.predictions_of(entity), project.sections_of(entity)
    mixes = project.attributions_of(entity)
    return {
        "profile_id": row["profile_id"],
        "entity": entity,
        "as_of": as_of,
        "first_seen": row["first_seen"],
        "last_seen": row["last_seen"],
        "ids": row["ids"],
        "identify_traits": row.get("identify_traits") or {},
        "traits": {name: {t: row.get(t) for t in section.traits} for name, section in sections.items()},
        "funnels": {n: {c: row.get(c) for c in funnel_columns(n)} for n in project.funnels_of(entity)},
        "audiences": [name for name in project.audiences_of(entity) if row.get(name)],
        "predictions": {name: {part.column: row.get(name + part.suffix) for part in PARTS} for name in predictions},
        "attribution": {n: {part.column: row.get(n + part.suffix) for part in MIX} for n in mixes},
    }


def _entity(project: Project, asked: str) -> str:
    id_type = asked.partition(":")[0]
    return next((n for n, entity in project.entities.items() if id_type in entity.ids), next(iter(project.entities)))


def _row(con: Con, query: str, parameters: list[Any]) -> dict[str, Any]:
    cursor = con.execute(query, parameters)
    row = cursor.fetchone()
    names = [column[0] for column in cursor.description or []]
    return dict(zip(names, row, strict=True)) if row else dict.fromkeys(names)
