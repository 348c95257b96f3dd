"""Records: which version counts when, what is no record, and days that change because of others."""

from datetime import date, datetime
from typing import Any

import pytest

from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait
from tests.events.shop import Shop, a_source, event

ONE, TWO, FIVE = (f"landing/2024-01-0{n}/a.jsonl" for n in (1, 2, 5))
JAN = [date(2024, 1, day) for day in range(1, 10)]


def crm(**changes: Any) -> Source:
    return a_source(**({"kind": "records", "key": "key", "event": None, "event_is": "crm", "event_id": None} | changes))


def version(key: Any, **more: Any) -> dict[str, Any]:
    return {"key": key, "user": f"u{key}"} | more


@pytest.fixture
def records(shop: Shop) -> Shop:
    shop.source = crm()
    return shop


def versions(shop: Shop) -> dict[str, str]:
    return dict(shop.query("SELECT partition, version FROM ops.progress WHERE step = 'raw_events/tracks'"))


def test_the_next_version_ends_the_one_before(records: Shop) -> None:
    records.put(ONE, [version(1, user="old"), version(2)])
    records.put(TWO, [version(1, user="new")])
    records.put(FIVE, [version(1, user="newest")])
    assert records.load().days == (JAN[0], JAN[1], JAN[4])
    assert records.rows("id_user_id, superseded") == [("old", JAN[1]), ("u2", None), ("new", JAN[4]), ("newest", None)]


def test_an_equal_version_is_a_version(records: Shop) -> None:
    records.put(ONE, [version(1)])
    records.put(TWO, [version(1)])
    records.load()
    assert records.rows("superseded, duplicate") == [(JAN[1], False), (None, False)]


def test_only_days_whose_rows_change_get_another_version(records: Shop) -> None:
    records.put(ONE, [version(1)])
    records.put(TWO, [version(2)])
    records.load()
    before = versions(records)
    records.put(FIVE, [version(1)])
    assert records.load().days == (JAN[0], JAN[4])
    assert records.rows("superseded") == [(JAN[4],), (None,), (None,)]
    assert versions(records)["2024-01-02"] == before["2024-01-02"]
    (records.root / FIVE).unlink()
    records.load(allow_shrink=True)
    assert versions(records) == before


def test_a_day_that_comes_late_takes_its_place(records: Shop) -> None:
    records.put(ONE, [version(1)])
    records.put(FIVE, [version(1)])
    records.load()
    records.put(TWO, [version(1)])
    records.load()
    assert records.rows("superseded") == [(JAN[1],), (JAN[4],), (None,)]


def test_versions_of_one_day_come_in_the_order_of_time_then_place(records: Shop) -> None:
    times = ["2024-01-01T12:00:00Z", "2024-01-01T09:00:00Z", "2024-01-01T12:00:00Z"]
    records.put(ONE, [version(1, time=time) for time in times])
    records.load()
    assert records.rows("position, superseded") == [(1, JAN[0]), (2, JAN[0]), (3, None)]


def test_a_version_dated_tomorrow_ends_none_before(records: Shop) -> None:
    records.put(ONE, [version(1)])
    records.put(TWO, [version(1, time="2024-01-03T08:00:00Z")])
    records.load()
    assert records.rows("event_day, superseded") == [(JAN[0], JAN[2]), (JAN[2], None)]


def test_a_repeated_event_is_no_version(records: Shop) -> None:
    records.source = crm(event_id="id")
    records.put(ONE, [version(1, id="a", user="old")])
    records.put(TWO, [version(1, id="b", user="new")])
    records.put(FIVE, [version(1, id="a", user="old")])
    assert records.load().duplicates == 1
    assert records.rows("superseded, duplicate") == [(JAN[1], False), (None, False), (None, True)]
    records.put(ONE, [version(1, id="c", user="older")])
    records.load()
    assert records.rows("superseded, duplicate") == [(JAN[1], False), (JAN[4], False), (None, False)]


