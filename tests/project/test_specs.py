"""Specs: defaults that depend on other keys, and the small languages inside values."""

import pytest
from pydantic import ValidationError

from profiles_assets.project.base import parse_days
from profiles_assets.project.conditions import Comparison
from profiles_assets.project.entities import Entity
from profiles_assets.project.predictions import Target, parse_target
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait
from profiles_assets.project.value_types import Kind, clash, fits


@pytest.mark.parametrize(("text", "days"), [("30 days", 30), ("1 day", 1), ("12 weeks", 84), (" 2w ", 14), ("7d", 7)])
def test_durations(text: str, days: int) -> None:
    assert parse_days(text) == days


@pytest.mark.parametrize("text", ["0 days", "-1 days", "2 hours", "30", "days", "200 years", "99999 days", 30, None])
def test_no_durations(text: object) -> None:
    with pytest.raises(ValueError, match=r"is not a duration|is longer than"):
        parse_days(text)


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("no order", Target(goal="none", event="order")),
        ("order", Target(goal="any", event="order")),
        ("count order", Target(goal="count", event="order")),
        ("sum order.total", Target(goal="sum", event="order", property="total")),
        ("no Order Completed", Target(goal="none", event="Order Completed")),
        ({"plan": "premium"}, Target(goal="becomes", met={"plan": "premium"})),
    ],
)
def test_targets(text: object, target: Target) -> None:
    assert parse_target(text) == target
    assert parse_target(target) is target


@pytest.mark.parametrize("text", ["", "no", "sum order", "no order.total", "count order.total", 5, {}, ["a"]])
def test_no_targets(text: object) -> None:
    with pytest.raises(ValueError, match="is not a target"):
        parse_target(text)


def test_a_comparison_in_words_has_a_likely_form() -> None:
    with pytest.raises(ValueError, match=r'did you mean \{lifetime_value: ">= 500"\}'):
        parse_target("lifetime_value >=500")


def _entity(guards: str = "default") -> Entity:
    ids = {"user_id": {}, "email": {"max_per_profile": 5}, "device_id": {}, "cookie": {"max_linked": {"email": 1}}}
    return Entity.model_validate({"ids": ids, "guards": guards})


def test_guards_by_default() -> None:
    entity = _entity()
    assert [entity.max_per_profile(i) for i in entity.ids] == [1, 5, None, None]
    assert [entity.max_bridged(i) for i in entity.ids] == [None, None, 1, 1]
    assert [entity.max_linked(i) for i in entity.ids] == [{}, {}, {}, {"email": 1}]
    assert [entity.is_weak(i) for i in entity.ids] == [False, False, True, True]


def test_guards_can_be_switched_off() -> None:
    entity = _entity("none")
    assert [entity.max_per_profile(i) for i in entity.ids] == [None] * 4
    assert [entity.max_bridged(i) for i in entity.ids] == [None] * 4
    assert [entity.max_linked(i) for i in entity.ids] == [{}] * 4


@pytest.mark.parametrize(
    ("files", "told"),
    [("a/*.csv", "csv"), ("a/{day}/*.jsonl.gz", "jsonl"), ("s3://b/{day}.parquet", "parquet"), ("a/*.ndjson", "jsonl")],
)
def test_formats_told_by_the_ending(files: str, told: str) -> None:
    source = Source(files=files, time="at", event_is="e", ids={"user_id": "id"})
    assert source.file_format == told
    assert source.by_path_day == ("{day}" in files)


def test_traits_know_what_they_read() -> None:
    trait = Trait.model_validate({"sql": "max(total)", "from": "order", "type": "float"})
    assert (trait.verb, trait.event, trait.event_property, trait.inputs) == ("sql", "order", "", ())
    trait = Trait(latest="identify.address.city")
    assert (trait.verb, trait.event, trait.event_property) == ("latest", "identify", "address.city")
    assert Trait(ratio=["a", "b"]).inputs == ("a", "b")


@pytest.mark.parametrize(
    "keys",
    [
        {"ratio": ["a", "b"], "within": "30 days"},
        {"count": "e", "from": "e"},
        {"sql": "count(*)", "type": "integer"},
        {"count": "e", "at": [1]},
    ],
)
def test_keys_that_do_not_go_together(keys: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Trait.model_validate(keys)


@pytest.mark.parametrize(
    ("comparison", "kind", "fine"),
    [
        (Comparison("f", "contains", "x"), "text", True),
        (Comparison("f", "contains", "x"), "list", True),
        (Comparison("f", "contains", "x"), "number", False),
        (Comparison("f", "matches", "x"), "list", False),
        (Comparison("f", ">", 5), "number", True),
        (Comparison("f", ">", "2025-01-31"), "time", True),
        (Comparison("f", ">", 5), "time", False),
        (Comparison("f", ">", "2025-01-31"), "number", False),
        (Comparison("f", "=", True), "boolean", True),
        (Comparison("f", "=", "yes"), "boolean", False),
        (Comparison("f", "=", True), "number", False),
        (Comparison("f", "in", (1, 2)), "number", True),
        (Comparison("f", "in", ("a", "b")), "number", False),
        (Comparison("f", "=", "a"), "list", False),
        (Comparison("f", "=", 5), "text", True),
        (Comparison("f", "is empty"), "list", True),
        (Comparison("f", ">", "x"), None, True),
    ],
)
def test_comparisons_that_can_make_sense(comparison: Comparison, kind: Kind | None, fine: bool) -> None:
    assert (clash(comparison, kind) == "") == fine


@pytest.mark.parametrize(
    ("value", "kind", "fine"),
    [
        (0, "number", True),
        (True, "number", False),
        ("a", "text", True),
        (0, "text", False),
        ("a", "list", False),
        (1, None, True),
    ],
)
def test_values_that_fit(value: object, kind: Kind | None, fine: bool) -> None:
    assert fits(value, kind) == fine
