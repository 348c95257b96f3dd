"""The pieces of the contract by themselves: results, logs, store, transformations, masks."""

import json
from datetime import date
from typing import Any

import pytest

from profiles_assets.events.masks import masked, told_by
from profiles_assets.events.transforms import Chain, ResultError, with_context
from profiles_assets.functions.context import LINES_PER_PERSON, Log, Printed, Store, days_of, fetched
from profiles_assets.functions.contract import Row, row_of


def test_traits_go_over_identify_traits_key_by_key() -> None:
    row = row_of({"traits": {"b": {"y": 1}, "a": 2}}, {"a": 1, "b": {"x": 1}, "c": 3})
    assert row == Row('{"a":2,"b":{"y":1},"c":3}')
    assert row_of({}, {"a": 1}) == Row('{"a":1}')
    assert row_of(None, {"a": 1}) is None


@pytest.mark.parametrize("key", ["profile_id", "profileId"])
def test_keys_may_be_written_in_both_ways(key: str) -> None:
    assert row_of({key: "x", "tableName": "t", "destinationId": "d"}, {}) == Row("{}", "x", "t", "d")


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({1, 2}, "returned a set"),
        ([], "returned a list"),
        ("drop", "returned a str"),
        ({"traits": None}, "traits is a NoneType"),
        ({"traits": {}, "profile_id": 7}, "profile_id is a int"),
        ({"traits": {}, "profile_id": ""}, "profile_id is an empty text"),
        ({"traits": {}, "table": "a; DROP"}, "table is no name"),
        ({"traits": {1: 2}}, "cannot be written as JSON"),
        ({"traits": {"n": 2**70}}, "cannot be written as JSON"),
    ],
)
def test_what_is_no_row_is_refused(result: Any, words: str) -> None:
    with pytest.raises(ResultError, match=words):
        row_of(result, {})


def test_text_of_a_row_does_not_depend_on_the_order_of_keys() -> None:
    assert row_of({"traits": {"b": 1, "a": float("inf")}}, {}) == row_of({"traits": {"a": float("nan"), "b": 1}}, {})


def test_a_store_gives_what_was_set_and_ends_with_a_day() -> None:
    store = Store({"kept": [1], "old": 2}, date(2025, 1, 31))
    assert (store.get("kept"), store.get("none"), store.get("none", 3)) == ([1], None, 3)
    store.set("short", {"a": 1}, ttl=60)
    store.set("long", 1, ttl="2 weeks")
    store.delete("old")
    assert (store.get("short"), store.get("old", "gone")) == ({"a": 1}, "gone")
    assert store.changes == [
        ("long", "1", "2025-02-14"),
        ("old", None, None),
        ("short", '{"a":1}', "2025-02-01"),
    ]
    with pytest.raises(TypeError, match="a text"):
        store.set(1, 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(("ttl", "days"), [(1, 1), (86_400, 1), (86_401, 2), ("3 days", 3)])
def test_ttls_are_whole_days(ttl: float | str, days: int) -> None:
    assert days_of(ttl) == days


def test_a_log_keeps_so_many_lines_and_counts_the_others() -> None:
    log = Log()
    print("a\nb", end="", file=Printed(lambda: log))
    for number in range(LINES_PER_PERSON + 3):
        log.warn(f"line {number}")
    assert log.lines[:2] == [("info", "a"), ("warn", "line 0")]
    assert (len(log.lines), log.dropped) == (LINES_PER_PERSON, 4)


def test_only_web_addresses_are_fetched() -> None:
    with pytest.raises(ValueError, match="http or https"):
        fetched("file:///etc/hostname", "GET", {}, None)


def test_masks_take_values_words_and_addresses() -> None:
    told = told_by({"mail": "A@b.org", "deep": [{"city": "Berlin"}], "event": "viewed", "n": 12345, "yes": True})
    assert told == {"A@b.org", "Berlin", "12345"}
    text = "viewed by u7 (x.y@z.org) in Berlin, order 12345, u77 True"
    assert masked(text, told, ["u7"]) == "viewed by *** (***) in ***, order ***, u77 True"


def fail(_: Any) -> None:
    raise ValueError


@pytest.mark.parametrize(
    ("transforms", "events"),
    [
        ([lambda e: e | {"b": 1}, lambda e: e | {"c": e["b"]}], [{"a": 1, "b": 1, "c": 1}]),
        ([lambda e: None], []),
        ([lambda e: "drop"], []),
        ([lambda e: []], []),
        ([lambda e: [e, {"x": 1}], lambda e: e if "x" in e else None], [{"x": 1}]),
        ([lambda e: e.pop("a"), lambda e: e], [{"a": 1}]),
        ([lambda e: e.clear() or e, fail], [{"a": 1}]),
        ([lambda e: {1, 2}], [{"a": 1}]),
    ],
)
def test_chains_change_drop_and_fan_out_and_errors_keep_the_event(transforms: Any, events: Any) -> None:
    chain = Chain(transforms)
    assert chain.all([{"a": 1}]) == events
    assert chain.errors == (json.dumps(events) == '[{"a": 1}]')


def test_a_transformation_may_take_the_context() -> None:
    assert with_context(lambda event, context: context, lambda: {"c": 1})({}) == {"c": 1}
    assert with_context(lambda event: event, lambda: None)({"e": 1}) == {"e": 1}
