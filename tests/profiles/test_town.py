"""Metrics, audiences and feature views in a real lake: what is written, when, and what readers see."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest

from profiles_assets.profiles.audience_assets import build_audience_assets
from profiles_assets.profiles.audiences import update_audience
from profiles_assets.profiles.publication import publish_complete
from profiles_assets.profiles.view_assets import build_view_assets
from profiles_assets.profiles.views import update_view
from profiles_assets.traits.evaluate_metrics import update_metric
from profiles_assets.traits.metric_assets import build_metric_assets
from profiles_assets.traits.metric_checks import series_adds_up
from resources import progress
from resources.lake import Lake
from resources.tables import Change
from tests.profiles.town import START, Town, event

ONE, TWO = START, START + timedelta(1)
ALL = ("revenue", "visits", "basket", "buyers", "good", "lookers", "by_email", "by_device")
FIRST = (
    event(0, 1, "bought", user="ann", mail="Ann@x.y", total=10.5, city="Ulm"),
    event(0, 6, "opened", user="ann", mail="alma@x.y"),
    event(0, 2, "bought", user="bob", device="tablet", total=1, city="Bonn"),
    event(0, 3, "viewed", user="eve", device="tablet"),
    event(0, 4, "bought", total=5),
    event(0, 5, "bought", user="null", total=0.25),
)
SECOND = (
    event(0, 9, "bought", user="eve", total=100),
    event(1, 1, "viewed", user="bob", device="tablet"),
    event(1, 2, "viewed", user="kim", device="tablet", mail="kim@x.y"),
)
SERIES = "SELECT day, value, events, people FROM metrics.{} ORDER BY day"
PERSON = "(SELECT profile_id FROM identity.stitched_ids WHERE value = '{}')"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Built with the first day."""
    town = Town(tmp_path_factory.mktemp("town"))
    town.land(0, *FIRST)
    town.run()
    yield town
    town.lake.close()


@dataclass
class Grown:
    """The town after the second day, the reports of that run, and what was published after each of its last steps."""

    town: Town
    reports: dict[str, Any]
    published: list[int]


@pytest.fixture(scope="module")
def grown(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Grown]:
    """The same after the second day."""
    grown = town.copy(tmp_path_factory.mktemp("grown"))
    grown.land(1, *SECOND)
    reports: dict[str, Any] = {**grown.build_profiles()}
    published = [grown.lake.published()]
    for name, update in grown.last_steps().items():
        reports[name] = update(grown.lake, grown.project, name)
        published.append(grown.lake.published())
    yield Grown(grown, reports, published)
    grown.lake.close()


def names(town: Town, sql: str) -> set[str]:
    """User ids of the profiles that a query gives."""
    query = f"SELECT value FROM identity.stitched_ids WHERE id_type = 'user_id' AND profile_id IN ({sql})"
    return {value for (value,) in town.published(query)}


def test_events_that_are_nobodys_count_for_the_organisation(town: Town) -> None:
    assert town.query(SERIES.format("revenue")) == [(ONE, 16.75, 4, 2)]
    assert town.query(SERIES.format("visits")) == [(ONE, 1, 1, 1)]
    assert town.query(SERIES.format("basket")) == [(ONE, 16.75 / 4, 4, 2)]


def test_distributions_are_those_of_people_with_a_value(town: Town) -> None:
    found = town.query("SELECT metric, people, percentiles[1], percentiles[101] FROM metrics.distributions ORDER BY 1")
    assert found == [("basket", 2, 1, 10.5), ("revenue", 2, 1, 10.5), ("visits", 3, 0, 1)]


def test_the_profiles_place_people_in_the_distribution(town: Town) -> None:
    found = town.published("SELECT spend, place, tier, good FROM profiles.user ORDER BY spend NULLS LAST")
    assert found == [(1, 50, "heavy", True), (10.5, 100, "heavy", True), (None, None, None, False)]


def test_members_are_read_from_the_published_snapshot(town: Town) -> None:
    assert names(town, "SELECT profile_id FROM audiences.buyers") == {"ann", "bob"}
    assert names(town, "SELECT profile_id FROM audiences.lookers") == {"eve"}
    assert {since for (since,) in town.published("SELECT since FROM audiences.buyers")} == {ONE}


def test_feature_views_are_keyed_by_an_id(town: Town) -> None:
    with town.lake.read() as con:
        found = con.sql("FROM views.by_email")
        assert found.columns == [
            "email", "profile_id", "owners", "spend", "orders", "city", "place", "tier", "revenue", "visits", "basket",
            "buyers", "good", "lookers",
        ]  # fmt: skip
        assert [(row[0], row[3], row[5]) for row in found.fetchall()] == [("a***@x.y", 10.5, "***")] * 2
    assert town.published("SELECT * EXCLUDE (profile_id) FROM views.by_device") == [("tablet", 2, None, None, False)]
    assert town.published(f"SELECT profile_id = {PERSON.format('eve')} FROM views.by_device") == [(True,)]


def test_a_second_run_writes_nothing(town: Town) -> None:
    before = town.snapshot()
    reports = town.run()
    assert town.snapshot() == before
    assert {name: getattr(report, "as_of") for name, report in reports.items()} == dict.fromkeys(ALL, ONE)  # noqa: B009


def test_late_and_new_events_change_their_days(grown: Grown) -> None:
    assert grown.town.query(SERIES.format("revenue")) == [(ONE, 116.75, 5, 3)]
    assert grown.town.query(SERIES.format("visits")) == [(ONE, 1, 1, 1), (TWO, 2, 2, 2)]
    assert vars(grown.reports["revenue"]) == {"as_of": TWO, "days": 1, "people": 3, "change": Change(updated=1)}
    assert vars(grown.reports["visits"]) == {"as_of": TWO, "days": 2, "people": 4, "change": Change(inserted=1)}