def test_a_repeat_that_is_none_any_more_ends_the_version_before(records: Shop) -> None:
    records.source = crm(event_id="id")
    records.put(ONE, [version(1, id="a"), version(2, id="b")])
    records.put(TWO, [version(2, id="a")])
    records.load()
    assert records.rows("record_key, superseded, duplicate") == [
        ("1", None, False),
        ("2", None, False),
        ("2", None, True),
    ]
    records.put(ONE, [version(2, id="b")])
    records.put(FIVE, [version(3, id="c")])
    assert records.load().days == (JAN[0], JAN[1], JAN[4])
    assert records.rows("record_key, superseded") == [("2", JAN[1]), ("2", None), ("3", None)]
    before = versions(records)
    records.put("landing/2024-01-01/b.jsonl", [version(9, id="a")])
    assert records.load().days == (JAN[0], JAN[1])
    assert records.rows("record_key, superseded, duplicate") == [
        ("2", None, False),
        ("9", None, False),
        ("2", None, True),
        ("3", None, False),
    ]
    assert versions(records)["2024-01-05"] == before["2024-01-05"]
    (records.root / "landing/2024-01-01/b.jsonl").unlink()
    records.load(allow_shrink=True)
    assert versions(records) == before


def test_a_record_needs_its_whole_key(records: Shop) -> None:
    records.put(ONE, [version(1), version(None), version(" "), {"user": "u"}, version(0)])
    assert records.load().rejected == {"no key": 3}
    assert records.rows("record_key") == [("1",), ("0",)]
    records.source = crm(key=["key", "context.shop"])
    records.put(TWO, [version(1, context={"shop": s}) for s in ("a", "b", "a", "")])
    assert records.load().rejected == {"no key": 6}
    assert records.rows("record_key, superseded") == [
        ('["1","a"]', JAN[1]),
        ('["1","b"]', None),
        ('["1","a"]', None),
    ]


def test_time_may_be_missing(records: Shop) -> None:
    records.source, records.timezone = crm(received="got"), "Europe/Berlin"
    records.put(ONE, [version(1), version(2, got="2024-01-01T08:00:00Z", time=" "), version(3, time="soon")])
    assert records.load().rejected == {"time not understood": 1}
    midnight = datetime(2023, 12, 31, 23)
    assert records.rows("time, event_day, event") == [
        (midnight, JAN[0], "crm"),
        (datetime(2024, 1, 1, 8), JAN[0], "crm"),
    ]


def test_a_table_without_any_time_counts_from_the_start_of_the_project(records: Shop) -> None:
    records.source = crm(files="customers.csv", format="csv", time=None, ids={"user_id": "user"})
    records.put("customers.csv", b"key,user\n1,u1\n2,u2\n")
    assert records.load().loaded == 2
    assert records.rows("day, time, superseded") == [(date(2020, 1, 1), datetime(2020, 1, 1), None)] * 2
    records.put("customers.csv", b"key,user\n1,u9\n")
    records.load()
    assert records.rows("id_user_id") == [("u9",)]


def test_another_key_is_another_history(records: Shop) -> None:
    records.put(ONE, [version(1, user="a"), version(2, user="b")])
    records.put(TWO, [version(1, user="b")])
    records.load()
    records.source = crm(key="user")
    records.load()
    assert records.rows("record_key, superseded") == [("a", None), ("b", JAN[1]), ("b", None)]


def test_events_become_records_and_back(shop: Shop) -> None:
    shop.put(ONE, [event(1), event(1)])
    shop.load()
    before = (versions(shop), shop.rows("*"))
    shop.source = crm(key="user")
    shop.load()
    assert shop.rows("superseded") == [(JAN[0],), (None,)]
    shop.source = a_source()
    shop.load()
    assert versions(shop) == before[0]
    assert "superseded" not in [name for (name,) in shop.query("SELECT column_name FROM (DESCRIBE raw_events.tracks)")]


def test_a_property_that_is_used_later_is_filled_in(records: Shop) -> None:
    records.put(ONE, [version(1, city="Ulm")])
    records.put(TWO, [version(1, city="Bonn")])
    records.load()
    records.traits = {"city": Trait(latest="crm.city")}
    records.put(FIVE, [version(1, city="Kiel")])
    records.load()
    assert records.rows("p_city, superseded") == [("Ulm", JAN[1]), ("Bonn", JAN[4]), ("Kiel", None)]


def test_the_first_path_with_a_value_counts(shop: Shop) -> None:
    shop.source = a_source(ids={"user_id": "userId|user", "email": "mail|context.email"})
    shop.put(ONE, [event(1, userId="", mail=None, context={"email": "A@b.c"}), event(2, userId="first")])
    shop.load()
    assert shop.rows("id_user_id, id_email") == [("u1", "a@b.c"), ("first", None)]
