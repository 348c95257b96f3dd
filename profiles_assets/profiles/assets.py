"""Assets `profiles/<entity>`: one wide row per person, published for readers."""

import dagster as dg

from profiles_assets import pictures
from profiles_assets.identity.assets import STITCHED
from profiles_assets.profiles.checks import events_reconcile
from profiles_assets.profiles.rows import rows_table
from profiles_assets.profiles.table import update_profiles, view_name
from profiles_assets.project.funnels import FUNNEL_MEANING, funnel_columns
from profiles_assets.project.project import Project
from profiles_assets.project.score_columns import MIX, PARTS
from profiles_assets.shell import (
    FRESHNESS,
    ROW_COUNT,
    automation,
    checks,
    lineage,
    outcome,
    owners,
    report_metadata,
    schema,
    schema_now,
)
from profiles_assets.traits.assets import sentence
from profiles_assets.traits.checks import one_row_per_person
from profiles_assets.traits.derived import stored_tables
from profiles_assets.traits.lineage import profile_lineage
from resources.lake import Lake

CHECKS = {
    "one_row_per_person": "Every person has exactly one profile, and nobody else has one.",
    "events_reconcile": "Events of people, unattributed events and duplicates add up to all events loaded.",
}
COLUMNS = {
    "profile_id": ("VARCHAR", "The person; stays the same through merges and rebuilds."),
    "ids": ("MAP(VARCHAR, VARCHAR[])", "All ids of the person, by type."),
    "first_seen": ("TIMESTAMP", "First event, UTC."),
    "last_seen": ("TIMESTAMP", "Latest event, UTC."),
    "identify_traits": (
        "MAP(VARCHAR, VARCHAR)",
        "What sources say about the person, the newest value of each key.",
    ),
}


def profiles_key(entity: str) -> dg.AssetKey:
    """Key of the profiles of an entity."""
    return dg.AssetKey(["profiles", entity])


def build_profile_assets(project: Project) -> list[dg.AssetsDefinition]:
    """One asset per entity."""
    return [_profiles_asset(project, entity) for entity in project.entities]


def _profiles_asset(project: Project, entity: str) -> dg.AssetsDefinition:
    key, described = profiles_key(entity), _columns(project, entity)
    feeds = [*stored_tables(project, entity), *(f"metrics/{name}" for name in project.metrics_of(entity))]
    feeds += [f"predictions/{name}" for name in project.predictions_of(entity)]
    feeds += [f"attribution/{name}" for name in project.attributions_of(entity)]

    @dg.asset(
        key=key,
        deps=[STITCHED, *(dg.AssetKey(feed.split("/")) for feed in feeds)],
        group_name="profiles",
        kinds={"duckdb"},
        owners=owners(project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        check_specs=checks(key, CHECKS),
        metadata=schema(described),
        description=_description(project, entity),
    )
    def profiles(lake: Lake) -> dg.MaterializeResult:
        report = update_profiles(lake, project, entity)
        with lake.get_connection() as con:
            results = [
                outcome("one_row_per_person", one_row_per_person(con, rows_table(entity), entity)),
                outcome("events_reconcile", events_reconcile(con, project, entity)),
            ]
        metadata = report_metadata(report) | schema_now(lake, view_name(entity), described)
        metadata |= lineage(profile_lineage(project, entity))
        return dg.MaterializeResult(metadata=metadata | {ROW_COUNT: report.people}, check_results=results)

    return profiles


def _columns(project: Project, entity: str) -> dict[str, tuple[str, str]]:
    traits = {name: (t.type or "", sentence(name, t)) for name, t in project.facts_of(entity).items()}
    funnels = {
        column: (type_, f"Funnel {name}: {FUNNEL_MEANING[column.removeprefix(name)]}.")
        for name in project.funnels_of(entity)
        for column, type_ in funnel_columns(name).items()
    }
    scores = {
        name + part.suffix: (part.sql_type, f"{part.description}, of the prediction {name}.")
        for name in project.predictions_of(entity)
        for part in PARTS
    }
    mixes = {
        name + part.suffix: (part.sql_type, f"{part.description}, of the attribution {name}.")
        for name in project.attributions_of(entity)
        for part in MIX
    }
    return COLUMNS | traits | funnels | scores | mixes


def _description(project: Project, entity: str) -> str:
    about = project.entities[entity].description or f"One row per {entity}: ids, traits and predictions."
    return (
        f"{about}\n\n{pictures.markdown(pictures.pipeline('profiles'), 'stage profiles')}\n\n"
        f"Read `{view_name(entity)}`, or `profiles show TYPE:VALUE` for one person."
    )
