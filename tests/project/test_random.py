"""Random files: loading ends with a project or with problems, never with anything else."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.project.loader import load_project
from profiles_assets.project.problems import Problem, ProjectError

SHOP = Path(__file__).parents[2] / "examples" / "shop"
FILES = ("project.yml", "sources.yml", "traits/commerce.yml", "traits/support.yml", "predictions/churn.yml")
TEXTS = {file: (SHOP / file).read_text() for file in FILES}
WORDS = re.findall(
    r"\S+",
    """
    name entities user ids email sources tracks files time event events traits predictions orders count sum bucket at
    ratio sql from type within where over predict among bands labels unless_none 30 null true > {day} .nan a.b
    order_completed order_completed.total churn_risk max(total) max_linked features include any all timezone start
    """,
)

KEYS = st.sampled_from(WORDS) | st.text(max_size=4)
LEAVES = st.sampled_from(WORDS) | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
TREES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=25
)


def _loads_or_tells(texts: dict[str, str | bytes]) -> None:
    for problem in _problems(texts):
        assert problem.file in texts
        assert 0 < problem.line <= max(1, _lines(texts[problem.file]))
        assert problem.message


def _lines(text: str | bytes) -> int:
    return len((text if isinstance(text, str) else text.decode(errors="replace")).splitlines())


def _problems(texts: dict[str, str | bytes]) -> list[Problem]:
    with tempfile.TemporaryDirectory() as folder:
        for file, text in texts.items():
            path = Path(folder) / file
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
        try:
            load_project(Path(folder))
        except ProjectError as error:
            return error.problems
        return []


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(FILES), st.text(st.characters(codec="utf-8")) | st.binary())
def test_random_text(file: str, text: str | bytes) -> None:
    _loads_or_tells({**TEXTS, file: text})


@settings(max_examples=80, deadline=None)
@given(st.sampled_from(FILES), TREES)
def test_random_values(file: str, tree: Any) -> None:
    _loads_or_tells({**TEXTS, file: json.dumps(tree)})


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(st.sampled_from(["orders", "sum", "x", "y", "churn_risk"]), TREES, max_size=4),
    st.sampled_from(FILES[1:]),
)
def test_random_items(items: dict[str, Any], file: str) -> None:
    kind = Path(file).parts[0].removesuffix(".yml")
    _loads_or_tells({**TEXTS, file: json.dumps({kind: items})})


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(FILES),
    st.integers(0, 2000),
    st.integers(0, 30),
    st.sampled_from(WORDS) | st.text(st.characters(codec="utf-8"), max_size=5),
)
def test_damaged_files(file: str, start: int, length: int, text: str) -> None:
    whole = TEXTS[file]
    at = start % len(whole)
    _loads_or_tells({**TEXTS, file: whole[:at] + text + whole[at + length :]})
