"""Normalisers on odd texts: against plain Python, twice as good as once, and phones against the library."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.events.ids import normalised_sql
from profiles_assets.events.normalisers import register_normalisers
from profiles_assets.project.entities import Entity, IdType
from profiles_assets.project.problems import ProjectError
from profiles_assets.project.project import Project
from tests.oracles import normalised as oracle

PIECES = [
    *("\0", " ", "\t", "\v", "\u00a0", "\u200b", "\ufeff", "a", "B", "ä", "日", "🙂", "\x7f", "\n"),
    *("@", "+", ".", "..", "/", "//", ":", "?", "&", "=", "#", "%20", "[", "]", "::1", "80", "443", "-1"),
    *(
        "http",
        "HTTPS",
        "://",
        "www.",
        "WWW.",
        "x.de",
        "mailto:",
        "gmail.com",
        "Googlemail.com",
        "utm_a",
        "gclid",
        "GCLID",
    ),
    *("f" * 64, "null"),
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=9).map("".join)
URLS = st.tuples(
    st.sampled_from(["http://", "HTTPS://u:p@", "", "//"]), st.sampled_from(["www.X.de", "a.b.", "[::1]"]), TEXTS
)
DIGITS = st.text("0123456789 ()-/+", max_size=16)

Oracle = Callable[[str], str]
CASES: list[tuple[Any, Oracle]] = [
    ("none", lambda t: t.replace("\0", "")),
    ("trim", oracle.trim),
    ("lower", lambda t: oracle.trim(t).lower()),
    ("email", oracle.email),
    ({"email": {"plus_tags": "drop"}}, lambda t: oracle.email(t, plus=True)),
    ({"email": {"plus_tags": "drop", "gmail_dots": "drop"}}, lambda t: oracle.email(t, plus=True, dots=True)),
    ("hash", oracle.hashed),
    ("host", oracle.host),
    ("url", oracle.url),
    ({"url": {"scheme": "drop"}}, lambda t: oracle.url(t, scheme=True)),
    ({"url": {"www": "drop"}}, lambda t: oracle.url(t, www=True)),
    ({"url": {"scheme": "drop", "www": "drop"}}, lambda t: oracle.url(t, scheme=True, www=True)),
    (["url", "host", "hash"], lambda t: oracle.hashed(oracle.host(oracle.url(t)))),
    (["none", {"email": {"plus_tags": "drop"}}, "hash"], lambda t: oracle.hashed(oracle.email(t, plus=True))),
]
PHONES = [("phone", ""), ({"phone": {"region": "DE"}}, "DE"), ({"phone": {"region": "US"}}, "US")]
CON = duckdb.connect(config={"threads": 1})


def project_of(*normalise: Any, root: Path = Path()) -> Project:
    ids = {f"id_{number}": IdType(normalise=one) for number, one in enumerate(normalise)}
    return Project(root, "test", {"user": Entity(ids=ids)}, {})


def values(
    texts: list[str | None], project: Project, con: duckdb.DuckDBPyConnection = CON
) -> list[tuple[str | None, ...]]:
    """The texts by every normaliser of a project."""
    register_normalisers(con, project)
    columns = [normalised_sql(spec, "text") for spec in project.entities["user"].ids.values()]
    rows = "(SELECT unnest(?::VARCHAR[]) AS text, generate_subscripts(?::VARCHAR[], 1) AS n)"
    return con.execute(f"SELECT {', '.join(columns)} FROM {rows} ORDER BY n", [texts, texts]).fetchall()


DECLARED = project_of(*(normalise for normalise, _ in CASES))
DECLARED_PHONES = project_of(*(normalise for normalise, _ in PHONES))


def check_texts(texts: list[str]) -> None:
    """Each text gives what the oracle says, and that gives itself."""
    once = values([*texts], DECLARED)
    for text, found in zip(texts, once, strict=True):
        for (normalise, expected), value in zip(CASES, found, strict=True):
            assert value == (expected(text) or None), (normalise, text)
    for at, spec in enumerate(DECLARED.entities["user"].ids.values()):
        mine = [value for value in {row[at] for row in once} if value is not None]
        again = CON.execute(
            f"SELECT text, {normalised_sql(spec, 'text')} FROM (SELECT unnest(?::VARCHAR[]) AS text)", [mine]
        )
        assert all(value == text for text, value in again.fetchall()), spec.normalise


def check_phones(texts: list[str]) -> None:
    """Phones are what the library says, and give themselves."""
    found = values([*texts], DECLARED_PHONES)
    for text, row in zip(texts, found, strict=True):
        for (_, region), value in zip(PHONES, row, strict=True):
            assert value == e164(text, region or None)
            assert value is None or e164(value, None) == value


def e164(text: str, region: str | None) -> str | None:
    try:
        number = phonenumbers.parse(oracle.trim(text), region)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_valid_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


MANY = st.lists(TEXTS | URLS.map("".join), min_size=1, max_size=60)
NUMBERS = st.lists(DIGITS | TEXTS | DIGITS.map("+49 30 {}".format) | DIGITS.map("(212) 555{}".format), max_size=40)


@settings(deadline=None, max_examples=15)
@given(MANY)
def test_texts(texts: list[str]) -> None:
    check_texts(texts)


@settings(deadline=None, max_examples=15)
@given(NUMBERS)
def test_phones(texts: list[str]) -> None:
    check_phones(texts)


@pytest.mark.long
@settings(deadline=None, max_examples=2000)
@given(MANY, NUMBERS)
def test_texts_at_length(texts: list[str], numbers: list[str]) -> None:
    check_texts(texts)
    check_phones(numbers)


@pytest.mark.parametrize(
    ("normalise", "text", "value"),
    [
        ({"email": {"plus_tags": "drop", "gmail_dots": "drop"}}, " Anna.B+shop@GoogleMail.com", "annab@gmail.com"),
        ({"email": {"gmail_dots": "drop"}}, "anna.b@web.de", "anna.b@web.de"),
        ("url", "HTTPS://Anna:pw@WWW.Shop.de:443/A/b/?utm_source=x&n=1&gclid=2#top", "https://www.shop.de/A/b?n=1"),
        ({"url": {"scheme": "drop", "www": "drop"}}, "http://www.Shop.de:8080/", "shop.de:8080"),
        ("url", "http://a b/c", "http://a b/c"),
        ("host", "https://www.Shop.de/a?b", "shop.de"),
        ("host", "anna@Shop.de", "shop.de"),
        ("host", "no host", None),
        ("hash", "Anna@web.de ", "924c4801fc74cf5d140328825156eecfa9e02123f5d883964afa78bc4cbc482f"),
        ({"phone": {"region": "DE"}}, " 030 1234567", "+49301234567"),
        ({"phone": {"region": "DE"}}, "0049 (30) 123-4567", "+49301234567"),
        ("phone", "030 1234567", None),
        ({"phone": {"region": "DE"}}, "12", None),
        ([{"phone": {"region": "DE"}}, "hash"], "030 1234567", oracle.hashed("+49301234567")),
        ("trim", None, None),
        ({"phone": {"region": "DE"}}, None, None),
    ],
)
def test_examples(normalise: Any, text: str | None, value: str | None) -> None:
    assert values([text], project_of(normalise)) == [(value,)]


CLEAN = """
CALLS = []

