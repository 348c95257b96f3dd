"""Attribution from declared touchpoints to the table of credits."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from ml.attribution.assets import build_attribution_assets, credits_add_up, credits_pictures
from ml.attribution.credits import MODELS
from ml.attribution.step import update_credits
from profiles_assets.project.attribution import Attribution
from profiles_assets.project.loader import load_project
from profiles_assets.project.problems import ProjectError
from tests.ml.test_training_rows import FILES, START, Event, Shop, event

DOC = (Path(__file__).parents[2] / "docs" / "attribution.md").read_text()
DECLARED = re.findall(r"```yaml\n# attribution/orders.yml\n(.*?)```", DOC, re.DOTALL)[0]
OWN = DECLARED.replace("order_completed", "bought").replace("30 days", "10 days")


def seen(day: int, referrer: str | None, **ids: str) -> Event:
    return event(day, "page_viewed", **({"referrer": referrer} if referrer else {}), **ids)


EVENTS = [
    seen(40, "Ads", user_id="x"),
    seen(42, " search ", anonymous_id="x's phone"),
    seen(43, None, user_id="x"),
    event(44, "newsletter_opened", campaign="direct", user_id="x"),
    event(45, "bought", total=30, user_id="x", anonymous_id="x's phone"),
    event(46, "bought", total=6, user_id="x"),
    seen(46, "ads", user_id="y"),
    event(59, "bought", total=4, user_id="y"),
    seen(60, "ads", user_id="y"),
]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = tmp_path_factory.mktemp("credits")
    shop = Shop(root)
    (root / "attribution").mkdir()
    (root / "attribution" / "orders.yml").write_text(OWN)
    shop.project = load_project(root)
    shop.add(*EVENTS, name="more")
    update_credits(shop.lake, shop.project, "order_channels")
    return shop


def credited(shop: Shop, model: str) -> dict[tuple[str, int], tuple[float, float]]:
    with shop.lake.get_connection() as con:
        rows = con.execute(
            "SELECT channel, day, conversions, value FROM attribution.order_channels "
            f"WHERE model = '{model}' AND conversions > 0 AND day >= DATE '{START + timedelta(days=40)}'"
        ).fetchall()
    return {(channel, (day - START).days): (count, value) for channel, day, count, value in rows}


@pytest.mark.parametrize(
    ("model", "of_x"),
    [
        ("first", {("ads", 45): (1, 30)}),
        ("last", {("direct", 45): (1, 30)}),
        ("last_non_direct", {("search", 45): (1, 30)}),
    ],
)
def test_touches_of_all_ids_lead_to_the_next_conversion(shop: Shop, model: str, of_x: dict[object, object]) -> None:
    alone = {("none", 46): (1, 6), ("none", 59): (1, 4)}
    assert credited(shop, model) == of_x | alone


def test_linear_shares_count_and_value(shop: Shop) -> None:
    found = credited(shop, "linear")
    for channel in ("ads", "search", "direct"):
        assert found[channel, 45] == pytest.approx((1 / 3, 10))


def test_all_models_add_up(shop: Shop) -> None:
    with shop.lake.get_connection() as con:
        passed, told = credits_add_up(con, "order_channels")
        drawn = credits_pictures(con, "order_channels")
        orders = con.execute(
            "SELECT count(*) FROM raw_events.events WHERE event = 'bought' AND NOT duplicate"
        ).fetchone()
    assert passed
    assert told["conversions"].keys() == set(MODELS)
    assert {round(total) for total in told["conversions"].values()} == {orders and orders[0]}
    assert drawn.count("image/svg+xml") == len(MODELS)


def test_a_second_run_writes_nothing(shop: Shop) -> None:
    before = shop.lake.write(lambda _: None)
    report = update_credits(shop.lake, shop.project, "order_channels")
    assert report.change.total == 0
    assert report.conversions > 3
    assert shop.lake.write(lambda _: None) == before


def test_the_query_of_the_docs_runs(shop: Shop) -> None:
    query = re.findall(r"```sql\n(.*?)```", DOC, re.DOTALL)[0]
    with shop.lake.get_connection() as con:
        rows = con.execute(query).fetchall()
    assert {model for model, *_ in rows} == set(MODELS)
    assert ("first", "none") in {row[:2] for row in rows}


def test_it_is_an_asset(shop: Shop) -> None:
    (asset,) = build_attribution_assets(shop.project)
    assert asset.key.to_user_string() == "attribution/order_channels"


def test_every_key_is_mentioned() -> None:
    for name in Attribution.model_fields:
        assert name in {"title", "description"} or re.search(rf"\b{name}\b", DOC), name
    for model in MODELS:
        assert f"`{model}`" in DOC


def test_what_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    sources = FILES["sources.yml"].replace("event: event", "event: event\n    events: [seen, bought]")
    texts = FILES | {"sources.yml": sources.replace("total: number", "total: number, page: text")}
    for name, text in {**texts, "attribution/a.yml": WRONG}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("visited", "seen"))
    with pytest.raises(ProjectError) as error:
        load_project(tmp_path)
    assert [str(problem) for problem in error.value.problems] == [
        'attribution/a.yml:3: touchpoint 1: no source has the event "sean"; did you mean "seen"?',
        'attribution/a.yml:4: conversion: no source has the event "buyed"; there are bought or seen',
        'attribution/a.yml:7: value: "page" is text, and a value is a number; look at types: of the source',
    ]


WRONG = """attribution:
  one:
    touchpoints: [{event: sean, channel: referrer}]
    conversion: buyed
  two:
    touchpoints: [{event: seen, channel: referrer}]
    value: page
    conversion: bought
"""
