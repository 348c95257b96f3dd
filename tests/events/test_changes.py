"""Files that change, go or come late, and definitions that change under stored rows."""

from datetime import date, datetime
from typing import Any

import pytest

from profiles_assets.project.entities import Entity, IdType
from profiles_assets.project.traits import Trait
from tests.events.shop import IDS, Shop, a_source, event

ONE, TWO, NINE = "landing/2024-01-01", "landing/2024-01-02", "landing/2024-01-09"


def versions(shop: Shop) -> dict[str, str]:
    return dict(shop.query("SELECT partition, version FROM ops.progress WHERE step = 'raw_events/tracks'"))


def test_replaced_file(shop: Shop) -> None:
    shop.put(f"{ONE}/a.jsonl", [event(1), event(2), "bad"])
    shop.put(f"{ONE}/b.jsonl", [event(3)])
    shop.put(f"{TWO}/a.jsonl", [event(4)])
    shop.load()
    before = versions(shop)
    shop.put(f"{ONE}/a.jsonl", [event(5)])
    assert shop.load().days == (date(2024, 1, 1),)
    assert shop.rows("event_id") == [("e5",), ("e3",), ("e4",)]
    assert shop.rejects() == []
    after = versions(shop)
    assert (after["2024-01-02"], after["2024-01-01"] != before["2024-01-01"]) == (before["2024-01-02"], True)
    shop.put(f"{ONE}/a.jsonl", [event(1), event(2), "bad"])
    shop.load()
    assert versions(shop) == before


def test_replaced_by_nothing(shop: Shop) -> None:
    shop.put(f"{ONE}/a.jsonl", [event(1)])
    shop.load()
    shop.put(f"{ONE}/a.jsonl", [])
    assert shop.load().days == (date(2024, 1, 1),)
    assert versions(shop) == {}


def test_vanished_file(shop: Shop) -> None:
    file = shop.put(f"{ONE}/a.jsonl", [event(1), "bad"])
    shop.put(f"{TWO}/a.jsonl", [event(2)])
    shop.load()
    file.unlink()
    assert shop.load().files == 0
    assert shop.load([date(2024, 1, 2)], allow_shrink=True).days == ()
    assert len(shop.rows()) == 2
    assert shop.load(allow_shrink=True).days == (date(2024, 1, 1),)
    assert (shop.rows("event_id"), shop.rejects()) == ([("e2",)], [])


def test_late_file_joins_its_day(shop: Shop) -> None:
    shop.put(f"{ONE}/a.jsonl", [event(1)])
    shop.load()
    shop.put(f"{ONE}/b.jsonl", [event(2), event(1)])
    shop.load()
    assert shop.rows("event_id, duplicate") == [("e1", False), ("e2", False), ("e1", True)]


def test_duplicates_look_back_seven_days(shop: Shop) -> None:
    for day in (1, 8, 9, 17):
        shop.put(f"landing/2024-01-{day:02}/a.jsonl", [event(1, f"2024-01-{day:02}")])
    assert shop.load().duplicates == 2
    assert shop.rows("day, duplicate") == [
        (date(2024, 1, 1), False),
        (date(2024, 1, 8), True),
        (date(2024, 1, 9), True),
        (date(2024, 1, 17), False),
    ]


def test_replaced_day_changes_later_flags(shop: Shop) -> None:
    shop.put(f"{ONE}/a.jsonl", [event(1)])
    shop.put(f"{TWO}/a.jsonl", [event(1)])
    shop.put(f"{NINE}/a.jsonl", [event(1)])
    shop.load()
    before = versions(shop)
    shop.put(f"{ONE}/a.jsonl", [event(2)])
    assert shop.load().days == (date(2024, 1, 1), date(2024, 1, 2))
    assert shop.rows("event_id, duplicate") == [("e2", False), ("e1", False), ("e1", True)]
    assert versions(shop)["2024-01-09"] == before["2024-01-09"]
    shop.put(f"{ONE}/a.jsonl", [event(1)])
    shop.load()
    assert versions(shop) == before


def test_no_duplicates_without_event_ids(shop: Shop) -> None:
    shop.source = a_source(event_id=None)
    shop.put(f"{ONE}/a.jsonl", [event(1), event(1)])
    shop.put(f"{TWO}/a.jsonl", [event(1)])
    assert shop.load().duplicates == 0
    shop.source = a_source(event_id=None, distinct=True)
    assert shop.load().duplicates == 1


@pytest.mark.parametrize("keep_files", [True, False])
def test_definition_change_derives_rows_again(shop: Shop, keep_files: bool) -> None:
    records: list[Any] = [event(1, other="X@Y.z", at="2024-01-01T04:00:00Z"), event(2, at=None), "bad"]
    file = shop.put(f"{ONE}/a.jsonl", records)
    shop.traits = {"a": Trait(latest="seen.at")}
    shop.load()
    before = versions(shop)
    if not keep_files:
        file.unlink()
    shop.source = a_source(time="at", ids={"email": "other"}, event=None, event_is="was")
    shop.timezone = "America/New_York"
    report = shop.load([date(2024, 5, 5)])
    assert (report.records, report.loaded, report.rejected) == (3, 1, {"no time": 1, "not valid JSON": 1})
    columns = "event_day, time, event, id_email"
    assert shop.rows(columns) == [(date(2023, 12, 31), datetime(2024, 1, 1, 4), "was", "x@y.z")]
    assert "id_user_id" not in [name for (name,) in shop.query("SELECT column_name FROM (DESCRIBE raw_events.tracks)")]
    assert versions(shop) != before
    shop.source, shop.timezone = a_source(), "UTC"
    assert shop.load().loaded == 2
    assert versions(shop) == before
    assert shop.load().files == 0


def test_reading_change_reads_files_again(shop: Shop) -> None:
    shop.source = a_source(files="landing/{day}/*.csv", format=None)
    shop.put(f"{ONE}/a.csv", b"id;time;user\n1;2024-01-01;u1\n")
    assert shop.load().rejected == {"no time": 1}
    shop.source = a_source(files="landing/{day}/*.csv", format=None, delimiter=";")
    assert shop.load().loaded == 1


def test_day_moves_with_the_pattern(shop: Shop) -> None:
    shop.put(f"{TWO}/a.jsonl", [event(1)])
    shop.source = a_source(files="landing/*/*.jsonl")
    shop.load()
    assert shop.rows("day") == [(date(2024, 1, 1),)]
    shop.source = a_source()
    shop.load()
    assert shop.rows("day") == [(date(2024, 1, 2),)]
    assert list(versions(shop)) == ["2024-01-02"]


def test_normaliser_and_entity_changes(shop: Shop) -> None:
    shop.put(f"{ONE}/a.jsonl", [event(1, user="U1", context={"email": "a@b.c"})])
    shop.load()
    (old,) = shop.rows("tuple_user, tuple_user IS NULL")
    lower = Entity(ids=IDS | {"user_id": IdType(normalise="lower")})
    shop.entities = {"user": lower, "household": Entity(ids={"email": IdType()})}
    shop.load()
    (new,) = shop.rows("tuple_user, tuple_household IS NULL, id_user_id")
    assert new[0] != old[0]
    assert new[1:] == (False, "u1")
    shop.entities = {"user": lower}
    shop.load()
    assert shop.rows("tuple_user") == [(new[0],)]
