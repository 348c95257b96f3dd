"""Replays: what is equal is said to be, and a planted difference is found, shown and without personal values."""

import json
import shutil
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import duckdb
import pytest

from profiles_assets.cli.replay_check import rows
from profiles_assets.events.discover import landing_files
from profiles_assets.path import build
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from profiles_assets.replay import check
from profiles_assets.replay.check import cut_of, load_days
from profiles_assets.replay.compare import compare
from profiles_assets.replay.copies import Copies
from resources.kept import KeptLake
from resources.lake import Lake
from tests.cli.in_process import answers
from tests.shop import copy_shop, land, small

PROJECT = {
    "project.yml": "name: tiny\nstart: 2025-01-01\nentities: {user: {ids: {user_id: {}, email: {}}}}\n",
    "sources.yml": """
sources:
  clicks:
    files: landing/clicks/{day}.jsonl
    event_id: id
    time: at
    event: event
    events: [click]
    ids: {user_id: user, email: email}
  calls:
    files: landing/calls.csv
    time: at
    event_is: call
    ids: {user_id: user}
    types: {minutes: number}
""",
    "traits/facts.yml": "traits: {clicks: {count: click}, minutes: {sum: call.minutes}}\n",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Four days of clicks, in which two people turn out to be one, and a file of calls without a day in its path."""
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "landing" / "clicks").mkdir(parents=True)
    people = [("u1", "a@x.example"), ("u2", "b@x.example"), ("u3", "a@x.example"), ("u1", "c@x.example")]
    for day, (user, email) in enumerate(people, start=1):
        at = f"2025-01-0{day}T10:00:00Z"
        rows = [{"id": f"e{day}", "at": at, "event": "click", "user": user, "email": email}, {"id": "e0", "at": at}]
        (tmp_path / "landing" / "clicks" / f"2025-01-0{day}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    calls = [f"2025-01-0{day}T11:00:00Z,u{day},{day}.5" for day in (1, 2, 3, 4)]
    (tmp_path / "landing" / "calls.csv").write_text("\n".join(["at,user,minutes", *calls]))
    return tmp_path


def test_a_project_in_two_parts_equals_itself_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []

    def watched(lake: Lake, *rest: Any) -> None:
        build(lake, *rest)
        seen.append([str(day) for day in load_days(lake)])

    monkeypatch.setattr(check, "build", watched)
    code, said = answers(root, "replay-check", "--json")
    assert code == 0, said
    report = json.loads(said)
    assert (report["equal"], report["cut"], report["load_days"]) == (True, "2025-01-02", 4)
    assert {"raw_events.calls", "identity.stitched_ids", "profiles.user_rows"} <= {*report["tables"]}
    assert not list((root / ".lake").glob("spill/replay-*"))
    days = [f"2025-01-0{day}" for day in (1, 2, 3, 4)]
    assert seen == [days, days[:2], days]


def test_a_cut_has_to_leave_something_in_both_parts() -> None:
    days = [date(2025, 1, day) for day in (1, 2, 3)]
    assert [cut_of(days, asked) for asked in (None, date(2025, 1, 1), date(2025, 1, 2))] == [days[1], *days[:2]]
    for asked in (date(2024, 12, 31), date(2025, 1, 3)):
        with pytest.raises(ValueError, match="load days are 2025-01-01 to 2025-01-03"):
            cut_of(days, asked)
    with pytest.raises(ValueError, match="at least two"):
        cut_of(days[:1], None)


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet"])
def test_a_sample_takes_whole_people(tmp_path: Path, form: str) -> None:
    (tmp_path / "in").mkdir()
    query = "SELECT i AS n, 'u' || i % 40 AS \"user\", '2025-01-01' AS at FROM range(400) r(i)"
    kind = {"jsonl": "json", "csv": "csv"}.get(form, form)
    duckdb.connect().execute(f"COPY ({query}) TO '{tmp_path}/in/a.{form}' (FORMAT {kind})")
    source = Source(files=f"in/*.{form}", time="at", event_is="seen", ids={"user_id": "user"})
    project = Project(tmp_path, "tiny", {}, {"seen": source})
    copies = Copies(project, tmp_path / "copies", 0.5)
    copies.make()
    (file,) = landing_files(copies.replayed, "seen")
    found = duckdb.connect().execute(f"SELECT \"user\", count(*) FROM '{file.location}' GROUP BY ALL").fetchall()
    assert {count for _, count in found} == {10}
    assert 8 <= len(found) <= 32


@pytest.fixture
def two_lakes(tmp_path: Path) -> Iterator[tuple[KeptLake, KeptLake]]:
    """Lakes with the same two people under other names."""
    with KeptLake(root=str(tmp_path / "a")) as one, KeptLake(root=str(tmp_path / "b")) as other:
        for lake, names in ((one, ("p1", "p2")), (other, ("p3", "p1"))):
            lake.write(partial(fill, names=names))
        yield one, other


def fill(con: duckdb.DuckDBPyConnection, names: tuple[str, str]) -> None:
    con.execute("CREATE TABLE identity.stitched_ids (entity VARCHAR, key BIGINT, profile_id VARCHAR, component BIGINT)")
    con.execute("CREATE TABLE profiles.user_rows (profile_id VARCHAR, email VARCHAR, orders BIGINT)")
    for number, name in enumerate(names):
        con.execute("INSERT INTO identity.stitched_ids VALUES ('user', ?, ?, ?)", [number, name, 7 + len(name)])
        con.execute("INSERT INTO profiles.user_rows VALUES (?, ?, ?)", [name, f"{number}@x.example", number])


def test_names_of_profiles_make_no_difference_but_who_is_who_does(two_lakes: tuple[KeptLake, KeptLake]) -> None:
    one, other = two_lakes
    assert compare(one, other).differences == []
    other.write(lambda con: con.execute("UPDATE profiles.user_rows SET orders = 1 - orders"))
    (found,) = compare(one, other).differences
    assert (found.table, found.only_at_once, found.only_in_parts) == ("profiles.user_rows", 2, 2)
    assert found.rows


def test_differing_values_are_shown_without_what_is_personal(two_lakes: tuple[KeptLake, KeptLake]) -> None:
    one, other = two_lakes
    other.write(
        lambda con: con.execute("UPDATE profiles.user_rows SET email = 'z@x.example', orders = 5 WHERE orders = 1")
    )
    (found,) = compare(one, other).differences
    assert sorted(found.columns) == ["email", "orders"]
    assert rows(found, personal=False) == [["at once", "1", "***", "1"], ["in parts", "1", "***", "5"]]
    assert rows(found, personal=True)[1][2] == "z@x.example"


def test_a_table_or_column_that_one_lacks_is_a_difference(two_lakes: tuple[KeptLake, KeptLake]) -> None:
    one, other = two_lakes
    one.write(lambda con: con.execute("CREATE TABLE models.extra AS SELECT 1::BIGINT AS n"))
    other.write(lambda con: con.execute("ALTER TABLE profiles.user_rows DROP COLUMN orders"))
    found = {one.table: one.columns for one in compare(one, other).differences}
    assert found == {"models.extra": ["n BIGINT"], "profiles.user_rows": ["orders BIGINT"]}


@pytest.mark.long
@pytest.mark.parametrize("sample", [(), ("--sample", "30")])
def test_the_shop_in_two_parts_equals_itself_at_once(tmp_path: Path, sample: tuple[str, ...]) -> None:
    root = copy_shop(tmp_path / "shop")
    land(root, small())
    code, said = answers(root, "replay-check", *sample)
    assert code == 0, said


@pytest.mark.long
def test_cdnow_in_two_parts_equals_itself_at_once(tmp_path: Path) -> None:
    from examples.cdnow.prepare import HERE, prepare

    ignored = shutil.ignore_patterns(".lake", ".dagster", "landing", "__pycache__")
    root = Path(shutil.copytree(HERE, tmp_path / "cdnow", ignore=ignored))
    prepare(root)
    code, said = answers(root, "replay-check")
    assert code == 0, said
