"""People found in a simulated shop against those planted there: shares of pairs of ids, guards off and on.

Joined wrongly: pairs in one profile that are not one person. Missed: pairs of one person in different profiles,
of those that evidence connects without a shared id, and of all.
"""

from dataclasses import replace

from benchmarks.measure import Figure
from benchmarks.shop import stitched_shop
from profiles_assets.events.load import newest_day
from profiles_assets.identity.as_of import stitch_as_of
from profiles_assets.project.project import Project
from profiles_assets.simulator import PairScore, score_pairs
from resources.lake import Con


def figures(quick: bool) -> list[Figure]:
    """Shares of wrong and of missed pairs, without guards and with them."""
    with stitched_shop(500 if quick else 5_000, 100 if quick else 365) as (lake, project), lake.get_connection() as con:
        unguarded = {name: entity.model_copy(update={"guards": "none"}) for name, entity in project.entities.items()}
        off, on = score(con, replace(project, entities=unguarded)), score(con, project)
    return [
        *_shares("guards off", off, (None, None)),
        *_shares("guards on", on, (0.001, 0.01)),
    ]


def score(con: Con, project: Project) -> PairScore:
    """Compare the people as of the newest day with the truth beside the project."""
    as_of = newest_day(con, project)
    assert as_of is not None
    stitch_as_of(con, project, next(iter(project.entities)), as_of, "found")
    return score_pairs(con.sql("SELECT id_type, value, profile_id FROM found").to_arrow_table(), project.root / "truth")


def _shares(name: str, found: PairScore, goals: tuple[float | None, float | None]) -> list[Figure]:
    return [
        _share(f"{name}: pairs joined wrongly", 1 - found.precision, "pairs in one profile", goals[0]),
        _share(f"{name}: pairs missed", 1 - found.recall_connected, "pairs that honest evidence connects", goals[1]),
        _share(f"{name}: pairs missed of all", 1 - found.recall_raw, "pairs of one person", None),
    ]


def _share(name: str, share: float, of: str, goal: float | None) -> Figure:
    return Figure(name, share, 1.0, of, goal, share, 1.0)
