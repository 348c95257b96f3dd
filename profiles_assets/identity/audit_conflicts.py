"""Profiles that look like more than one person: several ids of which a person has one, or different names."""

from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.events.visible import counts_sql
from profiles_assets.project.entities import Entity
from profiles_assets.project.project import Project
from resources.tables import columns, literal, quote

Con = duckdb.DuckDBPyConnection
PERSONAL_TRAITS = (
    *("name", "first_name", "last_name", "firstName", "lastName", "country", "gender"),
    *("birthday", "birth_date", "date_of_birth"),
)


@dataclass(frozen=True)
class Conflict:
    """A profile with several values where a person has one; `by_rule` if people linked ids of it."""

    profile_id: str
    what: str
    values: int
    by_rule: bool


@dataclass(frozen=True)
class Conflicts:
    """Profiles with several ids of which a person has one, and with different identify traits."""

    ids: list[Conflict] = field(default_factory=list)
    traits: list[Conflict] = field(default_factory=list)


def single_types(entity: Entity) -> list[str]:
    """Id types of which a person has one: those limited to one per profile, else the first that tells a person."""
    guarded = entity.model_copy(update={"guards": "default"})
    limited = [name for name in entity.ids if guarded.max_per_profile(name) == 1]
    return limited or [name for name in entity.ids if not entity.is_weak(name)][:1]


def find_conflicts(con: Con, project: Project, entity: str, as_of: date | None) -> Conflicts:
    """Conflicts among the profiles of `audit_profiles`, those with the most values first."""
    spec = project.entities[entity]
    con.execute(
        "CREATE OR REPLACE TEMP TABLE audit_ruled AS SELECT DISTINCT profile_key FROM explain_ids "
        "WHERE key IN (SELECT unnest([key, other_key]) FROM explain_rules WHERE action = 'link')"
    )
    ids = _read(
        con,
        f"""SELECT profile_key, id_type AS what, count(*) AS found FROM explain_ids
        WHERE id_type IN ({_listed(single_types(spec))}) AND profile_key IS NOT NULL GROUP BY ALL HAVING found > 1""",
    )
    strong = [name for name in spec.ids if not spec.is_weak(name)]
    return Conflicts(ids, _traits(con, project, entity, strong, as_of) if strong and as_of else [])


def _traits(con: Con, project: Project, entity: str, strong: list[str], as_of: date) -> list[Conflict]:
    """Each strong id speaks for itself by what was said with it last; those of one profile should agree."""
    sources = [
        name
        for name, source in project.sources.items()
        if source.identify_traits
        and {"identify_traits", f"tuple_{entity}"} <= columns(con, f"raw_events.{quote(name)}").keys()
    ]
    if not sources:
        return []
    con.execute(f"""CREATE OR REPLACE TEMP TABLE audit_speakers AS WITH
        mixed AS (SELECT profile_key FROM explain_ids WHERE id_type IN ({_listed(strong)}) AND profile_key IS NOT NULL
            GROUP BY profile_key HAVING count(*) > 1),
        said AS (SELECT DISTINCT tuple_key, nodes FROM explain_evidence WHERE source IN ({_listed(sources)})),
        members AS (SELECT tuple_key, unnest(nodes) AS key, generate_subscripts(nodes, 1) AS place FROM said)
        SELECT tuple_key, arg_min(key, place) AS speaker, arg_min(profile_key, place) AS profile_key
        FROM members JOIN explain_ids USING (key)
        WHERE id_type IN ({_listed(strong)}) AND profile_key IN (FROM mixed) GROUP BY tuple_key""")
    day, scans = f"DATE '{as_of}'", []
    for name in sources:
        scans.append(
            f"SELECT profile_key, speaker, time, file, position, identify_traits FROM raw_events.{quote(name)} e "
            f"JOIN audit_speakers s ON s.tuple_key = e.{quote(f'tuple_{entity}')} "
            f"WHERE {counts_sql(project.sources[name], day, 'e')} AND identify_traits IS NOT NULL"
        )
    return _read(
        con,
        f"""WITH told AS ({" UNION ALL ".join(scans)}),
        pairs AS (SELECT *, json_extract_string(identify_traits, '$."' || what || '"') AS value
            FROM told, (SELECT unnest([{_listed(PERSONAL_TRAITS)}]) AS what)),
        newest AS (SELECT profile_key, speaker, what, arg_max(lower(trim(value)), (time, file, position)) AS value
            FROM pairs WHERE trim(value) <> '' GROUP BY ALL)
        SELECT profile_key, what, count(DISTINCT value) AS found FROM newest GROUP BY ALL HAVING found > 1""",
    )


def _read(con: Con, found: str) -> list[Conflict]:
    rows = con.execute(
        f"SELECT profile_id, what, found, profile_key IN (FROM audit_ruled) FROM ({found}) "
        "JOIN audit_profiles USING (profile_key) ORDER BY found DESC, profile_key, what"
    )
    return [Conflict(*row) for row in rows.fetchall()]


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(map(literal, names))
