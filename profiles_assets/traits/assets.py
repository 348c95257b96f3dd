"""Assets `entity_vars/<section>`: the traits of one file, one row per person."""

import dagster as dg

from profiles_assets import pictures
from profiles_assets.identity.assets import STITCHED
from profiles_assets.project.project import Fact, Project, Section
from profiles_assets.project.traits import Trait
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
from profiles_assets.traits.checks import one_row_per_person
from profiles_assets.traits.derived import stored_column, stored_traits
from profiles_assets.traits.evaluate import definition_hash, update_section
from profiles_assets.traits.lineage import Origin, section_lineage
from resources.lake import Lake
from resources.tables import quote

CHECKS = {"one_row_per_person": "Every person has exactly one row, and nobody else has one."}
PROFILE_ID = {"profile_id": ("VARCHAR", "The person.")}


def section_key(name: str) -> dg.AssetKey:
    """Key of the asset of a section."""
    return dg.AssetKey(["entity_vars", name])


def build_trait_assets(project: Project) -> list[dg.AssetsDefinition]:
    """One asset per section file."""
    return [_section_asset(project, section) for section in project.sections.values()]


def _section_asset(project: Project, section: Section) -> dg.AssetsDefinition:
    key = section_key(section.name)
    described = PROFILE_ID | {
        stored_column(name, section.traits[name]): (
            section.traits[name].type or "",
            sentence(name, section.traits[name]),
        )
        for name in stored_traits(project, section.name)
    }

    @dg.asset(
        key=key,
        deps=[STITCHED],
        group_name="traits",
        kinds={"duckdb", "yaml"},
        owners=owners(section.owner, project.owner),
        automation_condition=automation(),
        freshness_policy=FRESHNESS,
        code_version=definition_hash(project, section.name),
        check_specs=checks(key, CHECKS),
        metadata=schema(described),
        description=_description(section),
    )
    def entity_vars(lake: Lake) -> dg.MaterializeResult:
        report = update_section(lake, project, section.name)
        table = f"entity_vars.{quote(section.name)}"
        with lake.get_connection() as con:
            result = outcome("one_row_per_person", one_row_per_person(con, table, section.entity))
        metadata = report_metadata(report) | schema_now(lake, table, described) | {ROW_COUNT: report.people}
        metadata |= lineage(stored_lineage(project, section.name))
        return dg.MaterializeResult(metadata=metadata, check_results=[result])

    return entity_vars


def stored_lineage(project: Project, section: str) -> dict[str, list[Origin]]:
    """Lineage of the columns that the table of a section has."""
    traits, found = project.sections[section].traits, section_lineage(project, section)
    return {stored_column(name, traits[name]): found[name] for name in stored_traits(project, section)}


def sentence(name: str, trait: Fact) -> str:
    """A trait in words, for catalogues."""
    words = trait.title or name.replace("_", " ")
    unit = f" [{trait.unit}]" if trait.unit else ""
    return f"{words}{unit}. {trait.description}".strip() if trait.description else words + unit


def _made_from(trait: Trait) -> str:
    return trait.function or trait.reference or ", ".join(trait.inputs)


def _description(section: Section) -> str:
    rows = [
        f"| `{name}` | {trait.verb} `{_made_from(trait)}` | {sentence(name, trait)} |"
        for name, trait in section.traits.items()
    ]
    table = "\n".join(["| trait | made from | meaning |", "| --- | --- | --- |", *rows])
    about = section.description or f"Traits of traits/{section.name}.yml, per {section.entity}."
    return f"{about}\n\n{pictures.markdown(pictures.pipeline('entity_vars'), 'stage entity_vars')}\n\n{table}"
