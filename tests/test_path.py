"""The whole path, from landing files to profiles, against the simulated truth and against itself."""

import json
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from profiles_assets.project.loader import load_project
from profiles_assets.simulator import score_pairs, simulate_day
from profiles_assets.traits.evaluate import stage_traits_as_of
from resources.feed import Feed
from tests.shop import LITTLE, build, copy_shop, lake_of, profiles, small, tables

NAMED = {"profile_id", "profile_key", "retired_id", "component", "model_id"}


def test_every_planted_record_is_accounted_for(shop: Path) -> None:
    planted = json.loads((shop / "truth" / "counts.json").read_text())["totals"]
    with lake_of(shop).get_connection() as con:
        for source, truth in planted.items():
            row = con.execute(
                "SELECT sum(records), sum(loaded), sum(rejected), sum(duplicates) FROM ops.files WHERE source = ?",
                [source],
            ).fetchone()
            misdated = truth["dated_1970"] + truth["dated_2090"]
            rejected = truth["malformed"] + misdated
            assert row == (truth["lines"], truth["lines"] - rejected, rejected, truth["duplicates"]), source
            table = con.execute(f"SELECT count(*), count(*) FILTER (duplicate) FROM raw_events.{source}").fetchone()
            assert table == (truth["lines"] - rejected, truth["duplicates"]), source


def test_people_are_found(shop: Path) -> None:
    with lake_of(shop).read() as con:
        ids = con.sql("SELECT id_type, value, profile_id FROM identity.stitched_ids").to_arrow_table()
    score = score_pairs(ids, shop / "truth")
    assert score.precision >= 0.999
    assert score.recall_connected >= 0.99


def test_profiles_are_the_sum_of_their_events(shop: Path) -> None:
    with lake_of(shop).read() as con:
        orders, spend = one(con, "SELECT sum(orders), round(sum(spend_total), 2) FROM profiles.user")
        loaded = one(
            con,
            """SELECT count(*), round(sum(p_total), 2) FROM raw_events.orders WHERE NOT duplicate AND (
                id_user_id IN (SELECT value FROM identity.stitched_ids WHERE id_type = 'user_id' AND status = 'ok')
                OR id_email IN (SELECT value FROM identity.stitched_ids WHERE id_type = 'email' AND status = 'ok')
                OR id_anonymous_id IN
                    (SELECT value FROM identity.stitched_ids WHERE id_type = 'anonymous_id' AND status = 'ok'))""",
        )
        assert (orders, spend) == loaded
        assert orders > 100


def test_a_published_snapshot_has_scores_and_bands(shop: Path) -> None:
    with lake_of(shop).read() as con:
        scored, low, high, bands = one(
            con,
            "SELECT count(churn_risk), min(churn_risk), max(churn_risk), count(DISTINCT churn_risk_band) "
            "FROM profiles.user",
        )
    assert scored > 20
    assert 0 <= low < high <= 1
    assert bands == 3


@pytest.fixture(scope="module")
def grown(little_shop: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The same landing folder built in two lakes: in two runs, and all at once."""
    daily = Path(shutil.copytree(little_shop, tmp_path_factory.mktemp("grown") / "daily"))
    for day in (LITTLE.days, LITTLE.days + 1):
        simulate_day(LITTLE, daily, day)
    build(daily)
    at_once = Path(shutil.copytree(daily, daily.parent / "at_once", ignore=shutil.ignore_patterns(".lake", ".dagster")))
    build(at_once)
    return daily, at_once


@pytest.mark.parametrize(
    "table", ["raw_events.tracks", "raw_events.orders", "raw_events.members", "identity.id_edges",
              "identity.stitched_ids", "models.order_baskets", "entity_vars.commerce", "entity_vars.engagement",
              "entity_vars.lifecycle", "entity_vars.metrics", "funnels.checkout", "metrics.revenue",
              "metrics.distributions", "profiles.user_rows", "views.by_email_keys"],
)  # fmt: skip
def test_day_by_day_equals_all_at_once_up_to_names(grown: tuple[Path, Path], table: str) -> None:
    daily, at_once = (unnamed(root, table) for root in grown)
    assert daily == at_once


@pytest.mark.long
def test_a_later_full_run_in_place_changes_no_id(grown: tuple[Path, Path]) -> None:
    daily = grown[0]
    before = tables(daily)
    profiles(daily, "run", "--all-days")
    assert tables(daily) == before


def test_between_two_publications_only_rows_of_people_who_changed_move(little_shop: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(little_shop, tmp_path / "shop"))
    (first, before), _ = published(root), simulate_day(LITTLE, root, LITTLE.days)
    build(root)
    last, after = published(root)
    changed = {who for who in before.keys() | after.keys() if before.get(who) != after.get(who)}
    feed = Feed(first, last)
    with lake_of(root).get_connection() as con:
        came, went = (sorted(who for (who,) in con.execute(f"SELECT profile_id FROM {rows}").fetchall())
                      for rows in (feed.came("profiles", "user_rows"), feed.went("profiles", "user_rows")))  # fmt: skip
    assert came == sorted(changed & after.keys())
    assert went == sorted(changed & before.keys())
    assert 0 < len(changed) < len(after)


def published(root: Path) -> tuple[int, dict[str, str]]:
    """The newest publication: its snapshot, and the profiles in it."""
    lake = lake_of(root)
    with lake.read() as con:
        rows = con.execute("SELECT profile_id, r FROM profiles.user_rows r").fetchall()
    return lake.published(), {who: str(row) for who, row in rows}


def test_an_older_day_reads_as_if_later_files_had_never_come(shop: Path, tmp_path: Path) -> None:
    earlier = copy_shop(tmp_path / "earlier")
    then = small().start + timedelta(days=40)
    for folder in shop.glob("landing/*/*"):
        if date.fromisoformat(folder.name) <= then:
            shutil.copytree(folder, earlier / folder.relative_to(shop))
    build(earlier)
    assert traits_as_of(shop, then) == traits_as_of(earlier, then)


def traits_as_of(root: Path, day: date) -> list[str]:
    with lake_of(root).get_connection() as con:
        stage_traits_as_of(con, load_project(root), "user", day, "traits_then")
        return [
            str(row) for row in con.execute("SELECT * EXCLUDE (profile_id) FROM traits_then ORDER BY ALL").fetchall()
        ]


def unnamed(root: Path, table: str) -> list[str]:
    """Rows of a table without what depends on the names of profiles, sorted."""
    with lake_of(root).get_connection() as con:
        names = [row[0] for row in con.execute(f"DESCRIBE {table}").fetchall() if row[0] not in NAMED]
        columns = ", ".join(f'"{name}"' for name in names)
        return sorted(str(row) for row in con.execute(f"SELECT {columns} FROM {table}").fetchall())


def one(con: Any, query: str) -> tuple[Any, ...]:
    row = con.execute(query).fetchone()
    assert row is not None
    return tuple(row)
