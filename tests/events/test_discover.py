"""Landing files: patterns, days and signatures."""

import os
import re
from datetime import date

import fsspec
import pytest

from profiles_assets.events.discover import content_hash, landing_files, pattern_regex, signature_of
from tests.events.shop import Shop, a_source


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("a/{day}/*.jsonl", "a/2024-01-01/x.jsonl", True),
        ("a/{day}/*.jsonl", "a/2024-01-01/b/x.jsonl", False),
        ("a/{day}/{day}.jsonl", "a/2024-01-01/2024-01-01.jsonl", True),
        ("a/{day}/{day}.jsonl", "a/2024-01-01/2024-01-02.jsonl", False),
        ("a/**/x?.jsonl", "a/b/c/x1.jsonl", True),
        ("a/**/x?.jsonl", "a/x1.jsonl", True),
        ("a/[!b]*.jsonl", "a/b.jsonl", False),
        ("a/[!b]*.jsonl", "a/c.jsonl", True),
        ("a+b/{day}.jsonl", "a+b/20240101.jsonl", True),
        ("a+b/{day}.jsonl", "a+b/2024-1-1.jsonl", False),
    ],
)
def test_patterns(pattern: str, path: str, fits: bool) -> None:
    assert (re.match(pattern_regex(pattern), path) is not None) == fits


def test_local_files(shop: Shop) -> None:
    for path in ("landing/2024-01-02/b.jsonl", "landing/2024-01-01/a.jsonl", "landing/2024-02-31/a.jsonl", "landing/x"):
        shop.put(path, b"12345")
    (shop.root / "landing/2024-01-03/dir.jsonl").mkdir(parents=True)
    files = landing_files(shop.project, "tracks")
    assert [(file.path, file.day, file.bytes) for file in files] == [
        ("landing/2024-01-01/a.jsonl", date(2024, 1, 1), 5),
        ("landing/2024-01-02/b.jsonl", date(2024, 1, 2), 5),
    ]


def test_paths_are_relative_to_the_project_where_they_can_be(shop: Shop) -> None:
    shop.put("landing/a.jsonl", b"")
    shop.source = a_source(files=f"{shop.root}/landing/*.jsonl")
    assert [file.path for file in landing_files(shop.project, "tracks")] == ["landing/a.jsonl"]
    shop.root /= "below"
    assert [file.path for file in landing_files(shop.project, "tracks")] == [f"{shop.root.parent}/landing/a.jsonl"]


def test_signature_changes_with_the_file(shop: Shop) -> None:
    path = shop.put("landing/2024-01-01/a.jsonl", b"1")
    (file,) = landing_files(shop.project, "tracks")
    assert signature_of(file) == file.signature
    os.utime(path, (1, 1))
    (touched,) = landing_files(shop.project, "tracks")
    assert touched.signature != file.signature
    path.unlink()
    assert signature_of(file) is None


def test_content_hash(shop: Shop) -> None:
    one, two, three = (shop.put(name, content) for name, content in (("a", b"1"), ("b", b"1"), ("c", b"2")))
    assert content_hash(one) == content_hash(two) != content_hash(three)


def test_remote_files(shop: Shop) -> None:
    fs = fsspec.filesystem("memory")
    fs.pipe("/pail/2024/01/02/a.jsonl", b"123")
    fs.pipe("/pail/2024/01/02/a.txt", b"123")
    shop.source = a_source(files="memory://pail/{day}/*.jsonl")
    try:
        (file,) = landing_files(shop.project, "tracks")
        assert (file.path, file.day, file.bytes) == ("memory:///pail/2024/01/02/a.jsonl", date(2024, 1, 2), 3)
        before = signature_of(file)
        fs.pipe("/pail/2024/01/02/a.jsonl", b"456")
        assert signature_of(file) != before
        fs.rm("/pail/2024/01/02/a.jsonl")
        assert signature_of(file) is None
    finally:
        fs.rm("/pail", recursive=True)
