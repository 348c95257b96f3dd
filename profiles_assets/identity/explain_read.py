"""What explanations read: the evidence and the ids of an entity as of a day, with values as they may be shown."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime

import duckdb

from profiles_assets.events.ids import normalised_sql
from profiles_assets.events.normalisers import register_normalisers
from profiles_assets.identity import schema
from profiles_assets.identity.aliases import current_id
from profiles_assets.identity.plan import step_name
from profiles_assets.project.problems import did_you_mean
from profiles_assets.project.project import Project
from resources import progress
from resources.tables import columns, literal, quote

Con = duckdb.DuckDBPyConnection
Shown = Callable[[str, str], str]
STITCHED = "identity.stitched_ids"
RULES = {
    **dict.fromkeys(("entity", "action", "who", "why", "origin"), "VARCHAR"),
    **dict.fromkeys(("key", "other_key"), "BIGINT"),
}


class UnknownIdError(LookupError):
    """No id or profile like the one asked for; says why as far as it is known."""


@dataclass(frozen=True)
class Asked:
    """An id asked for; a profile id stands for its oldest id, one of a profile that ended for what it became."""

    entity: str
    key: int
    profile_id: str | None
    status: str


def find_asked(con: Con, project: Project, word: str, stitched: str = STITCHED) -> Asked:
    """The id of `type:value` or of a profile id. Raises UnknownIdError when there is none."""
    id_type, colon, value = word.partition(":")
    if not colon:
        return _of_profile(con, word, stitched)
    entities = [name for name, entity in project.entities.items() if id_type in entity.ids]
    if not entities:
        known = sorted({t for entity in project.entities.values() for t in entity.ids})
        hint = did_you_mean(id_type, known) or f"it has {', '.join(known)}"
        raise UnknownIdError(f'"{id_type}" is no id type of this project; {hint}')
    register_normalisers(con, project)
    for name in entities:
        normal = normalised_sql(project.entities[name].ids[id_type], literal(value))
        found = _first(con, stitched, f"entity = {literal(name)} AND id_type = {literal(id_type)} AND value = {normal}")
        if found:
            return found
    raise UnknownIdError(f"{word} was never seen")


def stage_reading(
    con: Con, entity: str, shown: Shown, as_of: date | None = None, *, stitched: str = STITCHED
) -> date | None:
    """Temporary views that explanations read, of what counts at a day, by default the day last stitched at.

    `explain_evidence`; `explain_ids`, with the group of each id: its profile, or for ids of nobody itself alone;
    `explain_reasons` why ids and links were left out; `explain_rules` that people gave. Returns the day.
    """
    stored = progress.applied(con, step_name(entity)).get("as_of")
    day = as_of or (date.fromisoformat(stored) if stored else None)
    mine, now = f"entity = {literal(entity)}", as_of is None
    edges, ids = (schema.view(con, name) for name in ("id_edges", "stitched_ids"))
    counting = schema.counts_sql(day) if day else "false"
    people = ids if stitched == STITCHED else quote(stitched)
    reasons = f"SELECT * FROM {schema.view(con, 'identity_violations')} WHERE {mine} AND {now}"
    for name, select in {
        "explain_evidence": f"SELECT * FROM {edges} WHERE {mine} AND {counting}",
        "explain_ids": f"SELECT * REPLACE ({shown('id_type', 'value')} AS value), "
        f"coalesce(profile_key, -key - 1) AS grp FROM {people} WHERE {mine}",
        "explain_reasons": reasons,
        "explain_rules": f"SELECT * FROM {_rules(con)} WHERE {mine}",
    }.items():
        con.execute(f"CREATE OR REPLACE TEMP VIEW {name} AS {select}")
    return day


def as_it_is(_: str, value: str) -> str:
    """SQL of a value that is shown as it is."""
    return value


def masked_id(_: str, value: str) -> str:
    """SQL of a short stand-in for the value of an id: a few letters of it, and the domain of an e-mail."""
    domain = f"CASE WHEN contains({value}, '@') THEN '@' || split_part({value}, '@', -1) ELSE '' END"
    return f"(left({value}, least(3, length({value}) // 4)::BIGINT) || '***' || {domain})"


def seen_words(first: datetime | None, last: datetime | None) -> str:
    """First and last moment in words."""
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}" if first and last else "never"


def _rules(con: Con) -> str:
    have = columns(con, "identity.applied_rules")
    found = ", ".join(c if c in have else f"NULL::{type_} AS {c}" for c, type_ in RULES.items())
    return f"(SELECT {found} {'FROM identity.applied_rules' if have else 'WHERE false'})"


def _of_profile(con: Con, word: str, stitched: str) -> Asked:
    current = current_id(con, word, stitched)
    found = _first(con, stitched, f"profile_id = {literal(current[1])}") if current else None
    if found is None:
        raise UnknownIdError(f"{word} is no profile id; to ask by an id, write type:value, such as email:a@b.c")
    return found


def _first(con: Con, stitched: str, where: str) -> Asked | None:
    row = con.execute(
        f"SELECT entity, key, profile_id, status FROM {stitched} WHERE {where} "
        "ORDER BY first_day, first_seen, key LIMIT 1"
    ).fetchone()
    return Asked(*row) if row else None
