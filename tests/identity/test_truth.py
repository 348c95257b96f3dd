"""The people found in a shop against the people who were planted there, with the guards off and on."""

from dataclasses import replace
from pathlib import Path

from profiles_assets.identity.as_of import stitch_as_of
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from profiles_assets.simulator import PairScore, score_pairs
from resources.lake import Lake


def without_guards(project: Project) -> Project:
    entities = {name: entity.model_copy(update={"guards": "none"}) for name, entity in project.entities.items()}
    return replace(project, entities=entities)


def score(root: Path, project: Project) -> PairScore:
    with Lake(root=str(root / ".lake")).read() as con:
        (as_of,) = con.execute("SELECT as_of FROM ops.as_of WHERE entity = 'user'").fetchone() or (None,)
        stitch_as_of(con, project, "user", as_of, "found")
        return score_pairs(con.sql("SELECT id_type, value, profile_id FROM found").to_arrow_table(), root / "truth")


def test_guards_make_wrong_people_right(shop: Path) -> None:
    project = load_project(shop)
    off, on = score(shop, without_guards(project)), score(shop, project)
    assert off.precision < 0.97
    assert on.precision >= 0.999
    assert on.recall_connected >= 0.99
