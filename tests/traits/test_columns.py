"""Properties that a trait needs, computed columns, and what a section reads of a source."""

import json
from typing import Any

import pytest

from profiles_assets.events.columns import cast_sql, column_inputs, used_paths
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.compile import compile_section
from tests.traits.events import lake_with, project_with
from tests.traits.test_compile import START, event, rows_of

COLUMNS: dict[str, Any] = {
    "net": {"sql": "amount - coalesce(discount.rate, 0)", "type": "number"},
    "large": {"sql": "net * 2 > 10", "type": "boolean"},
    "started": {"sql": "time", "type": "time"},
    "label": {"sql": "word", "type": "text"},
}


def used(spec: dict[str, Any]) -> dict[str, bool]:
    return used_paths(project_with({"t": spec}, columns=COLUMNS), "clicks")


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"count": "buy", "where": {"any": [{"a": 1}, {"all": [{"b": "> 5"}, {"none": [{"c": "x"}]}]}]}},
         {"a": False, "b": True, "c": False}),
        ({"count": "buy", "where": {"a": "> 2025-01-31", "b": ["1", "2"], "c": "= 5"}},
         {"a": False, "b": False, "c": False}),
        ({"sum": "buy.net"}, {"amount": True, "discount.rate": True}),
        ({"count": "buy", "where": {"large": True}}, {"amount": True, "discount.rate": True}),
        ({"first": "buy.started"}, {}),
        ({"first": "buy"}, {}),
        ({"sql": "sum(net) + max(price * quantity) + max(due - as_of)", "from": "buy", "type": "float"},
         {"amount": True, "discount.rate": True, "due": False, "price": True, "quantity": True}),
        ({"sql": "len(list_filter(list(a), lambda v: v > 1)) + len([x for x in list(b) if x > 1])", "from": "buy",
          "type": "float"}, {"a": False, "b": False}),
        ({"sql": "count(*) filter (where total > 5 and name > 'b')", "from": "buy", "type": "integer"},
         {"name": False, "total": True}),
        ({"sql": "max(lag(a) over ())", "from": "buy", "type": "float", "order_by": "rank"},
         {"a": False, "rank": False}),
    ],
)  # fmt: skip
def test_used_properties(spec: dict[str, Any], expected: dict[str, bool]) -> None:
    assert used(spec) == expected


def test_inputs_of_a_column() -> None:
    source = project_with({}, columns=COLUMNS).sources["clicks"]
    assert column_inputs(source, "large") == {"amount", "discount.rate"}
    assert column_inputs(source, "amount") == {"amount"}
    assert column_inputs(source, "time") == column_inputs(source, "started") == set()


def test_computed_columns_are_like_properties() -> None:
    traits = {
        "net": {"sum": "buy.net"},
        "large": {"count": "buy", "where": {"large": True}},
        "kinds": {"unique": "buy.large"},
        "first": {"first": "buy.started"},
        "words": {"most_frequent": "buy.label"},
        "by_sql": {"sql": "max(net) filter (where large)", "from": "buy", "type": "float"},
    }
    history = [event(0, amount=3.0, word="x"), event(1, amount=7.5, word="x"), event(2, amount=None, word="y")]
    row = rows_of(traits, history, START.replace(month=2), columns=COLUMNS)["p0"]
    assert row == {
        "profile_id": "p0", "net": 10.5, "large": 1, "kinds": [False, True], "first": history[0]["time"],
        "words": "x", "by_sql": 7.5,
    }  # fmt: skip


def test_what_a_column_cannot_compute_is_missing() -> None:
    columns = {
        "log": {"sql": "ln(amount)", "type": "number"},
        "parsed": {"sql": "word::int", "type": "integer"},
        "huge": {"sql": "amount * 1e308", "type": "number"},
    }
    traits = {n: {"unique": f"buy.{n}"} for n in columns}
    history = [event(0, amount=0.0, word="x"), event(1, amount=1.0, word="12"), event(2, amount=100.0, word=None)]
    row = rows_of(traits, history, START.replace(month=2), columns=columns)["p0"]
    assert row == {"profile_id": "p0", "log": [0.0, 4.605170185988092], "parsed": [12], "huge": [0.0, 1e308]}


@pytest.mark.parametrize(
    ("text", "value"), [("-0", "0.0"), ("-0.0", "0.0"), ("nan", None), ("inf", None), ("7", "7.0")]
)
def test_numbers_have_one_zero_and_no_infinity(text: str, value: str | None) -> None:
    con = lake_with([], 0)
    found = con.execute(f"SELECT ({cast_sql('DOUBLE', 'v', 'UTC')})::VARCHAR FROM (VALUES (?)) t(v)", [text]).fetchone()
    assert found == (value,)


@pytest.mark.parametrize(
    ("traits", "read"),
    [
        ({"a": {"count": "buy"}}, {"event"}),
        ({"a": {"sum": "buy.amount"}, "b": {"count": "look"}}, {"event", "p_amount"}),
        ({"a": {"sum": "buy.amount", "where": {"none": [{"word": "x"}]}}}, {"event", "p_amount", "p_word"}),
        ({"a": {"sum": "buy.amount"}, "b": {"unique": "look.word"}, "c": {"days_with": "buy"}},
         {"event", "p_amount", "p_word", "event_day"}),
        ({"a": {"first": "buy.time"}}, {"event", "time"}),
        ({"a": {"latest": "buy"}}, {"event", "payload", "time", "event_id", "file", "position"}),
        ({"a": {"sum": "buy.net"}}, {"event", "p_amount"}),
        ({"a": {"sql": "max(length(word))", "from": "buy", "type": "integer"}}, {"event", "p_word"}),
        ({"a": {"sql": "max(lag(amount))", "from": "buy", "type": "float", "order_by": "time"}},
         {"event", "p_amount", "time", "event_id", "file", "position"}),
    ],
)  # fmt: skip
def test_one_scan_of_the_columns_that_are_used(traits: dict[str, Any], read: set[str]) -> None:
    project, con = project_with(traits, columns=COLUMNS), lake_with([event(0)], 1)
    sql = compile_section(project, "facts", event_columns(con, project), "DATE '2025-02-01'")
    plan = json.loads(con.execute(f"EXPLAIN (FORMAT json) {sql}").fetchall()[0][1])
    tables = [found for found in scanned(plan) if found["Table"].endswith("clicks")]
    assert len(tables) == 1
    always = {"tuple_user", "duplicate", "day", "event_day", "event"}
    assert set(columns_of(tables[0])) - always == read - always


def scanned(nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    own = [node["extra_info"] for node in nodes if node["extra_info"].get("Table")]
    return own + [found for node in nodes for found in scanned(node["children"])]


def columns_of(scan: dict[str, Any]) -> list[str]:
    found = scan["Projections"]
    return [found] if isinstance(found, str) else found
