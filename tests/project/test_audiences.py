from pathlib import Path

import pytest

from profiles_assets.project.check_audiences import audience_problems
from profiles_assets.project.check_traits import trait_problems
from tests.project.drafts import draft_of

PREDICTIONS = "predictions: {churn: {predict: no bought, over: 30 days}}\n"
FUNNELS = "funnels: {path: {steps: [bought, bought]}}\n"
VIP = "  vip: {all: [{spend: '>= 100'}]}\n"


def problems(root: Path, audience: str) -> list[str]:
    text = f"audiences:\n{VIP}  one:\n{audience}"
    draft = draft_of(root, audiences__a=text, predictions__p=PREDICTIONS, funnels__f=FUNNELS)
    return [str(problem) for problem in (*draft.problems, *audience_problems(draft))]


def test_traits_scores_funnels_and_audiences_nest(tmp_path: Path) -> None:
    audience = """\
    all: [{spend: ">= 5", city: [Ulm, Bonn]}, vip, {path_step: 2}]
    any: [{all: [{orders: 1}, {none: [{city: is empty}, vip]}]}, {churn_band: high}]
    none: [{vip: false}, {churn: "> 0.5"}]
"""
    assert problems(tmp_path, audience) == []
    draft = draft_of(tmp_path)
    assert draft.project.audiences["one"].spec.inputs == (
        "spend", "city", "vip", "path_step", "orders", "churn_band", "churn",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "all: [{spent: 5}]",
            'all: "spent" is neither a trait nor a prediction of user; did you mean "spend"?',
        ),
        ("all: [vipp]", 'all: "vipp" is neither a trait nor a prediction of user; did you mean "vip"?'),
        ("any: [{city: '> 5'}]", 'any: city is text, so "> 5" makes no sense'),
        ("any: [{any: [{orders: many}]}]", 'any: orders is a number, so "= many" makes no sense'),
        ("any: [spend]", 'any: "spend" is a number, not an audience; write what it should be, such as spend: ">= 10"'),
        ("none: [city]", 'none: "city" is text, not an audience; write what it should be, such as city: some text'),
        (
            "all: [{vip: is not empty}]",
            'all: "vip" is an audience, which people are in or not; write vip, vip: true or vip: false',
        ),
        (
            "all: [{vip: 'yes'}]",
            'all: "vip" is an audience, which people are in or not; write vip, vip: true or vip: false',
        ),
        (
            "all: [{spend: '=> 5'}]",
            'all: spend: "=> 5" has no comparison that is known; did you mean ">= 5"?',
        ),
        (
            "all: [{any: vip}]",
            'all: any takes a list of conditions, such as any: [{category: shoes}, {total: ">= 150"}]',
        ),
        ("all: [5]", "all.0 of audience \"one\" is 5, a number; it should be a mapping of keys and values"),
        ("title: x", 'audience "one": an audience needs all, any or none, such as all: [{spend_90d: ">= 200"}]'),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, line: str, problem: str) -> None:
    found = problems(tmp_path, f"    {line}\n")
    assert [text.split(": ", 1)[1] for text in found] == [problem]
    assert found[0].split(":")[:2] in (["audiences/a.yml", "3"], ["audiences/a.yml", "4"])


def test_every_mistake_has_its_own_line(tmp_path: Path) -> None:
    audience = """\
    all:
      - spend: ">= 5"
        citi: Ulm
      - any:
          - orders: lots
          - none: [{spend: "> big"}]
"""
    assert [text.split(" ")[0] for text in problems(tmp_path, audience)] == ["audiences/a.yml:6:", "audiences/a.yml:9:"]


def test_the_history_has_a_name_of_its_own(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, audiences__a="audiences:\n  log: {all: [{spend: 5}]}\n")
    assert [str(p) for p in audience_problems(draft)] == [
        'audiences/a.yml:2: "log" is the table with the history of all audiences; choose another name'
    ]


def test_circles_are_told_once(tmp_path: Path) -> None:
    draft = draft_of(tmp_path, audiences__a="audiences:\n  a: {none: [b]}\n  b: {any: [{all: [a]}]}\n")
    found = [str(p) for p in (*draft.problems, *trait_problems(draft), *audience_problems(draft))]
    assert len(found) == 1
    assert "in a circle: a → b → a" in found[0]


def test_audiences_of_another_entity_are_no_columns_of_this_one(tmp_path: Path) -> None:
    other = "entity: shop\naudiences:\n  big: {all: [vip]}\n"
    draft = draft_of(tmp_path, audiences__a=f"audiences:\n{VIP}", audiences__b=other)
    assert [str(p) for p in audience_problems(draft)] == [
        'audiences/b.yml:3: all: "vip" is neither a trait nor a prediction of shop; it is a trait of user'
    ]
