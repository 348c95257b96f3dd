"""Reuse in trait files: variants and defaults."""

from collections.abc import Callable
from pathlib import Path

import pytest

from profiles_assets.project.loader import load_project
from profiles_assets.project.problems import ProjectError
from profiles_assets.project.project import Project
from profiles_assets.project.traits import Trait

PROJECT = "name: t\nentities: {user: {ids: {user_id: {}}}}\n"
SOURCES = "sources: {s: {files: 'l/*.jsonl', time: t, event: e, events: [buy, look], ids: {user_id: u}}}\n"
Load = Callable[[str], Project]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    (tmp_path / "project.yml").write_text(PROJECT)
    (tmp_path / "sources.yml").write_text(SOURCES)
    (tmp_path / "traits").mkdir()

    def run(text: str) -> Project:
        (tmp_path / "traits" / "a.yml").write_text(text)
        return load_project(tmp_path)

    return run


def traits(project: Project) -> dict[str, Trait]:
    return project.traits_of("user")


def test_one_declaration_makes_a_trait_per_window(load: Load) -> None:
    text = "traits: {orders: {count: buy, title: Orders, variants: {within: [7 days, 12 weeks]}}}"
    found = traits(load(text))
    assert {name: trait.within for name, trait in found.items()} == {"orders_7d": 7, "orders_12w": 84}
    assert found["orders_7d"].title == "Orders, last 7 days"


def test_variants_of_several_keys_make_every_combination(load: Load) -> None:
    where = "where: {big: {total: '> 9'}, small: {total: '<= 9'}}"
    found = traits(load(f"traits: {{n: {{count: buy, variants: {{within: [1 day, 2 days], {where}}}}}}}"))
    assert list(found) == ["n_1d_big", "n_1d_small", "n_2d_big", "n_2d_small"]
    assert found["n_2d_small"].where == {"total": "<= 9"}


def test_traits_can_be_made_from_variants(load: Load) -> None:
    text = "traits:\n  n: {count: buy, variants: {within: [7 days, 30 days]}}\n  share: {ratio: [n_7d, n_30d]}"
    assert traits(load(text))["share"].inputs == ("n_7d", "n_30d")


def test_defaults_hold_for_every_trait_that_says_nothing_else(load: Load) -> None:
    found = traits(
        load(
            "defaults: {within: 90 days, unit: EUR, unless_none: 0}\n"
            "traits:\n  a: {sum: buy.total}\n  b: {sum: buy.total, within: 7 days}\n  c: {ratio: [a, b]}\n"
        )
    )
    assert (found["a"].within, found["a"].unit, found["a"].unless_none) == (90, "EUR", 0)
    assert (found["b"].within, found["c"].unit) == (7, "")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("traits:\n  a: {count: buy, variants: {within: [7 parsecs]}}", 'a.yml:2: trait "a": "7 parsecs" is not a'),
        ("traits:\n  a: {count: buy, variants: [7 days]}", 'a.yml:2: trait "a": variants is a mapping, such as'),
        ("traits:\n  a: {count: buy, variants: {within: 7 days}}", "variants of within are written within: [7 days,"),
        ("traits:\n  a: {count: buy, variants: {where: {Big One: {t: 1}}}}", '"Big One" cannot end a name'),
        (
            "traits:\n  a_7d: {count: look}\n  a: {count: buy, variants: {within: [7 days]}}",
            'a.yml:3: the variants of "a" make the trait "a_7d", which is here already',
        ),
        ("defaults: {withn: 7 days}\ntraits: {a: {count: buy}}", 'a.yml:1: "withn" cannot be a default; did you mean'),
        ("defaults: [7]\ntraits: {a: {count: buy}}", "defaults is a mapping"),
        ("traits:\n  a:\n    count: buy\n    variants: {within: [7 days]}\n    were: 1", 'a.yml:5: unknown key "were"'),
    ],
)
def test_mistakes_are_told_with_their_line(load: Load, text: str, problem: str) -> None:
    with pytest.raises(ProjectError) as error:
        load(text)
    assert problem in str(error.value)
