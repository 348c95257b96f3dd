"""Bad input never stops a load and never disappears: it ends as rows or as rejects with a reason."""

import gzip
import json
import os
import random
from datetime import date
from pathlib import Path

import pytest

from profiles_assets.events import plan
from profiles_assets.events.discover import LandingFile
from tests.events.shop import Shop, a_source, event

DAY = "landing/2024-01-01"


def lines(*numbers: int) -> bytes:
    return b"".join(json.dumps(event(n)).encode() + b"\n" for n in numbers)


def test_lines_that_are_no_records(shop: Shop) -> None:
    bad = ['{"id": "cut', "[1, 2]", "17", '"text"', "null", '{"a": 1} {"b": 2}', "   "]
    shop.put(f"{DAY}/a.jsonl", [event(1), *bad, "", event(2)])
    report = shop.load()
    assert (report.records, report.loaded) == (9, 2)
    assert shop.rows() == [(1,), (10,)]
    not_json, not_object = "not valid JSON", "not a JSON object"
    assert shop.rejects() == [
        (2, not_json),
        (3, not_object),
        (4, not_object),
        (5, not_object),
        (6, not_object),
        (7, not_json),
        (8, not_json),
    ]


def test_bytes_that_are_no_text(shop: Shop) -> None:
    content = (
        lines(1) + b'{"id": "\xff\xfe"}\n' + b'{"time": "2024-01-01", "user": "a\x00b"}\n' + b"\x00\x00\n" + lines(2)
    )
    shop.put(f"{DAY}/a.jsonl", content)
    shop.load()
    assert shop.rows() == [(1,), (5,)]
    assert shop.rejects() == [(2, "not valid UTF-8"), (3, "not valid JSON"), (4, "not valid JSON")]
    assert [record for (record,) in shop.rejects("record")][2] == "\ufffd\ufffd"


def test_escaped_nul_in_every_column(shop: Shop) -> None:
    shop.put(f"{DAY}/a.jsonl", [event(1, event="a\0", id="\0", user="\0", context={"email": "a\0@b.c"})])
    shop.load()
    assert shop.rows("event_id, id_user_id, id_email") == [(None, None, "a@b.c")]


@pytest.mark.parametrize("packed", [False, True])
def test_line_over_the_limit(shop: Shop, packed: bool) -> None:
    long = b'{"id": "' + b"x" * 50_000_000 + b'"}\n'
    content = lines(1) + long + lines(2) + long
    shop.put(f"{DAY}/a.jsonl.gz", gzip.compress(content, 1) if packed else content)
    shop.load()
    assert shop.rows() == [(1,), (3,)]
    reason = "record longer than max_record_bytes"
    assert shop.rejects() == [(2, reason), (4, reason)]
    assert shop.rejects("length(record), day") == [(2000, date(2024, 1, 1))] * 2


def test_short_limit(shop: Shop) -> None:
    shop.source = a_source(max_record_bytes=1000)
    shop.put(f"{DAY}/a.jsonl", [event(1), event(2, note="x" * 1000), event(3), event(4, note="x" * 900)])
    shop.load()
    assert shop.rows() == [(1,), (3,), (4,)]


