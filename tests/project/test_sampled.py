"""What a look into the landing files says about traits."""

import json
from pathlib import Path

import pytest

from profiles_assets.cli.validate import compare
from profiles_assets.project.loader import checked_draft
from profiles_assets.project.problems import ProjectError

PROJECT = "name: t\nentities: {user: {ids: {user_id: {}}}}\n"
SOURCES = """\
sources:
  web:
    {files: "web/{day}/*.jsonl", time: t, event: e, events: [buy, look], ids: {user_id: u}, properties: p}
  shop: {files: "shop/{day}/*.csv", time: t, event_is: order, ids: {user_id: u}}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project.yml").write_text(PROJECT)
    (tmp_path / "sources.yml").write_text(SOURCES)
    for name in ("traits", "web/2025-01-01", "shop/2025-01-01"):
        (tmp_path / name).mkdir(parents=True)
    records = [
        {"t": "2025-01-01", "e": "buy", "u": f"u{i}", "p": {"total": i, "where": {"town": "Ulm"}, "code": str(i)}}
        for i in range(30)
    ]
    lines = "\n".join(json.dumps(record) for record in records)
    (tmp_path / "web/2025-01-01/a.jsonl").write_text(lines + "\nnot json\n")
    (tmp_path / "shop/2025-01-01/a.csv").write_text("t,u,total,kind\n" + "2025-01-01,u1,5.5,shoes\n" * 30)
    return tmp_path


def verdict(root: Path, trait: str) -> tuple[str, str]:
    """What is certainly wrong with a trait, and what is doubtful."""
    (root / "traits" / "a.yml").write_text(f"traits:\n  x: {trait}\n")
    try:
        return "", "\n".join(map(str, compare(checked_draft(root))))
    except ProjectError as error:
        return str(error), ""


@pytest.mark.parametrize(
    "trait",
    [
        "{sum: buy.total}",
        "{latest: buy.where.town}",
        "{sum: buy.code}",
        "{count: buy, where: {code: '> 5'}}",
        "{sum: order.total}",
        "{count: order, where: {kind: [shoes, hats]}}",
        "{latest: look.anything}",
        "{first: buy.time}",
    ],
)
def test_what_is_in_the_data_is_fine(root: Path, trait: str) -> None:
    assert verdict(root, trait) == ("", "")


def test_a_misspelt_property_is_refused(root: Path) -> None:
    problem, _ = verdict(root, "{sum: buy.totl}")
    assert problem.startswith('traits/a.yml:2: trait "x": none of the newest 30 records of buy has "totl"')
    assert 'did you mean "total"?' in problem


def test_a_property_like_no_other_is_doubtful(root: Path) -> None:
    _, doubt = verdict(root, "{count: buy, where: {humidity: high}}")
    assert 'has "humidity"; they have' in doubt


def test_numbers_and_text_are_told_apart(root: Path) -> None:
    assert '"kind" is text; to count values, use unique_count: order.kind' in verdict(root, "{sum: order.kind}")[0]
    assert "kind is text" in verdict(root, "{count: order, where: {kind: '> 5'}}")[0]
    assert "total is a number" in verdict(root, "{count: buy, where: {total: contains 5}}")[0]
