"""Presets: a small file as each tool writes it, declared with nothing but its preset, and loaded."""

import csv
import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from profiles_assets.events.load import load_events
from profiles_assets.project.loader import load_project
from profiles_assets.project.presets import PRESETS, Preset, with_preset
from profiles_assets.project.problems import ProjectError
from profiles_assets.project.sources import Source
from resources.lake import Lake
from tests.events.shop import OpenLake

PROJECT = "name: p\nentities: {user: {ids: {user_id: {}, email: {normalise: email}, anonymous_id: {}}}}\n"
TRAITS = "traits: {spend: {sum: bought.total}, code: {latest: bought.coupon}, region: {latest: bought.geo.region}}\n"
AT, GOT = datetime(2024, 3, 1, 10, 0, 0, 250000), datetime(2024, 3, 1, 10, 0, 2)
NUMBERS = count()
Load = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    lake = OpenLake(root=str(tmp_path_factory.mktemp("presets") / "lake"), threads=1)
    yield lake
    lake.close()


@pytest.fixture
def load(tmp_path: Path, lake: Lake) -> Load:
    """Load one file; returns the columns asked for of its rows."""
    name = f"source_{next(NUMBERS)}"

    def run(preset: str, file: str, content: bytes, columns: str, more: str = "") -> list[tuple[Any, ...]]:
        (tmp_path / "project.yml").write_text(PROJECT)
        if "p_total" in columns:
            (tmp_path / "traits").mkdir()
            (tmp_path / "traits" / "t.yml").write_text(TRAITS)
        (tmp_path / "sources.yml").write_text(f"sources: {{{name}: {{preset: {preset}, files: '{file}'{more}}}}}\n")
        (tmp_path / file).write_bytes(content)
        report = load_events(lake, load_project(tmp_path), name)
        assert report.rejected == {}
        with lake.get_connection() as con:
            return con.execute(f"SELECT {columns} FROM raw_events.{name} ORDER BY position").fetchall()

    return run


