"""YAML with lines: what values mean, where they stand, and mistakes of syntax."""

from pathlib import Path

import pytest

from profiles_assets.project.yaml_lines import parse_yaml, read_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("Yes", "Yes"),
        ("true", True),
        ("False", False),
        ("null", None),
        ("", None),
        ("~", None),
        ("12", 12),
        ("-3", -3),
        ("0x1f", 31),
        ("0o17", 15),
        ("007", "007"),
        ("+49", "+49"),
        ("1_000", "1_000"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".inf", float("inf")),
        ("-.INF", float("-inf")),
        ("2025-01-31", "2025-01-31"),
        ("12:30", "12:30"),
        ("'12'", "12"),
        ("!!str 12", "12"),
        ("[a, 1]", ["a", 1]),
        ("{a: {on: 1}}", {"a": {"on": 1}}),
        ("|\n  a\n  b", "a\nb"),
    ],
)
def test_values(text: str, value: object) -> None:
    document = parse_yaml(f"key: {text}", "f.yml")
    assert document.problems == ()
    assert document.data == {"key": value}


def test_keys_are_text() -> None:
    assert parse_yaml("no: 1\n5: 2\nnull: 3\n", "f.yml").data == {"no": 1, "5": 2, "null": 3}


def test_values_may_be_named_and_used_again() -> None:
    assert parse_yaml("a: &x {b: 1}\nc: *x\n", "f.yml").data == {"a": {"b": 1}, "c": {"b": 1}}


def test_lines_of_keys_and_values() -> None:
    document = parse_yaml("a:\n  b:\n    1\n  c:\n    - x\n    - y: z\n", "f.yml")
    assert document.line("a") == 1
    assert document.line("a", "b") == 3
    assert document.line("a", "b", of_key=True) == 2
    assert document.line("a", "c", 1, "y") == 6
    assert document.line("a", "c", 7, "gone") == 4
    assert document.line("gone") == 1
    assert document.line() == 1


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "the file is empty"),
        ("# only a comment\n", 1, "the file is empty"),
        ("just words", 1, "must start with a key"),
        ("a: 1\nb: 2\na: 3\n", 3, 'the key "a" is here twice, first on line 1'),
        ("? [a]\n: 1\n", 1, "a key must be a plain word"),
        ("a: 1\n\tb: 2\n", 2, "a tab cannot indent"),
        ("a: [1, 2\nb: 3\n", 2, "is not closed"),
        ('a: 1\nb: "open\n', 2, "a quote is opened here and never closed"),
        ("a: b: c\n", 1, "a second colon"),
        ("a: *.csv\n", 1, "cannot start with *"),
        ("a: @name\n", 1, "cannot start with % @ or `"),
        ("a: > 5\n", 1, 'such as "> 5"'),
        ("a: !x\n", 1, 'starts with "!"'),
        ("a: !!int x\n", 1, '"x" cannot be read as int'),
        ("a: !!python/name:os.system\n", 1, "cannot be read as python/name:os.system"),
        ("a: 1\n---\nb: 2\n", 2, "a file holds one document"),
        ("a: 1\n  b: 2\n", 2, "a second colon"),
        ("a: 1\n b\nc\n", 3, "a key without a colon"),
        ("a: \x00", 1, "characters that are no text"),
        ("a: &x [*x]\n", 1, "nested too deeply"),
        ("a: " + "[" * 60 + "]" * 60, 1, "nested too deeply"),
        ("a: " + "9" * 5000, 1, "cannot be read as int"),
    ],
)
def test_mistakes(text: str, line: int, message: str) -> None:
    (problem,) = parse_yaml(text, "f.yml").problems
    assert (problem.file, problem.line) == ("f.yml", line)
    assert message in problem.message


def test_aliases_cannot_blow_up() -> None:
    text = "a0: &a0 [x, x]\n" + "".join(f"a{i}: &a{i} [{f'*a{i - 1}, ' * 9}]\n" for i in range(1, 12))
    (problem,) = parse_yaml(text, "f.yml").problems
    assert problem.message == "the file is too large"


def test_files_must_be_utf8(tmp_path: Path) -> None:
    file = tmp_path / "f.yml"
    file.write_bytes("a: 1\nb: größer\n".encode("latin-1"))
    assert [str(p) for p in read_yaml(file, "f.yml").problems] == [
        "f.yml:2: the file is not UTF-8 text; save it as UTF-8"
    ]
    file.write_bytes("\ufeffa: größer\n".encode())
    assert read_yaml(file, "f.yml").data == {"a": "größer"}


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot read the file" in read_yaml(tmp_path / "none.yml", "none.yml").problems[0].message
