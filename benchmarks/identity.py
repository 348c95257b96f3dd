"""Area `identity`: a full stitch from the evidence, against reading it and writing the answer."""

from benchmarks.measure import Figure, compare
from benchmarks.shop import stitched_shop
from profiles_assets.identity.stitch import compute_stitched
from resources.lake import Con

FLOOR = """
    CREATE OR REPLACE TEMP TABLE answer AS
    SELECT s.* FROM identity.stitched_ids s JOIN (
        SELECT key, any_value(value) AS value FROM identity.id_nodes GROUP BY key) USING (key)"""


def figures(quick: bool) -> list[Figure]:
    """CPU of stitching everything again in place, in CPU of the floor."""
    with (
        stitched_shop(2_000 if quick else 20_000, 120 if quick else 365) as (lake, project),
        lake.get_connection() as con,
    ):
        return [
            compare(
                "full stitch",
                lambda: compute_stitched(con, project, "user", None, True),
                lambda: floor(con),
                "reading edges and ids, writing the stitched ids",
                goal=8.0,
            )
        ]


def floor(con: Con) -> None:
    """Read all evidence and write a table as large as the answer."""
    con.execute("CREATE OR REPLACE TEMP TABLE edges AS SELECT tuple_key, nodes FROM identity.id_edges")
    con.execute(FLOOR)
