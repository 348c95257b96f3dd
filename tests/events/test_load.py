"""Good files become rows, once."""

import gzip
from datetime import date, datetime
from pathlib import Path

import fsspec
import pyarrow as pa
import pyarrow.parquet as pq

from profiles_assets.events.load import newest_day
from tests.events.shop import Shop, a_source, event

DAY = "landing/2024-01-01"


def test_record_becomes_row(shop: Shop) -> None:
    record = event(1, user=" u1 ", context={"email": "A@B.c"}, properties={"total": 5})
    shop.put(f"{DAY}/a.jsonl.gz", [record])
    report = shop.load()
    assert (report.files, report.records, report.loaded, report.days) == (1, 1, 1, (date(2024, 1, 1),))
    columns = "day, event_day, time, received, event, event_id, file, position, duplicate, id_user_id, id_email"
    kept = (f"{DAY}/a.jsonl.gz", 1, False, "u1", "a@b.c")
    assert shop.rows(columns) == [
        (date(2024, 1, 1), date(2024, 1, 1), datetime(2024, 1, 1, 10), None, "seen", "e1", *kept)
    ]


def test_payload_is_kept_as_it_arrived(shop: Shop) -> None:
    line = '{ "time":"2024-01-01",  "user": "ü\\u0000" ,"id":1.5}'
    shop.put(f"{DAY}/a.jsonl", f"{line}\r\n".encode())
    shop.load()
    assert shop.rows("payload, id_user_id, event_id") == [(line, "ü", "1.5")]


def test_nothing_to_do_makes_no_snapshot(shop: Shop) -> None:
    shop.put(f"{DAY}/a.jsonl", [event(1)])
    shop.load()
    before = shop.query("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')")
    assert shop.load().files == 0
    assert shop.query("SELECT max(snapshot_id) FROM ducklake_snapshots('lake')") == before


def test_no_files_at_all(shop: Shop) -> None:
    assert shop.load().records == 0
    assert shop.rows() == []


def test_touched_file_is_not_applied_again(shop: Shop) -> None:
    file = shop.put(f"{DAY}/a.jsonl", [event(1)])
    shop.load()
    version = shop.query("SELECT version FROM ops.progress WHERE step = 'raw_events/tracks'")
    file.touch()
    report = shop.load()
    assert (report.files, report.days) == (0, ())
    assert shop.query("SELECT version FROM ops.progress WHERE step = 'raw_events/tracks'") == version


def test_days_limit_the_files(shop: Shop) -> None:
    for day in (1, 2, 3):
        shop.put(f"landing/2024-01-0{day}/a.jsonl", [event(day, f"2024-01-0{day}")])
    assert shop.load([date(2024, 1, 2)]).days == (date(2024, 1, 2),)
    assert shop.load().days == (date(2024, 1, 1), date(2024, 1, 3))


def test_forms_of_days_in_paths(shop: Shop) -> None:
    for form in ("2024-01-01", "2024/01/02", "20240103", "2024-99-99", "yesterday"):
        shop.put(f"landing/{form}/a.jsonl", [event(1)])
    shop.load()
    assert shop.rows("day") == [(date(2024, 1, day),) for day in (1, 2, 3)]


def test_load_day_without_day_in_path(shop: Shop) -> None:
    shop.source = a_source(files="landing/*.jsonl", received="got")
    shop.timezone = "America/New_York"
    shop.put("landing/a.jsonl", [event(1, got="2024-01-03T02:00:00Z"), event(2, "2024-01-05T02:00:00Z")])
    shop.load([date(2030, 1, 1)])
    assert shop.rows("day, event_day") == [
        (date(2024, 1, 2), date(2024, 1, 1)),
        (date(2024, 1, 4), date(2024, 1, 4)),
    ]


def test_date_alone_is_a_day_of_the_project(shop: Shop) -> None:
    shop.timezone = "America/New_York"
    shop.put(f"{DAY}/a.jsonl", [event(1, "2024-01-01")])
    shop.load()
    assert shop.rows("event_day, time") == [(date(2024, 1, 1), datetime(2024, 1, 1, 5))]