def test_truncated_gzip(shop: Shop) -> None:
    noise = random.Random(1)
    content = gzip.compress(b"".join(lines(n)[:-2] + b', "x": "%x"}\n' % noise.getrandbits(400) for n in range(9_000)))
    shop.put(f"{DAY}/a.jsonl.gz", content[: len(content) // 2])
    report = shop.load()
    assert report.loaded > 4_000
    assert shop.rejects() == [(report.loaded + 1, "damaged file: the rest cannot be read")]


def test_corrupt_gzip(shop: Shop) -> None:
    noise = random.Random(1)
    content = gzip.compress(b"".join(lines(n)[:-2] + b', "x": "%x"}\n' % noise.getrandbits(400) for n in range(9_000)))
    at = len(content) // 2
    shop.put(f"{DAY}/a.jsonl.gz", content[:at] + b"\xff" * 400 + content[at + 400 :])
    shop.put(f"{DAY}/b.jsonl.gz", gzip.compress(lines(1)) + b"\0" * 20)
    shop.put(f"{DAY}/c.jsonl.gz", gzip.compress(lines(1)) + gzip.compress(lines(2)))
    shop.put(f"{DAY}/d.jsonl.gz", gzip.compress(lines(1)) + b"garbage")
    shop.load()
    loaded = dict(shop.query("SELECT file[-10], loaded FROM ops.files"))
    assert loaded.pop("a") > 4_000
    assert loaded == {"b": 1, "c": 2, "d": 1}
    assert [reason for (reason,) in shop.rejects("reason")][-1:] == ["damaged file: the rest cannot be read"]


def test_empty_files(shop: Shop) -> None:
    shop.put(f"{DAY}/a.jsonl", b"")
    shop.put(f"{DAY}/b.jsonl.gz", b"")
    shop.put(f"{DAY}/c.jsonl.gz", gzip.compress(b""))
    shop.put(f"{DAY}/d.jsonl", b"\n\n")
    report = shop.load()
    assert (report.files, report.records, report.days) == (4, 0, ())
    assert shop.load().files == 0


def test_times(shop: Shop) -> None:
    records = [event(n) for n in range(9)]
    del records[1]["time"]
    for n, time in enumerate([None, "soon", {}, "1970-01-01", 0, "2090-01-01", "infinity", "2024-01-02T23:59:59Z"], 1):
        records[n] |= {"time": time}
    shop.put(f"{DAY}/a.jsonl", records)
    report = shop.load()
    assert shop.rows() == [(1,), (9,)]
    assert report.rejected == {
        "no time": 1,
        "time before not_before": 2,
        "time more than a day after arrival": 1,
        "time not understood": 3,
    }


def test_time_after_its_arrival(shop: Shop) -> None:
    shop.source = a_source(received="got", files="landing/*.jsonl")
    got = [None, "nonsense", "2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", "1970-01-01"]
    times = ["2090-01-01", "2090-01-01", "2024-01-02T00:00:00Z", "2024-01-02T00:00:01Z", "2024-01-05"]
    shop.put("landing/a.jsonl", [event(n, t, got=g) for n, (g, t) in enumerate(zip(got, times, strict=True))])
    shop.load()
    assert shop.rows("position, day") == [
        (3, date(2024, 1, 1)),
        (5, date(2024, 1, 5)),
        (1, date(2090, 1, 1)),
        (2, date(2090, 1, 1)),
    ]
    assert shop.rejects() == [(4, "time more than a day after arrival")]


def test_values_of_other_types(shop: Shop) -> None:
    shop.put(
        f"{DAY}/a.jsonl", [event(1, user=7, event=3, id=True), event(2, user=["a"], event={"x": 1}, context="text")]
    )
    shop.load()
    assert shop.rows("id_user_id, event, event_id, id_email") == [
        ("7", "3", "true", None),
        ('["a"]', '{"x":1}', "e2", None),
    ]


def vanishing(shop: Shop, monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    listing = plan.landing_files

    def list_and_remove(*args: object) -> list[LandingFile]:
        found = listing(*args)  # type: ignore[arg-type]
        file.unlink(missing_ok=True)
        return found

    monkeypatch.setattr(plan, "landing_files", list_and_remove)


def test_file_gone_between_listing_and_reading(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    shop.put(f"{DAY}/a.jsonl", [event(1)])
    shop.put(f"{DAY}/b.jsonl", [event(2)])
    shop.load()
    file = shop.put(f"{DAY}/a.jsonl", [event(3)])
    shop.put(f"{DAY}/b.jsonl", [event(4)])
    vanishing(shop, monkeypatch, file)
    report = shop.load()
    assert report.rejected == {"file cannot be read": 1}
    assert shop.rows("id_user_id") == [("u1",), ("u4",)]
    assert shop.rejects("file, position, reason") == [(f"{DAY}/a.jsonl", None, "file cannot be read")]
    shop.put(f"{DAY}/a.jsonl", [event(5)])
    monkeypatch.undo()
    shop.load()
    assert shop.rows("id_user_id") == [("u5",), ("u4",)]
    assert shop.rejects() == []


def test_file_that_changes_while_it_is_read(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shop.put(f"{DAY}/a.jsonl", [event(1)])

    def grow(*_: object) -> str:
        with file.open("a") as more:
            more.write("{}\n")
        return "hash"

    with monkeypatch.context() as patch:
        patch.setattr("profiles_assets.events.read.content_hash", grow)
        assert shop.load().rejected == {"file cannot be read": 1}
    assert shop.rows() == []
    assert shop.load().loaded == 1


def test_garbage_of_every_kind(shop: Shop) -> None:
    noise = random.Random(7)
    for number in range(20):
        shop.put(f"{DAY}/{number}.jsonl", noise.randbytes(3000))
        shop.put(f"{DAY}/{number}.jsonl.gz", b"\x1f\x8b" + noise.randbytes(3000))
    assert shop.load().loaded == 0
    for format_ in ("csv", "parquet"):
        shop.source = a_source(format=format_)
        shop.load()


def test_strange_records(shop: Shop) -> None:
    shop.source = a_source(identify_traits="traits")
    time = '"time": "2024-01-01"'
    shop.put(
        f"{DAY}/a.jsonl",
        [
            f'{{{time}, "x": {"[" * 100_000}{"]" * 100_000}}}',
            f'{{{time}, "user": 1{"0" * 1000}}}',
            f'{{{time}, "user": "\\ud800"}}',
            f'{{{time}, "traits": "{{\\"a\\": 1}}"}}',
            f'{{{time}, "traits": [1]}}',
            f'{{{time}, "user": "u1", "user": "u2"}}',
        ],
    )
    assert shop.load().rejected == {"not valid JSON": 1}
    assert shop.rows("length(id_user_id), identify_traits") == [
        (None, None),
        (1001, None),
        (None, '{"a": 1}'),
        (None, None),
        (2, None),
    ]


def test_strange_file_names(shop: Shop) -> None:
    names = [b"\xff.jsonl", b"'\"\n;.jsonl", "ü.jsonl".encode()]
    files = [shop.put(f"{DAY}/{os.fsdecode(name)}", [event(n)]) for n, name in enumerate(names)]
    assert shop.load().loaded == 3
    for file in files:
        os.utime(file, (1, 1))
    assert shop.load().days == ()
    for file in files:
        file.unlink()
    assert len(shop.load(allow_shrink=True).days) == 1
