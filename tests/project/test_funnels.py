"""Funnels as people declare them, and what they are told when one makes no sense."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from profiles_assets.project.check_funnels import funnel_problems
from profiles_assets.project.funnels import Funnel, Step, funnel_columns, used_properties
from profiles_assets.project.loader import load_project, read_draft

PROJECT = "name: small\nentities: {user: {ids: {user_id: {}}}, account: {ids: {account_id: {}}}}\n"
SOURCES = """\
sources:
  web: {files: w/*.jsonl, time: at, event: name, events: [viewed, added, left], ids: {user_id: id}, types: {sku: text}}
  orders: {files: o/*.csv, time: at, event_is: bought, ids: {user_id: id}, types: {total: number, sku: integer}}
"""


def problems(folder: Path, funnels: str, **files: str) -> list[str]:
    texts = {"project.yml": PROJECT, "sources.yml": SOURCES, "funnels/f.yml": funnels}
    texts |= {f"{name.replace('__', '/')}.yml": text for name, text in files.items()}
    for name, text in texts.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    draft = read_draft(folder)
    return [str(p) for p in [*draft.problems, *funnel_problems(draft)]]


def problem(folder: Path, keys: str, name: str = "way") -> str:
    """The only problem of a funnel, each of whose keys stands on a line of its own from line 3."""
    found = problems(folder, f"funnels:\n  {name}:\n" + "".join(f"    {key}\n" for key in keys.splitlines()))
    assert len(found) == 1
    return found[0]


def test_short_and_long_forms_mean_the_same() -> None:
    short = Funnel.model_validate({"steps": ["a", "b"], "same": "x", "unless": "c", "within": "2 days"})
    long = Funnel.model_validate(
        {"steps": [{"event": "a"}, {"event": "b"}], "same": ["x"], "unless": [{"event": "c"}], "within": 172_800}
    )
    assert short == long
    assert [step.title for step in short.events] == ["a", "b", "c"]
    assert Step(event="order_completed", name="Paid").title == "Paid"


@pytest.mark.parametrize("steps", [[], ["a"], ["a"] * 21])
def test_a_funnel_has_2_to_20_steps(steps: list[str]) -> None:
    with pytest.raises(ValidationError):
        Funnel.model_validate({"steps": steps})


def test_columns_of_a_funnel() -> None:
    assert funnel_columns("way") == {"way_step": "integer", "way_completed_at": "time", "way_hours": "float"}


def test_properties_that_a_funnel_reads() -> None:
    steps = ["a", {"event": "b", "where": {"any": [{"total": "> 3"}, {"coupon": "x"}]}}]
    assert list(used_properties(Funnel.model_validate({"steps": steps, "same": "sku"}))) == [
        ("a", "sku", False),
        ("b", "sku", False),
        ("b", "total", True),
        ("b", "coupon", False),
    ]


def test_a_good_file(tmp_path: Path) -> None:
    text = """\
owner: growth
funnels:
  purchase:
    steps: [viewed, {event: added, name: In the cart}, {event: bought, where: {total: ">= 10"}}]
    within: 7 days
    unless: left
    during: 90 days
  again: {steps: [bought, bought], order: any}
"""
    assert problems(tmp_path, text) == []
    project = load_project(tmp_path)
    assert list(project.funnels_of("user")) == ["purchase", "again"]
    assert project.funnels["again"].owner == "growth"


def test_events_that_are_not_there(tmp_path: Path) -> None:
    assert problem(tmp_path, "steps: [viewed, boguht]") == (
        'funnels/f.yml:3: step 2: no source has the event "boguht"; did you mean "bought"?'
    )
    assert problem(tmp_path, "steps: [viewed, bought]\nunless: [{event: gone}]") == (
        'funnels/f.yml:4: unless: no source has the event "gone"; there are added, bought, left or viewed'
    )


def test_conditions(tmp_path: Path) -> None:
    clash = 'steps: [viewed, {event: bought, where: {total: "> 2025-01-31"}}]'
    assert problem(tmp_path, clash) == (
        'funnels/f.yml:3: step 2: where: total is a number, so "> 2025-01-31" makes no sense'
    )
    assert "step 1: where: total: " in problem(tmp_path, 'steps: [{event: bought, where: {total: "=="}}, left]')


def test_properties_to_be_the_same(tmp_path: Path) -> None:
    assert problem(tmp_path, "steps: [viewed, bought]\nsame: sku") == (
        'funnels/f.yml:4: same: "sku" is text in viewed, but a number in bought; look at types: of the sources'
    )


def test_windows_that_contradict(tmp_path: Path) -> None:
    assert problem(tmp_path, "steps: [viewed, bought]\nwithin: 8 days\nduring: 7 days") == (
        "funnels/f.yml:5: during (7 days) is shorter than within, so nobody has that long; make during longer, or "
        "within shorter"
    )


def test_exclusions_that_nobody_gets_past(tmp_path: Path) -> None:
    assert problem(tmp_path, "steps: [viewed, added, bought]\nunless: added") == (
        'funnels/f.yml:4: unless: "added" is also what takes step 2, so nobody could get past it; '
        "give it a where, or leave it out"
    )
    assert problems(tmp_path, "funnels: {way: {steps: [viewed, bought], unless: bought}}\n") == []


def test_too_many_choices_in_any_order(tmp_path: Path) -> None:
    steps = ", ".join(f"{{event: bought, where: {{total: {n}}}}}" for n in range(5))
    assert problem(tmp_path, f"steps: [{steps}]\norder: any") == (
        'funnels/f.yml:3: steps: in any order at most 4 steps can ask for the event "bought" with different '
        "conditions, not 5; use order: loose, or fewer steps"
    )
    assert problems(tmp_path, f"funnels: {{way: {{steps: [{steps}]}}}}\n") == []


def test_names_of_columns(tmp_path: Path) -> None:
    text = "funnels:\n  a_: {steps: [viewed, bought]}\n  risk: {steps: [viewed, bought]}\n"
    text += "  risk_report: {steps: [viewed, bought]}\n"
    predictions = "predictions: {risk_hours: {predict: no bought, over: 30 days}}\n"
    assert problems(tmp_path, text, predictions__p=predictions) == [
        'funnels/f.yml:2: "a__step" has two underscores in a row, which is kept for inner use; write "a_step"',
        'funnels/f.yml:3: funnel "risk" has a column "risk_hours", as prediction "risk_hours" has; rename one of them',
        'funnels/f.yml:4: funnel "risk_report" has the name of the report of funnel "risk"; rename one of them',
    ]


def test_an_entity_without_ids_in_the_source(tmp_path: Path) -> None:
    found = problems(tmp_path, "entity: account\nfunnels:\n  way: {steps: [viewed, bought]}\n")
    assert [f.partition(";")[0] for f in found] == [
        'funnels/f.yml:3: step 1: the event "viewed" comes from web, which has no id of account',
        'funnels/f.yml:3: step 2: the event "bought" comes from orders, which has no id of account',
    ]


def test_unless_needs_an_order(tmp_path: Path) -> None:
    assert "unless needs an order of steps" in problem(tmp_path, "steps: [viewed, bought]\norder: any\nunless: left")