def test_forms_of_times(shop: Shop) -> None:
    forms = {
        "2024-01-01T10:00:00Z": datetime(2024, 1, 1, 10),
        "2024-01-01T10:00:00.123456789+05:30": datetime(2024, 1, 1, 4, 30, 0, 123456),
        "2024-01-01t10:00:00z": datetime(2024, 1, 1, 10),
        "2024-01-01T10:00Z": datetime(2024, 1, 1, 10),
        "2024-01-01T10:00-0500": datetime(2024, 1, 1, 15),
        "20240101T100000Z": datetime(2024, 1, 1, 10),
        "2024-01-01 10:00:00": datetime(2024, 1, 1, 10),
        "2024-01-01": datetime(2024, 1, 1),
        1704103200: datetime(2024, 1, 1, 10),
        1704103200.5: datetime(2024, 1, 1, 10, 0, 0, 500000),
        1704103200123: datetime(2024, 1, 1, 10, 0, 0, 123000),
        "1704103200": datetime(2024, 1, 1, 10),
    }
    shop.put(f"{DAY}/a.jsonl", [event(n) | {"time": form} for n, form in enumerate(forms)])
    shop.load()
    assert shop.rows("time") == [(time,) for time in forms.values()]


def test_remote_files(shop: Shop) -> None:
    fs = fsspec.filesystem("memory")
    fs.pipe("/bucket/2024-01-01/a.jsonl", b'{"time": "2024-01-01", "user": "u1"}\n')
    shop.source = a_source(files="memory://bucket/{day}/*.jsonl")
    try:
        shop.load()
        fs.pipe("/bucket/2024-01-01/a.jsonl", b'{"time": "2024-01-01", "user": "u2"}\n')
        shop.load()
        assert shop.rows("file, id_user_id, day") == [
            ("memory:///bucket/2024-01-01/a.jsonl", "u2", date(2024, 1, 1)),
        ]
    finally:
        fs.rm("/bucket", recursive=True)


def test_csv(shop: Shop) -> None:
    shop.source = a_source(
        files="landing/{day}/*.csv.gz", format=None, event=None, event_is="order", ids={"user_id": "user.id"}
    )
    text = 'id,time,user.id,"note"\n1,2024-01-01,u1,"two\nlines, ""quoted"""\n\n2,2024-01-01T05:00:00Z,,\n'
    shop.put(f"{DAY}/a.csv.gz", gzip.compress(text.encode()))
    assert shop.load().unattributable == 1
    assert shop.rows("position, event, id_user_id, payload->>'note'") == [
        (1, "order", "u1", 'two\nlines, "quoted"'),
        (2, "order", None, ""),
    ]


def test_tsv_has_tabs(shop: Shop) -> None:
    shop.source = a_source(files="landing/*.tsv", format=None)
    shop.put("landing/a.tsv", b"\xef\xbb\xbfid\ttime\tuser\r\n1\t2024-01-01\tu1\r\n")
    shop.load()
    assert shop.rows("event_id, id_user_id") == [("1", "u1")]


def test_parquet(shop: Shop) -> None:
    shop.source = a_source(files="landing/{day}/*.parquet", format=None)
    columns = {
        "id": [1, 2],
        "time": pa.array([datetime(2024, 1, 1, 10), datetime(2024, 1, 1, 11)], pa.timestamp("us", tz="UTC")),
        "context": [{"email": "A@b.c"}, {"email": None}],
        "rate": [float("nan"), 1.5],
    }
    (shop.root / DAY).mkdir(parents=True)
    pq.write_table(pa.table(columns), shop.root / DAY / "a.parquet")
    shop.load()
    assert shop.rows("time, id_email, event_id") == [
        (datetime(2024, 1, 1, 10), "a@b.c", "1"),
        (datetime(2024, 1, 1, 11), None, "2"),
    ]


def test_newest_day(shop: Shop) -> None:
    with shop.lake.get_connection() as con:
        assert newest_day(con, shop.project) is None
    shop.put(f"{DAY}/a.jsonl", [event(1)])
    shop.put("landing/2024-01-02/a.jsonl", [event(2, "2090-01-01")])
    assert shop.load().rejected == {"time more than a day after arrival": 1}
    with shop.lake.get_connection() as con:
        assert newest_day(con, shop.project) == date(2024, 1, 1)


def test_progress_is_told(shop: Shop) -> None:
    file: Path = shop.put(f"{DAY}/a.jsonl", [event(1)])
    told: list[tuple[str, int, int]] = []
    shop.load(on_progress=lambda *step: told.append(step))
    assert told == [(f"{DAY}/a.jsonl", file.stat().st_size, file.stat().st_size)]
