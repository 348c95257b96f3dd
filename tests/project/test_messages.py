"""All messages about one thoroughly wrong project, at once and with their places."""

import re
from pathlib import Path

import pytest

from profiles_assets.project.loader import load_project
from profiles_assets.project.problems import Problem, ProjectError, did_you_mean

WRONG = Path(__file__).parent / "wrong"
GOLDEN = Path(__file__).parent / "wrong_messages.txt"


@pytest.fixture(scope="module")
def error() -> ProjectError:
    with pytest.raises(ProjectError) as caught:
        load_project(WRONG)
    return caught.value


def test_every_problem_is_reported_with_file_and_line(error: ProjectError) -> None:
    assert f"{error}\n" == GOLDEN.read_text(encoding="utf-8")


def test_problems_can_be_had_as_plain_values(error: ProjectError) -> None:
    told = {(p["file"], p["line"]): p for p in error.to_json()}
    assert told["traits/commerce.yml", 7] == {
        "file": "traits/commerce.yml",
        "line": 7,
        "message": 'unknown key "wihin" in trait "orders_30d"',
        "hint": 'did you mean "within"?',
    }


def test_messages_speak_no_python(error: ProjectError) -> None:
    assert not re.search(r"Input should|pydantic|NoneType|\bdict\b|\bNone\b|'str'|\bTrue\b|\bFalse\b", str(error))


def test_a_problem_reads_as_file_line_message_and_hint() -> None:
    assert str(Problem("a.yml", 3, "wrong", "try b")) == "a.yml:3: wrong; try b"
    assert str(Problem("a.yml", 3, "wrong")) == "a.yml:3: wrong"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("orders_30", 'did you mean "orders_30d"?'),
        ("Orders_30D", 'did you mean "orders_30d"?'),
        ("wihtin", 'did you mean "within"?'),
        ("spend", ""),
        ("", ""),
        ("orders_30d", ""),
    ],
)
def test_did_you_mean(name: str, hint: str) -> None:
    assert did_you_mean(name, ["within", "where", "orders_30d", "orders_90d"]) == hint


def test_did_you_mean_among_many_names_is_quick() -> None:
    names = [f"trait_{i}_{'abcdefgh'[i % 8]}" for i in range(5000)]
    assert did_you_mean("trait_4711x_h", names) == 'did you mean "trait_4711_h"?'
