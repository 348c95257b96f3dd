"""Computed columns of sources: what is said about those that make no sense, and where."""

from pathlib import Path

from profiles_assets.project.check_columns import column_problems
from profiles_assets.project.loader import read_draft

SOURCES = """\
sources:
  shop:
    files: l/*.jsonl
    time: t
    event_is: order
    ids: {user_id: u}
    columns:
      amount: {sql: price * quantity, type: number}
      net: {sql: amount - tax, type: number}
      total: {sql: sum(price), type: number}
      price: {sql: price / 100, type: number}
      a: {sql: b + 1, type: number}
      b: {sql: a + 1, type: number}
      time: {sql: received, type: time}
"""


def test_problems_of_columns(tmp_path: Path) -> None:
    (tmp_path / "project.yml").write_text("name: p\nentities: {user: {ids: {user_id: {}}}}\n")
    (tmp_path / "sources.yml").write_text(SOURCES)
    found = [str(problem) for problem in column_problems(read_draft(tmp_path))]
    assert [problem.split(";")[0] for problem in found] == [
        'sources.yml:10: sql of column "total": SUM(price) gathers several events, but a column has one value per event',  # noqa: E501
        'sources.yml:14: "time" is there for every event, so no column can have this name',
        "sources.yml:11: columns are made from each other in a circle: price → price",
        "sources.yml:12: columns are made from each other in a circle: a → b → a",
    ]
    assert all("; " in problem for problem in found)
