"""Audit: what the stitched ids of an entity look like as a whole, from aggregates over them."""

from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.identity import schema
from profiles_assets.identity.audit_conflicts import Conflicts, find_conflicts
from profiles_assets.identity.audit_guards import (
    Guard,
    Hub,
    Manual,
    TypeCount,
    count_guards,
    count_types,
    list_rules,
    top_hubs,
)
from profiles_assets.identity.audit_largest import Large, largest_profiles
from profiles_assets.identity.explain_read import Shown, stage_reading
from profiles_assets.identity.plan import step_name
from profiles_assets.project.project import Project
from resources import progress
from resources.tables import literal

Con = duckdb.DuckDBPyConnection
PROFILES = "audit_profiles"


@dataclass(frozen=True)
class SizeBin:
    """How many profiles, and components before limits, have `least` to `most` ids."""

    least: int
    most: int
    profiles: int
    components: int


@dataclass(frozen=True)
class Audit:
    """An audit of an entity; `numbers` are what the next audit compares with, `logged` the last change by then."""

    entity: str
    as_of: date | None
    version: str
    logged: int
    numbers: dict[str, int]
    sizes: list[SizeBin] = field(default_factory=list)
    types: list[TypeCount] = field(default_factory=list)
    hubs: list[Hub] = field(default_factory=list)
    guards: list[Guard] = field(default_factory=list)
    rules: list[Manual] = field(default_factory=list)
    largest: list[Large] = field(default_factory=list)
    conflicts: Conflicts = field(default_factory=Conflicts)


def audit_version(con: Con, entity: str) -> str:
    """Hash of what was stitched: the same as long as the ids are."""
    return progress.fingerprint(con, [step_name(entity)])


def compute_audit(con: Con, project: Project, entity: str, shown: Shown) -> Audit:
    """Audit the ids as they are stitched; values of ids are given as `shown` says."""
    as_of = stage_reading(con, entity, shown)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {PROFILES} AS SELECT profile_key, any_value(profile_id) AS profile_id, "
        "count(*) AS ids FROM explain_ids WHERE profile_key IS NOT NULL GROUP BY profile_key"
    )
    conflicts = find_conflicts(con, project, entity, as_of)
    guards = count_guards(con)
    return Audit(
        entity,
        as_of,
        audit_version(con, entity),
        _one(con, f"coalesce(max(seq), 0) FROM {schema.view(con, 'identity_log')} WHERE entity = {literal(entity)}"),
        _numbers(con) | {"conflicting": len(conflicts.ids)},
        _sizes(con),
        count_types(con, [*project.entities[entity].ids]),
        top_hubs(con),
        guards,
        list_rules(con),
        largest_profiles(con),
        conflicts,
    )


def _numbers(con: Con) -> dict[str, int]:
    """Counts by name: of ids, profiles and what was left out."""
    row = con.execute(
        f"""SELECT count(*) AS ids, count(*) FILTER (status = 'ok') AS stitched,
            count(DISTINCT component) AS components,
            count(*) FILTER (status = 'blocked') AS blocked,
            count(*) FILTER (status NOT IN ('ok', 'blocked')) AS quarantined,
            (SELECT count(*) FROM explain_reasons WHERE other_key IS NOT NULL) AS yielded,
            (SELECT count(*) FROM {PROFILES}) AS profiles,
            (SELECT count(*) FROM {PROFILES} WHERE ids = 1) AS singletons,
            (SELECT coalesce(max(ids), 0) FROM {PROFILES}) AS largest FROM explain_ids"""
    )
    names = [column[0] for column in row.description or []]
    return dict(zip(names, map(int, row.fetchone() or ()), strict=True))


def _sizes(con: Con) -> list[SizeBin]:
    """Powers of two: 1, 2 to 3, 4 to 7, and so on."""
    rows = con.execute(
        f"""WITH sizes AS (
            SELECT ids, 1 AS profile, 0 AS component FROM {PROFILES} UNION ALL
            SELECT count(*), 0, 1 FROM explain_ids WHERE component IS NOT NULL GROUP BY component)
        SELECT floor(log2(ids))::BIGINT AS bin, sum(profile)::BIGINT, sum(component)::BIGINT
        FROM sizes GROUP BY bin ORDER BY bin"""
    ).fetchall()
    return [SizeBin(2**n, 2 ** (n + 1) - 1, profiles, components) for n, profiles, components in rows]


def _one(con: Con, what: str) -> int:
    row = con.execute(f"SELECT {what}").fetchone()
    assert row is not None
    return int(row[0])
