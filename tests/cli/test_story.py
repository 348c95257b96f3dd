from datetime import date
from pathlib import Path

from profiles_assets.cli.execution import RunOutcome
from profiles_assets.cli.story import changes
from profiles_assets.definitions import build_defs
from profiles_assets.project.loader import load_project
from tests.shop import lake_of


def test_the_rows_of_every_asset_that_has_a_table_are_counted(shop: Path) -> None:
    keys = [key.to_user_string() for key in build_defs(shop, lake_of(shop)).resolve_asset_graph().get_all_asset_keys()]
    told = {key: {"loaded": 1} for key in keys}
    outcome = RunOutcome("x", True, date(2025, 1, 1), date(2025, 1, 1), len(keys), changes=told)
    with lake_of(shop).get_connection() as con:
        found = changes(con, load_project(shop), [outcome])
    assert {"raw_events/tracks", "stitched_ids", "profiles/user", "attribution/order_channels"} <= found.keys()
    assert all(numbers["rows"] > 0 for name, numbers in found.items() if name.startswith("raw_events/"))