def test_the_log_tells_who_came_and_went(grown: Grown) -> None:
    log = "SELECT profile_id FROM audiences.log WHERE audience = '{}' AND change = '{}' AND as_of = DATE '2025-01-02'"
    assert names(grown.town, log.format("buyers", "entered")) == {"eve"}
    assert names(grown.town, log.format("lookers", "left")) == {"eve"}
    assert names(grown.town, log.format("lookers", "entered")) == {"kim"}
    assert vars(grown.reports["buyers"]) == {"as_of": TWO, "size": 3, "entered": 1, "left": 0}
    assert dict(grown.town.published("SELECT since, count(*) FROM audiences.buyers GROUP BY 1")) == {ONE: 2, TWO: 1}


def test_the_owner_is_who_used_it_last(grown: Grown) -> None:
    found = grown.town.published(f"SELECT owners, profile_id = {PERSON.format('kim')} FROM views.by_device")
    assert found == [(3, True)]
    assert grown.reports["by_device"].conflicts == 1


def test_incremental_equals_full(grown: Grown) -> None:
    town, project = grown.town, grown.town.project
    queries = [SERIES.format(name) for name in project.metrics]
    queries += ["FROM metrics.distributions ORDER BY metric"]
    queries += [f"FROM views.{name} ORDER BY ALL" for name in project.views]
    before = [town.query(query) for query in queries]
    town.lake.write(forget)
    for name in project.metrics:
        assert update_metric(town.lake, project, name).change.inserted > 0
    for name in project.views:
        assert update_view(town.lake, project, name).change.inserted > 0
    assert [town.query(query) for query in queries] == before


def forget(con: duckdb.DuckDBPyConnection) -> None:
    """Drop the tables of metrics and views, and the notes about them."""
    for name in ("metrics.revenue", "metrics.visits", "metrics.basket", "views.by_email_keys", "views.by_device_keys"):
        con.execute(f"DROP TABLE {name}")
    con.execute("DELETE FROM metrics.distributions")
    con.execute("DELETE FROM ops.progress WHERE starts_with(step, 'metrics/') OR starts_with(step, 'views/')")


def test_series_add_up_to_people_and_nobody(grown: Grown) -> None:
    with grown.town.lake.get_connection() as con:
        project = grown.town.project
        added = {"days": 116.75, "people": 111.5, "unattributed": 5.25}
        assert series_adds_up(con, project, "revenue") == (True, added)
        assert series_adds_up(con, project, "visits") == (True, {"days": 3, "people": 3, "unattributed": 0})
        con.begin()
        con.execute("UPDATE metrics.revenue SET value = 1")
        assert not series_adds_up(con, project, "revenue")[0]
        con.rollback()


def test_readers_see_one_state(grown: Grown) -> None:
    *_, before_last, last = grown.published
    assert last > before_last
    people, members = "FROM profiles.user WHERE buyers", "FROM audiences.buyers"
    assert len(grown.town.published(people)) == len(grown.town.published(members)) == 3
    assert publish_complete(grown.town.lake, grown.town.project, "user") is None


def test_nothing_is_published_while_an_audience_is_behind(town: Town, tmp_path: Path) -> None:
    town = town.copy(tmp_path)
    town.lake.write(lambda con: progress.record(con, "profiles/user", {"all": "newer"}))
    project, before = town.project, town.lake.published()
    for name, update in town.last_steps().items():
        assert publish_complete(town.lake, project, "user") is None
        assert town.lake.published() == before
        update(town.lake, project, name)
    assert town.lake.published() > before
    assert publish_complete(town.lake, project, "user") is None
    town.lake.close()


def test_a_publication_that_was_cut_short_is_made_up_for(grown: Grown) -> None:
    town = grown.town
    town.lake.write(lambda con: progress.record(con, "published/user", {}, ["all"]))
    before = town.lake.published()
    update_audience(town.lake, town.project, "buyers")
    assert town.lake.published() > before


def test_assets_show_what_they_made(town: Town) -> None:
    project = town.project
    assets = [build_metric_assets(project)[0], build_audience_assets(project)[0], *build_view_assets(project)]
    stand_ins = [dg.AssetSpec(key) for key in {dep for asset in assets for dep in asset.dependency_keys}]
    with dg.DagsterInstance.ephemeral() as instance:
        lake = Lake(root=town.lake.root, threads=1)
        result = dg.materialize([*assets, *stand_ins], resources={"lake": lake}, instance=instance)
    checks = [(check.check_name, check.passed) for check in result.get_asset_check_evaluations()]
    wanted = ("members_are_current", "one_row_per_day", "one_row_per_value", "one_row_per_value", "series_adds_up")
    assert sorted(checks) == [(name, True) for name in wanted]
    shown = {
        event.asset_key.to_user_string(): {name: entry.value for name, entry in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
    }
    rows = {key: metadata["dagster/row_count"] for key, metadata in shown.items()}
    assert rows == {"metrics/revenue": 1, "audiences/buyers": 2, "views/by_device": 1, "views/by_email": 2}
    assert "data:image/svg+xml" in str(shown["metrics/revenue"]["histogram"])
    assert shown["audiences/buyers"]["share"] == 2 / 3
    assert shown["views/by_device"]["conflicts"] == 1
    assert [spec.owners for asset in build_metric_assets(project) for spec in asset.specs] == [["team:finance"]] * 3
