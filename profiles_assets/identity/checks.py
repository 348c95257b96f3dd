"""Checks on the evidence and on the stitched ids; each returns (passed, metadata)."""

from datetime import date
from typing import Any

import duckdb

from profiles_assets.events.visible import ever_counts_sql
from profiles_assets.identity import schema
from profiles_assets.identity.plan import rules_hash, step_name
from profiles_assets.project.project import Project
from resources import progress
from resources.tables import exists, literal, quote

Con = duckdb.DuckDBPyConnection
Outcome = tuple[bool, dict[str, Any]]


def evidence_reconciles(con: Con, project: Project) -> Outcome:
    """Whether every event with an id is counted in exactly one edge row, save for what never counts."""
    edges, totals = schema.view(con, "id_edges"), {"events": 0, "counted": 0}
    for source in project.sources:
        if not exists(con, f"raw_events.{quote(source)}"):
            continue
        for entity, spec in project.entities.items():
            if not spec.ids.keys() & project.sources[source].ids.keys():
                continue
            totals["events"] += _number(
                con,
                f"SELECT count(*) FROM raw_events.{quote(source)} e "
                f"WHERE {ever_counts_sql(project.sources[source], 'e')} AND {quote(f'tuple_{entity}')} IS NOT NULL",
            )
            totals["counted"] += _number(
                con,
                f"SELECT coalesce(sum(count), 0) FROM {edges} "
                f"WHERE source = {literal(source)} AND entity = {literal(entity)}",
            )
    return totals["events"] == totals["counted"], totals


def no_id_in_two_profiles(con: Con, entity: str) -> Outcome:
    """Whether each id has one row, a profile exactly when it is not quarantined, and a profile one component."""
    stitched = schema.view(con, "stitched_ids")
    mine = f"FROM {stitched} WHERE entity = {literal(entity)}"
    ids = _number(con, f"SELECT count(*) {mine}")
    repeated = _number(con, f"SELECT count(*) - count(DISTINCT (id_type, value)) {mine}")
    misplaced = _number(con, f"SELECT count(*) {mine} AND (status = 'ok') <> (profile_id IS NOT NULL)")
    torn = _number(
        con,
        f"SELECT count(*) FROM (SELECT profile_id {mine} AND profile_id IS NOT NULL GROUP BY profile_id "
        "HAVING min(component) <> max(component) OR min(profile_key) <> max(profile_key))",
    )
    found = {"ids": ids, "repeated": repeated, "misplaced": misplaced, "torn_profiles": torn}
    return repeated + misplaced + torn == 0, found


def fixpoint_reached(con: Con, project: Project, entity: str) -> Outcome:
    """Whether the surviving ids of every visible tuple are in one component, under the rules as declared.

    If so, resolving again would join nobody.
    """
    edges, stitched = schema.view(con, "id_edges"), schema.view(con, "stitched_ids")
    notes, mine = progress.applied(con, step_name(entity)), f"entity = {literal(entity)}"
    as_of = date.fromisoformat(notes.get("as_of", "0001-01-01"))
    row = con.execute(
        f"""SELECT count(*), count(*) FILTER (unknown), count(*) FILTER (least_component <> greatest_component) FROM (
            SELECT bool_or(s.key IS NULL) AS unknown, min(component) AS least_component,
                max(component) AS greatest_component
            FROM (SELECT tuple_key, unnest(nodes) AS key FROM {edges} WHERE {mine} AND {schema.counts_sql(as_of)})
            LEFT JOIN (SELECT key, component FROM {stitched} WHERE {mine}) s USING (key) GROUP BY tuple_key)"""
    ).fetchone()
    assert row is not None
    other_rules = "rules" in notes and notes["rules"] != rules_hash(project, entity)
    found = {"tuples": row[0], "with_unknown_ids": row[1], "across_components": row[2], "other_rules": other_rules}
    return row[1] + row[2] == 0 and not other_rules, found


def _number(con: Con, sql: str) -> int:
    row = con.execute(sql).fetchone()
    assert row is not None
    return int(row[0])
