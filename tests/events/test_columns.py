"""Properties become typed columns: which ones, of which type, and what happens when definitions change."""

from datetime import date, datetime
from typing import Any

import pytest

from profiles_assets.events.columns import used_paths
from profiles_assets.project.predictions import Prediction
from profiles_assets.project.project import Forecast
from profiles_assets.project.traits import Trait
from tests.events.shop import Shop, a_source, event

DAY = "landing/2024-01-01"
TOTAL = {"spend": Trait(sum="seen.total")}


def with_values(shop: Shop, *values: Any, day: str = DAY) -> None:
    shop.put(f"{day}/a.jsonl", [event(n, day[-10:], properties={"total": v}) for n, v in enumerate(values)])


def test_used_paths(shop: Shop) -> None:
    shop.source = a_source(event=None, event_is="seen")
    shop.traits = {
        "spend": Trait(sum="seen.total", where={"category": "a", "price": "> 5", "time": "> 5", "size": [1, 2]}),
        "last": Trait(latest="seen.cart.id"),
        "share": Trait(sql='avg(tax + "ship.fee") + sum(fee) filter (day > time)', from_="seen", type="float"),
        "other": Trait(sum="bought.other"),
        "tier": Trait(bucket="spend", at=[5]),
        "number": Trait(count="seen"),
    }
    predict = Prediction.model_validate({"predict": "sum seen.worth", "over": "30 days"})
    shop.project.predictions["ltv"] = Forecast("ltv", "user", predict)
    project = shop.project
    project.predictions["ltv"] = Forecast("ltv", "user", predict)
    assert used_paths(project, "tracks") == {
        "cart.id": False,
        "category": False,
        "fee": True,
        "price": True,
        "ship.fee": True,
        "size": False,
        "tax": True,
        "total": True,
        "worth": True,
    }


def test_unusable_sql_uses_nothing(shop: Shop) -> None:
    shop.traits = {"bad": Trait(sql="avg((", from_="seen", type="float")}
    assert used_paths(shop.project, "tracks") == {}


def test_lookup_in_properties_then_in_the_record(shop: Shop) -> None:
    shop.traits = {
        "a": Trait(latest="seen.total"),
        "b": Trait(latest="seen.items.0.sku"),
        "c": Trait(latest="seen.a/b~c"),
    }
    records = [
        event(1, properties={"total": 1}, total=2),
        event(2, properties={"total": None}, total=2),
        event(3, properties="text", total=3, items=[{"sku": "x"}]),
        event(4, **{"a/b~c": 5}),
    ]
    shop.put(f"{DAY}/a.jsonl", records)
    shop.load()
    assert shop.rows('p_total, "p_items.0.sku", "p_a/b~c"') == [
        (1, None, None),
        (2, None, None),
        (3, "x", None),
        (None, None, 5),
    ]


def test_declared_properties_only(shop: Shop) -> None:
    shop.source = a_source(properties="data.inner")
    shop.traits = {"a": Trait(latest="seen.total")}
    shop.put(f"{DAY}/a.jsonl", [event(1, data={"inner": {"total": 1}}), event(2, properties={"total": 1}, total=2)])
    shop.load()
    assert shop.rows("p_total") == [(1,), (None,)]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        ([1, 2.5, None], "DOUBLE"),
        ([True, False], "BOOLEAN"),
        ([1, "2"], "VARCHAR"),
        (["1", "2"], "VARCHAR"),
        (["true"], "VARCHAR"),
        ([True, 1], "VARCHAR"),
        ([[1], {}], "VARCHAR"),
    ],
)
def test_types_are_told_by_the_data(shop: Shop, values: list[Any], type_: str) -> None:
    shop.traits = {"a": Trait(latest="seen.total")}
    with_values(shop, *values)
    shop.load()
    assert shop.query("SELECT type FROM ops.columns") == [(type_,)]
    assert dict(shop.query("SELECT column_name, column_type FROM (DESCRIBE raw_events.tracks)"))["p_total"] == type_


