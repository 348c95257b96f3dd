"""Area `traits`: all traits of a section in one statement, against one statement per trait."""

from dataclasses import replace

from benchmarks.measure import Figure, compare
from benchmarks.shop import stitched_shop
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.project import Project
from profiles_assets.project.traits import TRAIT_VERBS
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.compile import compile_section
from profiles_assets.traits.evaluate import stage_people
from resources.lake import Con

AS_OF = "DATE '2025-12-31'"


def figures(quick: bool) -> list[Figure]:
    """One scan for all traits of the largest section, in CPU of one scan per trait."""
    with (
        stitched_shop(2_000 if quick else 20_000, 120 if quick else 365) as (lake, project),
        lake.get_connection() as con,
    ):
        create_attribution(con, project, "user")
        stage_people(con, "user")
        return [
            compare(
                "traits of entity_vars/commerce in one statement",
                lambda: run(con, project),
                lambda: [run(con, alone) for alone in one_by_one(project)],
                "one statement per trait",
                goal=0.4,
            )
        ]


def run(con: Con, project: Project) -> None:
    """Compute the section into a temporary table."""
    sql = compile_section(project, "commerce", event_columns(con, project), AS_OF)
    con.execute(f"CREATE OR REPLACE TEMP TABLE computed AS {sql}")


def one_by_one(project: Project) -> list[Project]:
    """Projects whose section has a single trait each."""
    section = project.sections["commerce"]
    return [
        replace(project, sections={"commerce": replace(section, traits={name: trait})})
        for name, trait in section.traits.items()
        if trait.verb not in TRAIT_VERBS
    ]
