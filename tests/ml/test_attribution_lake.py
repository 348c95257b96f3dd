"""Attribution from declared touchpoints to the table of credits."""

import base64
import re
from datetime import timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ml.attribution.assets import build_attribution_assets
from ml.attribution.credits import MODELS
from ml.attribution.report import channel_returns, credits_add_up, credits_picture, journeys_picture, returns_table
from ml.attribution.step import update_credits
from profiles_assets.events.load import load_events
from profiles_assets.profiles.audiences import update_audience
from profiles_assets.profiles.table import update_profiles
from profiles_assets.project.attribution import Attribution, Cost
from profiles_assets.project.loader import load_project
from profiles_assets.project.problems import ProjectError
from tests.ml.test_training_rows import FILES, START, Event, Shop, event

DOC = (Path(__file__).parents[2] / "docs" / "attribution.md").read_text()
BLOCKS = dict(re.findall(r"```yaml\n# (\S+)\n(.*?)```", DOC, re.DOTALL))
OWN = BLOCKS["attribution/orders.yml"].replace("order_completed", "bought").replace("30 days", "10 days")
COSTS = {40: "day,referrer,cost\n{day},Ads,9\n{day},tv,5\n", 59: "day,referrer,cost\n{before},Ads,12\n{day},,3\n"}


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
    files = {"attribution/orders.yml": OWN, "audiences/bought_by_ads.yml": BLOCKS["audiences/bought_by_ads.yml"]}
    files["sources.yml"] = FILES["sources.yml"] + BLOCKS["sources.yml"].split("\n", 1)[1]
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text)
    for number, text in COSTS.items():
        day = START + timedelta(days=number)
        folder = root / "landing" / "costs" / str(day)
        folder.mkdir(parents=True)
        (folder / "costs.csv").write_text(text.format(day=day, before=START + timedelta(days=40)))
    shop.project = load_project(root)
    load_events(shop.lake, shop.project, "ad_costs")
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
        orders = con.execute(
            "SELECT count(*) FROM raw_events.events WHERE event = 'bought' AND NOT duplicate"
        ).fetchone()
    assert passed
    assert told["conversions"].keys() == set(MODELS)
    assert {round(total) for total in told["conversions"].values()} == {orders and orders[0]}


def test_costs_stand_beside_the_credits_of_every_model(shop: Shop) -> None:
    """The newest report of a day counts; a channel that won nothing has its cost too, a cost of no channel is none."""
    with shop.lake.get_connection() as con:
        found = con.execute(
            "SELECT model, channel, day, cost, conversions FROM attribution.order_channels WHERE cost > 0 ORDER BY ALL"
        ).fetchall()
        assert len(found) == 2 * len(MODELS)
        day = START + timedelta(days=40)
        assert {row[1:] for row in found if row[0] == "first"} == {("ads", day, 12, 0), ("tv", day, 5, 0)}
        roas = {name: row for name, *row in channel_returns(con, shop.project.attribution["order_channels"])}
    assert roas["ads"] == pytest.approx([1 / 3, 10, 12, 10 / 12, 36])
    assert roas["tv"] == [0, 0, 5, 0, None]
    assert roas["none"][2:] == [0, None, 0]


def test_the_mix_of_a_person_comes_back_as_traits(shop: Shop) -> None:
    update_profiles(shop.lake, shop.project, "user")
    update_audience(shop.lake, shop.project, "bought_by_ads")
    with shop.lake.get_connection() as con:
        found = con.execute(
            """SELECT ids['user_id'][1], order_channels_top, round(order_channels_share, 6), order_channels_channels,
                round(order_channels_mix['ads'], 6), list_sum(map_values(order_channels_mix)), bought_by_ads
            FROM profiles.user WHERE ids['user_id'][1] IN ('x', 'y', 'last') ORDER BY 1"""
        ).fetchall()
    assert found == [
        ("last", None, None, None, None, None, False),
        ("x", "none", 0.5, ["none", "ads", "direct", "search"], 0.166667, pytest.approx(1), False),
        ("y", "none", 1.0, ["none"], None, 1.0, False),
    ]


def test_pictures_name_models_and_channels(shop: Shop) -> None:
    with shop.lake.get_connection() as con:
        bars, streams = (drawn_svg(draw(con, "order_channels")) for draw in (credits_picture, journeys_picture))
        table = returns_table(channel_returns(con, shop.project.attribution["order_channels"]))
        nothing = credits_picture(con, "unknown"), journeys_picture(con, "unknown")
    words = {"".join(text.itertext()) for text in bars.iterfind(".//{*}text")}
    assert words >= {*MODELS, "ads", "search", "direct", "none"}
    journeys = {"".join(text.itertext()) for text in streams.iterfind(".//{*}text")}
    assert {"first touch", "converted 11 (91.7%)", "did not 1 (8.3%)"} <= journeys
    assert "| ads | 0.33 | 10.00 | 12.00 | 0.83 | 36.00 |" in table
    assert nothing == ("nothing yet", "nothing yet")


def drawn_svg(markdown: str) -> ElementTree.Element:
    """The picture that a Markdown image carries."""
    return ElementTree.fromstring(base64.b64decode(re.findall(r"base64,(\S+)\)", markdown)[0]))


def test_steps_of_journeys_are_kept(shop: Shop) -> None:
    with shop.lake.get_connection() as con:
        found = con.execute("FROM attribution.order_channels__flows WHERE source <> 'none' ORDER BY ALL").fetchall()
    assert found == [
        (1, "ads", "", 0, 1),
        (1, "ads", "search", 1, 0),
        (2, "search", "direct", 1, 0),
        (3, "direct", "", 1, 0),
    ]


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
    for name in (*Attribution.model_fields, *Cost.model_fields):
        assert name in {"title", "description"} or re.search(rf"\b{name}\b", DOC), name
    for model in MODELS:
        assert f"`{model}`" in DOC


def test_what_is_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    sources = FILES["sources.yml"].replace("event: event", "event: event\n    events: [seen, bought]")
    texts = FILES | {"sources.yml": sources.replace("total: number", "total: number, page: text")}
    more = {"predictions/p.yml": "predictions: {one_top: {predict: bought, over: 3 days}}\n"}
    more |= {"traits/t.yml": "traits: {two_share: {count: bought}}\n", "attribution/a.yml": WRONG}
    for name, text in {**texts, **more}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text.replace("visited", "seen"))
    with pytest.raises(ProjectError) as error:
        load_project(tmp_path)
    found = [str(problem).split("; ")[0] for problem in error.value.problems]
    assert found == [
        'traits/t.yml:1: trait "two_share" has the name of a column of attribution "two"',
        'attribution/a.yml:2: attribution "one" has a column "one_top", as prediction "one_top" has',
        'attribution/a.yml:3: touchpoint 1: no source has the event "sean"',
        'attribution/a.yml:4: conversion: no source has the event "buyed"',
        'attribution/a.yml:7: value: "page" is text, and a value is a number',
        'attribution/a.yml:9: amount: "page" is text, and an amount is a number',
        'attribution/a.yml:9: cost 1: no source has the event "bough"',
        'attribution/a.yml:10: mix of attribution "three" is "markov_1"',
    ]


WRONG = """attribution:
  one:
    touchpoints: [{event: sean, channel: referrer}]
    conversion: buyed
  two:
    touchpoints: [{event: seen, channel: referrer}]
    value: page
    conversion: bought
    costs: [{event: bough, channel: referrer, amount: total}, {event: bought, channel: referrer, amount: page}]
  three: {touchpoints: [{event: seen, channel: referrer}], conversion: bought, mix: markov_1}
"""
