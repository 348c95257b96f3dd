"""Mistakes in profile functions; each is told with its place."""

from pathlib import Path

import pytest

from profiles_assets.project.functions import function_of_code
from profiles_assets.project.problems import ProjectError
from profiles_assets.project.references import reference_problems
from tests.project.drafts import draft_of

FINE = "def profile(events, user, context):\n    return None\n"
DECORATED = "from profiles_assets.functions import profile_function\n@profile_function({})\n" + FINE


def told(root: Path, **files: str) -> list[str]:
    """All problems of the small project with these files in functions/."""
    (root / "functions").mkdir(exist_ok=True)
    for name, text in files.items():
        (root / "functions" / f"{name}.py").write_text(text)
    draft = draft_of(root)
    return [str(problem) for problem in ProjectError([*draft.problems, *reference_problems(draft)]).problems]


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ("def profile(events", "f.py:1: this is not Python: '(' was never closed"),
        ("def profile(events, user):\n    pass\n", "f.py:1: profile takes (events, user); write def profile(events, "),
        ("def profile_batch(a, b, c):\n    pass\n", "f.py:1: profile_batch takes (a, b, c); write def profile_batch("),
        (FINE + "def profile_batch(t, c):\n    pass\n", "f.py:3: it has both profile and profile_batch; keep one"),
        ("import nothing_like_it\n" + FINE, 'f.py:1: it imports "nothing_like_it", which is not installed'),
        ("from . import clean\n" + FINE, "f.py:1: it imports another file; a function is published alone"),
        ("config = {'window': 3}\n" + FINE, "f.py:1: window of function: 3 days is not between 7 and 365 days"),
        ("config = {\n  'windwo': 30}\n" + FINE, 'f.py:2: unknown key "windwo" in function; did you mean "window"?'),
        ("config = {'window': days}\n" + FINE, "f.py:1: config is no dict of plain values"),
        ("config = [1]\n" + FINE, "f.py:1: config is no dict"),
        ("config = {'sources': ['ordres']}\n" + FINE, 'f.py:1: there is no source "ordres"; did you mean "orders"?'),
        ("config = {'entity': 'usr'}\n" + FINE, 'f.py:1: there is no entity "usr"; did you mean "user"?'),
        (
            "config = {\n 'known_by': [\n 'emial']}\n" + FINE,
            'f.py:3: user has no id type "emial"; did you mean "email"?',
        ),
        ("config = {'transform': ['clean']}\n" + FINE, 'f.py:1: "clean" is no function; write its file and name'),
        ("config = {'transform': ['functions/x.py:a']}\n" + FINE, 'f.py:1: there is no file "functions/x.py"'),
        ("config = {'transform': ['functions/f.py:profile']}\n" + FINE, "write def profile(event)"),
        ("config = {'name': 'spend'}\n" + FINE, 'function "spend" has the name of a column of the profile'),
        (
            "config = {'schedule': '0 3 * *'}\n" + FINE,
            'f.py:1: schedule of function: "0 3 * *" tells no times',
        ),
        ("config = {'schedule': '0 24 * * *'}\n" + FINE, '"24" is no hour, which goes from 0 to 23'),
        (DECORATED.format("windwo='30 days'"), 'f.py:2: unknown key "windwo" in function; did you mean "window"?'),
        (DECORATED.format("window=days"), "f.py:2: config is no dict of plain values"),
        (DECORATED.format("window='9 days'") + "config = {}\n", "f.py:2: it has both config and a decorator; keep one"),
        ("config = {'name': 'select'}\n" + FINE, '"select" is a word of SQL'),
    ],
)
def test_a_wrong_function_is_refused_with_its_line(tmp_path: Path, code: str, problem: str) -> None:
    found = told(tmp_path, f=code)
    assert any(problem in text for text in found), found


def test_right_ones_and_other_files_are_no_problem(tmp_path: Path) -> None:
    clean = "def clean(event, context=None):\n    return event\n"
    config = "config = {'window': '90 days', 'transform': ['functions/clean.py:clean'], 'env': {'A': '$B'}}\n"
    assert told(tmp_path, f=config + FINE, clean=clean) == []
    function = draft_of(tmp_path).project.functions["f"]
    assert (function.config.window, function.files, function.batch) == (90, {"functions/clean.py": clean}, False)
    again = function_of_code(function.file, function.code, "user", function.files)
    assert (again.hash, again.name, again.table) == (function.hash, "f", "f")


def test_names_are_names_and_told_once(tmp_path: Path) -> None:
    found = told(tmp_path, Bad=FINE, f=FINE, g="config = {'name': 'f'}\n" + FINE)
    assert any('the file name "Bad" becomes the name of a function' in text for text in found)
    assert any('function "f" is declared already, in functions/f.py' in text for text in found)
