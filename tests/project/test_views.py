from pathlib import Path

import pytest

from profiles_assets.project.check_views import view_problems
from tests.project.drafts import draft_of


def problems(root: Path, *views: str, **files: str) -> list[str]:
    text = "views:\n" + "".join(f"  {view}\n" for view in views)
    draft = draft_of(root, views__a=text, **files)
    return [str(problem) for problem in (*draft.problems, *view_problems(draft))]


def test_views_of_all_or_some_traits(tmp_path: Path) -> None:
    audiences = "audiences: {vip: {all: [{spend: 5}]}}\n"
    views = ("all_of_them: {key: email}", "some: {key: user_id, traits: [spend, vip]}")
    assert problems(tmp_path, *views, audiences__a=audiences) == []


@pytest.mark.parametrize(
    ("view", "problem"),
    [
        ("v: {key: e_mail}", 'key: "e_mail" is no id type of user; did you mean "email"?'),
        ("v: {key: telephone}", 'key: "telephone" is no id type of user; it has user_id, email or owners'),
        ("v: {key: owners}",
         'key: "owners" has the name of a column that every view has; choose another id type, or rename it'),
        ("v: {key: email, traits: [spent]}",
         'traits: "spent" is neither a trait nor a prediction of user; did you mean "spend"?'),
        ("v: {key: email, traits: [spend, city, spend]}", 'traits: "spend" is here twice; leave one of them out'),
        ("v: {key: email, traits: [owners]}",
         'traits: "owners" has the name of a column that the view has already; rename the trait, or leave it out'),
        ("v: {kee: email}", 'view "v" needs the key "key", such as key: email'),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, view: str, problem: str) -> None:
    assert f"views/a.yml:2: {problem}" in problems(tmp_path, view)


def test_a_view_with_the_name_of_the_keys_of_another(tmp_path: Path) -> None:
    assert problems(tmp_path, "v: {key: email}", "v_keys: {key: email}") == [
        'views/a.yml:3: view "v_keys" has the name of the table of keys of view "v"; rename one of them'
    ]