def clean(text: str) -> str | None:
    CALLS.append(text)
    if len(CALLS) != len(set(CALLS)):
        raise AssertionError("asked twice")
    return {"none": None, "number": 5, "nul": "a\\0b", "half": "\\ud800", "blank": " x "}.get(text, text[1:] or 1 / 0)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "functions").mkdir()
    (tmp_path / "functions" / "ids.py").write_text(CLEAN)
    return tmp_path


def test_a_function_of_the_project(root: Path) -> None:
    texts = ["none", "number", "nul", "half", "blank", "xY", "x", "xY", None, "blank"]
    with duckdb.connect(config={"threads": 1}) as con:
        found = values(texts, project_of("functions/ids.py:clean", root=root), con)
    assert [row[0] for row in found] == [None, None, "ab", None, "x", "Y", None, "Y", None, "x"]


def test_a_function_before_and_after_others(root: Path) -> None:
    project = project_of(["trim", "functions/ids.py:clean", "email"], ["functions/ids.py:clean", "email"], root=root)
    with duckdb.connect() as con:
        assert values([" xA@B.c"], project, con) == [("a@b.c", "xa@b.c")]


def test_changed_code_is_used_by_the_same_connection(root: Path) -> None:
    with duckdb.connect() as con:
        assert values(["abc"], project_of("functions/ids.py:clean", root=root), con) == [("bc",)]
        (root / "functions" / "ids.py").write_text("def clean(text): return text * 2")
        assert values(["abc"], project_of("functions/ids.py:clean", root=root), con) == [("abcabc",)]


def test_code_that_changed_under_a_loaded_project(root: Path) -> None:
    project = project_of("functions/ids.py:clean", root=root)
    (root / "functions" / "ids.py").write_text("def clean(text): return text")
    with duckdb.connect() as con, pytest.raises(ProjectError, match=r"functions/ids.py:1: the file changed since"):
        register_normalisers(con, project)


def test_code_that_fails(root: Path) -> None:
    (root / "functions" / "ids.py").write_text("import nowhere\ndef clean(text): return text")
    project = project_of("functions/ids.py:clean", root=root)
    with (
        duckdb.connect() as con,
        pytest.raises(ProjectError, match=r"ids.py:1: the file cannot be run: ModuleNotFound"),
    ):
        register_normalisers(con, project)