def jsonl(*records: dict[str, Any]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def table(*records: dict[str, Any], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def parquet(*records: dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(list(records)), buffer)
    return buffer.getvalue()


def test_there_is_a_layout_for_every_preset() -> None:
    assert PRESETS.keys() == set(get_args(Preset))
    for preset in PRESETS:
        Source.model_validate({"preset": preset, "files": "a/*.jsonl"})


CALL = {
    "anonymousId": "a-1",
    "channel": "web",
    "context": {"library": {"name": "js"}, "traits": {"email": "Ann@Example.com ", "plan": "pro"}},
    "event": "bought",
    "messageId": "m-1",
    "originalTimestamp": "2024-03-01T09:59:58.000Z",
    "properties": {"total": 12.5, "coupon": "0042"},
    "receivedAt": "2024-03-01T10:00:02.000Z",
    "sentAt": "2024-03-01T09:59:59.000Z",
    "timestamp": "2024-03-01T10:00:00.250Z",
    "type": "track",
    "userId": "u-1",
}
PAGE = {k: v for k, v in CALL.items() if k not in ("event", "userId")} | {"type": "page", "messageId": "m-2"}
MAIN = "time, received, event, event_id, id_user_id, id_anonymous_id, id_email, p_total, p_coupon"
BOUGHT = (AT, GOT, "bought", "m-1", "u-1", "a-1", "ann@example.com", 12.5, "0042")


@pytest.mark.parametrize("preset", ["segment", "rudderstack", "jitsu"])
def test_calls_as_json(load: Load, preset: str) -> None:
    columns = f"{MAIN}, identify_traits->>'plan'"
    first, second = load(preset, "calls.jsonl", jsonl(CALL, PAGE), columns)
    assert first == (*BOUGHT, "pro")
    assert second[2:6] == ("page", "m-2", None, "a-1")


WAREHOUSE = {
    "id": "m-1",
    "anonymous_id": "a-1",
    "context_traits_email": "Ann@Example.com",
    "event": "bought",
    "event_text": "Bought",
    "original_timestamp": "2024-03-01 09:59:58.000 +0000",
    "received_at": "2024-03-01 10:00:02 UTC",
    "sent_at": "2024-03-01 09:59:59.000 Z",
    "timestamp": "2024-03-01 02:00:00.250 -0800",
    "user_id": "u-1",
    "total": "12.5",
    "coupon": "SPRING",
}


@pytest.mark.parametrize("preset", ["segment", "rudderstack"])
def test_tables_of_a_warehouse(load: Load, preset: str) -> None:
    assert load(preset, "tracks.csv", table(WAREHOUSE), MAIN) == [(*BOUGHT[:-1], "SPRING")]


def test_a_table_of_one_kind_of_call(load: Load) -> None:
    identify = {k: v for k, v in WAREHOUSE.items() if k not in ("event", "event_text")} | {"email": "bob@example.com"}
    columns = "event, id_user_id, id_email"
    found = load("segment", "identifies.csv", table(identify), columns, ", event_is: identify, ids: {email: email}")
    assert found == [("identify", "u-1", "bob@example.com")]


def test_the_table_of_users_as_records(load: Load) -> None:
    users = [
        {"id": "u-1", "email": e, "received_at": f"2024-03-0{d} 10:00:00 UTC"} for e, d in (("a@x.y", 1), ("b@x.y", 2))
    ]
    more = ", kind: records, key: id, ids: {user_id: id, email: email}"
    name_and_end = "event, event_id, id_email, superseded::VARCHAR"
    found = load("segment", "users.csv", table(*users), name_and_end, more)
    assert [row[1:] for row in found] == [(None, "a@x.y", "2024-03-02"), (None, "b@x.y", None)]
    assert found[0][0].startswith("source_")


def test_jitsu_single_table(load: Load) -> None:
    row = {
        "message_id": "m-1",
        "timestamp": "2024-03-01T10:00:00.250Z",
        "received_at": "2024-03-01T10:00:02.000Z",
        "type": "track",
        "event": "bought",
        "user_id": "u-1",
        "anonymous_id": "a-1",
        "context_traits_email": "ann@example.com",
        "total": 12.5,
        "coupon": "0042",
    }
    assert load("jitsu", "events.parquet", parquet(row), MAIN) == [BOUGHT]


def test_jitsu_classic(load: Load) -> None:
    row = {
        "eventn_ctx_event_id": "m-1",
        "_timestamp": "2024-03-01T10:00:00.250000Z",
        "event_type": "bought",
        "user_id": "u-1",
        "user_anonymous_id": "a-1",
        "user_email": "ann@example.com",
        "total": 12.5,
        "coupon": "SPRING",
    }
    assert load("jitsu", "events.csv", table(row), MAIN) == [(AT, None, *BOUGHT[2:-1], "SPRING")]


def test_snowplow(load: Load) -> None:
    row = {
        "app_id": "shop",
        "platform": "web",
        "etl_tstamp": "2024-03-01 10:00:05.000",
        "collector_tstamp": "2024-03-01 10:00:02.000",
        "dvce_created_tstamp": "2024-03-01 09:59:58.000",
        "event": "unstruct",
        "event_id": "m-1",
        "user_id": "u-1",
        "domain_userid": "a-1",
        "network_userid": "n-1",
        "derived_tstamp": "2024-03-01 10:00:00.250",
        "event_name": "bought",
        "total": "12.5",
        "coupon": "SPRING",
    }
    found = load("snowplow", "atomic.tsv", table(row, delimiter="\t"), MAIN, ", ids: {email: mail}")
    assert found == [(*BOUGHT[:6], None, 12.5, "SPRING")]


def param(key: str, **value: Any) -> dict[str, Any]:
    kinds = {"string_value": None, "int_value": None, "float_value": None, "double_value": None}
    return {"key": key, "value": kinds | value}


GA4 = {
    "event_date": "20240301",
    "event_timestamp": 1709287200250000,
    "event_name": "bought",
    "event_params": [
        param("page_title", string_value='the "shop"'),
        param("coupon", string_value="0042"),
        param("total", double_value=12.5),
    ],
    "user_id": "u-1",
    "user_pseudo_id": "a-1",
    "user_properties": [param("plan", string_value="pro"), param("visits", int_value=3)],
    "geo": {"country": "Germany", "region": "Berlin"},
}
# BigQuery writes 64 bit integers as text in JSON, and leaves out what is empty
GA4_JSON = GA4 | {
    "event_timestamp": "1709287200250000",
    "event_params": [
        {"key": "coupon", "value": {"string_value": "0042"}},
        {"key": "total", "value": {"int_value": "12"}},
    ],
    "user_properties": [],
}


@pytest.mark.parametrize(
    ("file", "content", "total", "traits"),
    [
        ("ga4.parquet", parquet(GA4), 12.5, '{"plan":"pro","visits":3}'),
        ("ga4.jsonl", jsonl(GA4_JSON), 12.0, "{}"),
    ],
)
def test_ga4(load: Load, file: str, content: bytes, total: float, traits: str) -> None:
    columns = 'time, event, id_user_id, id_anonymous_id, p_total, p_coupon, "p_geo.region", identify_traits'
    assert load("ga4", file, content, columns) == [(AT, "bought", "u-1", "a-1", total, "0042", "Berlin", traits)]


def test_what_a_source_says_itself_wins() -> None:
    filled = with_preset({"preset": "ga4", "time": "at", "ids": {"user_id": "me"}})
    assert (filled["time"], filled["event"]) == ("at", "event_name")
    assert filled["ids"] == {"user_id": "me", "anonymous_id": "user_pseudo_id"}
    assert "event" not in with_preset({"preset": "ga4", "event_is": "seen"})
    assert with_preset({"preset": "ga5", "time": "at"}) == {"preset": "ga5", "time": "at"}
    assert with_preset("nothing") == "nothing"


@pytest.mark.parametrize(
    ("source", "problem"),
    [
        (
            "preset: ga4, files: a/*.jsonl",
            '"s" fills in user_id or anonymous_id only; add ids to the source, with the path of account_id',
        ),
        (
            "preset: ga4, files: a/*.jsonl, ids: {acount_id: a}",
            '"s" has no id of any entity; it has acount_id; did you mean "account_id"?',
        ),
        (
            "files: a/*.csv, time: 'a|', event_is: e, ids: {account_id: a}",
            '"a|" lacks a path on one side of |, in source "s"; write one path, or several as in userId|user_id',
        ),
        (
            "files: a/*.csv, kind: records, key: [id, 'x||y'], ids: {account_id: a}",
            '"x||y" lacks a path on one side of |, in source "s"; write one path, or several as in userId|user_id',
        ),
        (
            "files: a/*.csv, time: t, event_is: e, properties: 'a|b', ids: {account_id: a}",
            'properties of source "s" can only be at one path, not at "a|b"',
        ),
        (
            "files: a/*.csv, kind: records, key: [id, id], ids: {account_id: a}",
            'the key of source "s" has "id" twice',
        ),
        (
            "files: a/*.csv, kind: records, key: id, event_id: id, ids: {account_id: a}",
            "so a newer version would be dropped as a repeat; leave event_id out; the key tells records apart",
        ),
    ],
)
def test_mistakes(tmp_path: Path, source: str, problem: str) -> None:
    (tmp_path / "project.yml").write_text("name: p\nentities: {account: {ids: {account_id: {}}}}\n")
    (tmp_path / "sources.yml").write_text(f"sources:\n  s: {{{source}}}\n")
    with pytest.raises(ProjectError) as caught:
        load_project(tmp_path)
    (found,) = str(caught.value).splitlines()
    assert found.startswith("sources.yml:2: ")
    assert found.endswith(problem)
