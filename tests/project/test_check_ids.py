"""Mistakes in id types: normalisers, functions, patterns and limits; each is told with its place."""

from pathlib import Path

import pytest

from profiles_assets.project.entities import Entity, IdType
from profiles_assets.project.loader import load_project
from profiles_assets.project.normalisers import OPTIONS, steps_of
from profiles_assets.project.problems import ProjectError
from profiles_assets.project.schema import file_schema

SOURCES = "sources: {orders: {files: o/*.csv, time: at, event_is: bought, ids: {x: id}}}\n"
FUNCTIONS = """
def clean(text: str) -> str | None:
    return text

def many(a, b=1, *, c=2): ...
def none(): ...
def two(a, b): ...
def named(a, *, b): ...
async def later(a): ...
"""


def problems(root: Path, declared: str, more: str = "") -> list[str]:
    """Problems of an id type `x` that is declared so, without the name of the file."""
    (root / "functions").mkdir(exist_ok=True)
    (root / "functions" / "ids.py").write_text(FUNCTIONS)
    (root / "functions" / "broken.py").write_text("def clean(")
    (root / "project.yml").write_text(f"name: p\nentities:\n  user:\n    ids:\n      x: {declared}\n{more}")
    (root / "sources.yml").write_text(SOURCES)
    try:
        load_project(root)
    except ProjectError as error:
        return [str(problem).removeprefix("project.yml:") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    "declared",
    [
        "{normalise: email}",
        "{normalise: {email: {plus_tags: drop, gmail_dots: keep}}}",
        "{normalise: {email: }}",
        "{normalise: {phone: {region: NO}}}",
        "{normalise: phone}",
        "{normalise: [functions/ids.py:clean, {url: {scheme: drop, www: drop}}, host, hash]}",
        "{normalise: functions/ids.py:many}",
        "{block_matching: '^test', only_matching: ['[0-9]+', '(?i)^x']}",
        "{max_per_profile: 3}",
        "{max_per_profile: {most: 3, per: month}}",
        "{max_per_profile: {most: 3}}",
        "{normalise: hash, block: [a@b.c]}",
    ],
)
def test_what_is_right(tmp_path: Path, declared: str) -> None:
    assert problems(tmp_path, declared) == []


NAMES = "it should be none, trim, lower, email, phone, url, host, hash or a function such as functions/ids.py:clean"
PATTERN = "is not a regular expression"
WRONG = {
    "{normalise: emial}": [f'normalise of id type "x" is "emial"; {NAMES}; did you mean "email"?'],
    "{normalise: sha256}": [f'normalise of id type "x" is "sha256"; {NAMES}; did you mean "hash"?'],
    "{normalise: 5}": [f'normalise of id type "x" is "5"; {NAMES}'],
    "{normalise: }": [f'normalise of id type "x" is empty; {NAMES}'],
    "{normalise: []}": [f'normalise of id type "x" is an empty list; {NAMES}'],
    "{normalise: {functions/ids.py:clean: {}}}": [f'normalise of id type "x" is "functions/ids.py:clean"; {NAMES}'],
    "{normalise: {email: {}, trim: {}}}": [
        (
            'normalise of id type "x" has 2 normalisers in one mapping instead of one; '
            "write several as a list, such as [trim, email]"
        )
    ],
    "{normalise: [hash, email]}": [
        'normalise of id type "x" goes on after hash, which leaves nothing to normalise; put hash at the end'
    ],
    "{normalise: {email: {plustags: drop, gmail_dots: drp}}}": [
        'normalise of id type "x" has "drp" as gmail_dots of email; it should be keep or drop; did you mean "drop"?',
        (
            'normalise of id type "x" has the unknown option "plustags" of email; email takes plus_tags or gmail_dots; '
            'did you mean "plus_tags"?'
        ),
    ],
    "{normalise: {trim: {hard: drop}}}": [
        'normalise of id type "x" has the unknown option "hard" of trim; trim takes no options'
    ],
    "{normalise: {url: drop}}": ['normalise of id type "x" has no options in url; url takes scheme or www'],
    "{normalise: {phone: {region: de}}}": [
        (
            'normalise of id type "x" has "de" as region of phone, which is no country of two capital letters; '
            'did you mean "DE"?'
        )
    ],
    "{normalise: {phone: {region: [DE]}}}": [
        (
            'normalise of id type "x" has "[\'DE\']" as region of phone, which is no country of two capital letters; '
            "write one such as DE, AT or US"
        )
    ],
    "{normalise: [functions/idz.py:clean, emial]}": [
        f'normalise of id type "x" is "emial"; {NAMES}; did you mean "email"?',
        (
            'normalise of id type "x": there is no file "functions/idz.py" in the project; '
            'did you mean "functions/ids.py"?'
        ),
    ],
    "{normalise: functions/ids.py:claen}": [
        'normalise of id type "x": "functions/ids.py" has no function "claen"; did you mean "clean"?'
    ],
    "{normalise: functions/broken.py:clean}": [
        'normalise of id type "x": "functions/broken.py" is not Python: \'(\' was never closed (<unknown>, line 1)'
    ],
    "{normalise: ../ids.py:clean}": [
        'normalise of id type "x": "../ids.py" is outside the project; put it into functions/ of the project'
    ],
    "{normalise: functions/ids.py:none}": [
        'normalise of id type "x": function "none" takes (); write def none(text: str) -> str | None'
    ],
    "{normalise: functions/ids.py:two}": [
        'normalise of id type "x": function "two" takes (a, b); write def two(text: str) -> str | None'
    ],
    "{normalise: functions/ids.py:named}": [
        'normalise of id type "x": function "named" takes (a, b); write def named(text: str) -> str | None'
    ],
    "{normalise: functions/ids.py:later}": [
        'normalise of id type "x": function "later" is async; write def later(text: str) -> str | None'
    ],
    "{block_matching: '(a', only_matching: [b, 'c(?=d)']}": [
        f'block_matching of id type "x": "(a" {PATTERN}: missing ): (a',
        (
            f'only_matching of id type "x": "c(?=d)" {PATTERN}: invalid perl operator: (?=; '
            "patterns cannot look ahead, behind or back here"
        ),
    ],
    "{block_matching: ''}": [
        'block_matching of id type "x" is ""; it should be at least 1 character, such as block_matching: ^test'
    ],
    "{only_matching: 5}": [
        'only_matching of id type "x" is 5, a number; it should be a list, such as only_matching: ^usr_'
    ],
    "{normalise: hash, only_matching: a, block_shared_mailboxes: true}": [
        f'{key} of id type "x" cannot recognise values that are hashed; '
        "put block in its place, with the values as they were before"
        for key in ("block_shared_mailboxes", "only_matching")
    ],
    "{max_per_profile: 0}": [
        'max_per_profile of id type "x" is 0, a number; it should be at least 1, such as max_per_profile: 5'
    ],
    "{max_per_profile: {most: 0, per: yeer}}": [
        'max_per_profile.most of id type "x" is 0, a number; it should be at least 1',
        'max_per_profile.per of id type "x" is "yeer"; it should be ever, week, month or year; did you mean "year"?',
    ],
    "{max_per_profile: {mots: 1, per: week}}": [
        'id type "x" needs the key "most"',
        'unknown key "mots" in id type "x"; did you mean "most"?',
    ],
}


