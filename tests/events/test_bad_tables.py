"""CSV and Parquet files that are damaged: every record ends as a row or as a reject."""

from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.events.shop import Shop, a_source

DAY, NEXT = "landing/2024-01-01", "landing/2024-01-02"


def csv_shop(shop: Shop, content: bytes) -> Shop:
    shop.source = a_source(files="landing/{day}/*.csv", format=None, max_record_bytes=20_000)
    shop.put(f"{DAY}/a.csv", content)
    return shop


def test_csv_with_wrong_column_counts(shop: Shop) -> None:
    text = b"id,time,user\n1,2024-01-01,u1\n2,2024-01-01\n3,2024-01-01,u3,x\n4,2024-01-01,u4\n"
    csv_shop(shop, text).load()
    assert shop.rows("position, id_user_id") == [(1, "u1"), (4, "u4")]
    assert shop.rejects() == [(2, "wrong number of columns"), (3, "wrong number of columns")]


def test_csv_without_the_id_column(shop: Shop) -> None:
    report = csv_shop(shop, b"id,time\n1,2024-01-01\n").load()
    assert (report.loaded, report.unattributable) == (1, 1)


@pytest.mark.parametrize("quote", [b'"', b'"x"y,"'])
def test_csv_with_an_unclosed_quote(shop: Shop, quote: bytes) -> None:
    rows = [b'%d,2024-01-01,"u%d"' % (n, n) for n in range(1, 601)]
    rows[9] = b"10,2024-01-01," + quote + b"u10"
    rows[500] = b"501,2024-01-01," + quote + b"u501"
    csv_shop(shop, b"id,time,user\n" + b"\n".join(rows)).load()
    assert shop.rejects() == [(10, "unclosed or misplaced quote"), (501, "unclosed or misplaced quote")]
    assert len(shop.rows()) == 598
    assert set(shop.rows("id_user_id")) == {(f"u{n}",) for n in range(1, 601) if n not in (10, 501)}


def test_csv_with_a_doubled_header(shop: Shop) -> None:
    csv_shop(shop, b"id,time,user,USER,\n1,2024-01-01,u1,x,y\n").load()
    assert shop.rows("id_user_id, payload") == [
        ("u1", '{"id":"1","time":"2024-01-01","user":"u1","USER_2":"x","column_5":"y"}')
    ]


def test_csv_of_odd_bytes(shop: Shop) -> None:
    text = (
        b"id,time,user\n1,2024-01-01,\xff\n2,2024-01-01,a\x00b\n\n,,\n"
        b"4,2024-01-01," + b"x" * 30_000 + b"\n5,2024-01-01,u5"
    )
    csv_shop(shop, text).load()
    assert shop.rows("event_id, id_user_id") == [("2", "ab"), ("5", "u5")]
    assert shop.rejects("reason") == [
        ("not valid UTF-8",),
        ("no time",),
        ("record longer than max_record_bytes",),
    ]


def parquet_bytes(rows: int) -> bytes:
    sink = pa.BufferOutputStream()
    times = ["2024-01-01T00:00:00Z"] * rows
    ids = [str(n) for n in range(rows)]
    pq.write_table(pa.table({"id": ids, "time": times}), sink, row_group_size=1000, compression="none")
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda good: b"",
        lambda good: b"PAR1 but no more",
        lambda good: good[: len(good) // 2],
        lambda good: good[:-8] + b"\xff" * 8,
    ],
)
def test_unreadable_parquet(shop: Shop, damage: Callable[[bytes], bytes]) -> None:
    shop.source = a_source(files="landing/{day}/*.parquet", format=None)
    shop.put(f"{DAY}/a.parquet", damage(parquet_bytes(3000)))
    shop.put(f"{NEXT}/a.parquet", parquet_bytes(1))
    report = shop.load()
    assert report.rejected == {"damaged file: the rest cannot be read": 1}
    assert report.loaded == 1