def test_types_in_csv(shop: Shop) -> None:
    shop.source = a_source(files="landing/{day}/*.csv", format=None, event=None, event_is="seen")
    shop.traits = {name: Trait(latest=f"seen.{name}") for name in ("zip", "price", "paid", "empty", "a.b")}
    text = b"id,time,user,zip,price,paid,empty,a.b\n1,2024-01-01,u1,01234,1.5,true,,x\n2,2024-01-01,u1,9,,False,,y\n"
    shop.put(f"{DAY}/a.csv", text)
    shop.load()
    columns = 'p_zip, p_price, p_paid, p_empty, "p_a.b"'
    assert shop.rows(columns) == [("01234", 1.5, True, None, "x"), ("9", None, False, None, "y")]
    assert shop.query("SELECT count(*) FROM ops.columns WHERE path = 'empty'") == [(0,)]


def test_declared_types(shop: Shop) -> None:
    types = {"total": "integer", "at": "time", "flag": "boolean", "code": "text"}
    shop.source = a_source(types=types)
    shop.traits = {name: Trait(latest=f"seen.{name}") for name in types}
    shop.put(
        f"{DAY}/a.jsonl",
        [
            event(1, total=2**53 + 1, at="2024-01-01T12:00:00+02:00", flag="true", code=7),
            event(2, total=1.5, at=1704103200000, flag="maybe", code=None),
            event(3, total="3", at="later", flag=False, code=""),
        ],
    )
    report = shop.load()
    assert shop.rows("p_total, p_at, p_flag, p_code") == [
        (2**53 + 1, datetime(2024, 1, 1, 10), True, "7"),
        (None, datetime(2024, 1, 1, 10), None, None),
        (3, None, False, ""),
    ]
    assert report.uncast == {"total": 1, "at": 1, "flag": 1}


def test_values_that_do_not_cast_are_counted(shop: Shop) -> None:
    shop.traits = TOTAL
    shop.put(f"{DAY}/a.jsonl", ['{"id": "n", "time": "2024-01-01", "event": "seen", "total": NaN}'])
    with_values(shop, "many", "3", 1e308, "inf", day="landing/2024-01-02")
    assert shop.load().uncast == {"total": 3}
    assert shop.rows("p_total") == [(None,), (None,), (3,), (1e308,), (None,)]
    with_values(shop, 1, day="landing/2024-01-02")
    shop.load()
    assert shop.query("SELECT day, path, rows FROM ops.uncast") == [(date(2024, 1, 1), "total", 1)]


def test_pinned_type_stays(shop: Shop) -> None:
    shop.traits = {"a": Trait(latest="seen.total")}
    with_values(shop, 1)
    shop.load()
    with_values(shop, "x", day="landing/2024-01-02")
    assert shop.load().uncast == {"total": 1}
    shop.traits = {}
    with_values(shop, 5, day="landing/2024-01-03")
    shop.load()
    assert shop.rows("p_total") == [(1,), (None,), (5,)]


def test_new_path_is_filled_from_the_payload(shop: Shop) -> None:
    files = [shop.put(f"{DAY}/{name}.jsonl", [event(1, total=t), event(2)]) for name, t in (("a", 5), ("b", "x"))]
    shop.load()
    versions = shop.query("SELECT partition, version FROM ops.progress WHERE step = 'raw_events/tracks'")
    for file in files:
        file.unlink()
    shop.traits = TOTAL
    report = shop.load([date(2024, 1, 2)])
    assert shop.rows("p_total") == [(5,), (None,), (None,), (None,)]
    assert (report.days, report.uncast) == ((), {"total": 1})
    assert shop.query("SELECT path, rows FROM ops.uncast") == [("total", 1)]
    assert shop.query("SELECT partition, version FROM ops.progress WHERE step = 'raw_events/tracks'") == versions


def test_new_demand_changes_the_type(shop: Shop) -> None:
    shop.traits = {"a": Trait(latest="seen.total")}
    with_values(shop, "5", "x")
    shop.load()
    assert shop.rows("p_total") == [("5",), ("x",)]
    shop.traits |= TOTAL
    with_values(shop, 7, day="landing/2024-01-02")
    shop.load()
    assert shop.rows("p_total") == [(5,), (None,), (7,)]


def test_path_without_values_gets_its_type_later(shop: Shop) -> None:
    shop.traits = {"a": Trait(latest="seen.total")}
    with_values(shop, None)
    shop.load()
    with_values(shop, 7, day="landing/2024-01-02")
    shop.load()
    assert shop.rows("p_total") == [(None,), (7.0,)]