@pytest.mark.parametrize("declared", WRONG)
def test_what_is_wrong(tmp_path: Path, declared: str) -> None:
    told = problems(tmp_path, declared)
    assert sorted(told) == sorted(f"5: {message}" for message in WRONG[declared])


def test_the_same_id_is_normalised_alike_everywhere(tmp_path: Path) -> None:
    more = "  home:\n    ids:\n      y: {}\n      x: {normalise: email}\n"
    assert problems(tmp_path, "{normalise: trim}", more) == [
        (
            '9: normalise of id type "x" is another in entity "user"; '
            "the same id is normalised alike everywhere; write both alike"
        )
    ]


def test_places_within_a_normaliser(tmp_path: Path) -> None:
    declared = "\n        normalise:\n          - email:\n              plus: drop\n          - functions/ids.py:no"
    assert [line.split(":")[0] for line in problems(tmp_path, declared)] == ["8", "9"]


def test_limits_for_a_period() -> None:
    ids = {"user_id": {}, "email": {"max_per_profile": {"most": 5, "per": "month"}}, "phone": {"max_per_profile": "2"}}
    entity = Entity.model_validate({"ids": ids})
    assert [(entity.max_per_profile(t), entity.period(t)) for t in ids] == [(1, "ever"), (5, "month"), (2, "ever")]
    without = entity.model_copy(update={"guards": "none"})
    assert [without.max_per_profile(t) for t in ids] == [None] * 3


def test_a_wrong_normaliser_is_no_step() -> None:
    with pytest.raises(ValueError, match='is "emial"; it should be none, trim'):
        steps_of("emial", {})
    assert [step.name for step in IdType(normalise=["trim", {"email": None}]).steps] == ["trim", "email"]


def test_the_schema_knows_every_normaliser_and_option() -> None:
    declared = file_schema("project")["$defs"]["IdType"]["properties"]
    one = declared["normalise"]["anyOf"][0]["anyOf"]
    assert one[0]["enum"] == list(OPTIONS)
    assert {name: list(o["properties"]) for name, o in one[2]["properties"].items()} == {
        name: list(options) for name, options in OPTIONS.items()
    }
    assert declared["max_per_profile"]["anyOf"][1]["properties"]["per"]["enum"] == ["ever", "week", "month", "year"]
    assert {"type": "string"} in declared["block_matching"]["anyOf"]
