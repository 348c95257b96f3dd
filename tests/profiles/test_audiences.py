"""Audiences: conditions against Python, membership and its log against a replay of every state."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.profiles.audience_checks import members_are_current
from profiles_assets.profiles.audiences import LOG, compute_audience, sizes, write_audience
from profiles_assets.project.audiences import Audience
from profiles_assets.project.entities import Entity
from profiles_assets.project.project import Declared, Project
from profiles_assets.traits.derived import Reading, add_traits
from resources import progress
from resources.lake import create_foundations, transaction
from tests.oracles import audiences as oracle

Row = dict[str, Any]
START = date(2025, 1, 1)
KINDS = {"spend": "number", "city": "text", "flag": "boolean", "other": "boolean"}
OTHER = Audience.model_validate({"all": [{"spend": ">= 5"}], "none": [{"city": "Ulm"}]})


def in_other(row: Row) -> bool:
    return row["spend"] is not None and row["spend"] >= 5 and row["city"] != "Ulm"


@dataclass(frozen=True)
class Stated:
    """A condition as a user writes it, and as Python."""

    given: Any
    holds: Callable[[Row], bool]


def known(field: str, test: Callable[[Any], bool]) -> Callable[[Row], bool]:
    return lambda row: row[field] is not None and test(row[field])


SINGLE = [
    Stated({"spend": ">= 5"}, known("spend", lambda v: v >= 5)),
    Stated({"spend": "< 10"}, known("spend", lambda v: v < 10)),
    Stated({"spend": 5}, known("spend", lambda v: v == 5)),
    Stated({"spend": "!= 5"}, known("spend", lambda v: v != 5)),
    Stated({"spend": [0, 10.5]}, known("spend", lambda v: v in (0, 10.5))),
    Stated({"spend": "is empty"}, lambda row: row["spend"] is None),
    Stated({"city": "Ulm"}, known("city", lambda v: v == "Ulm")),
    Stated({"city": "not in Ulm, Bonn"}, known("city", lambda v: v not in ("Ulm", "Bonn"))),
    Stated({"city": "is empty"}, lambda row: not row["city"]),
    Stated({"city": "is not empty"}, lambda row: bool(row["city"])),
    Stated({"city": "contains l"}, known("city", lambda v: "l" in v)),
    Stated({"city": "matches ^B"}, known("city", lambda v: v.startswith("B"))),
    Stated({"flag": True}, known("flag", bool)),
    Stated({"flag": False}, known("flag", lambda v: not v)),
    Stated("other", in_other),
    Stated({"other": False}, lambda row: not in_other(row)),
    Stated({"spend": ">= 5", "city": "Bonn"}, lambda row: (row["spend"] or 0) >= 5 and row["city"] == "Bonn"),
]
HOLDS: dict[str, Callable[[list[bool]], bool]] = {"all": all, "any": any, "none": lambda parts: not any(parts)}


def grouped(kind: str, parts: list[Stated]) -> Stated:
    return Stated({kind: [p.given for p in parts]}, lambda row: HOLDS[kind]([p.holds(row) for p in parts]))


def nested(inner: st.SearchStrategy[Stated]) -> st.SearchStrategy[Stated]:
    return st.builds(grouped, st.sampled_from(list(HOLDS)), st.lists(inner, min_size=1, max_size=3))


conditions = st.recursive(st.sampled_from(SINGLE), nested, max_leaves=8)
audiences = st.dictionaries(
    st.sampled_from(list(HOLDS)), st.lists(conditions, min_size=1, max_size=3), min_size=1, max_size=3
)
people = [
    {"profile_id": f"{spend}|{city}|{flag}", "spend": spend, "city": city, "flag": flag}
    for spend in (None, 0.0, 5.0, 10.5)
    for city in (None, "", "Ulm", "Bonn")
    for flag in (None, True, False)
]


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute("CREATE TABLE people (profile_id VARCHAR, spend DOUBLE, city VARCHAR, flag BOOLEAN)")
    con.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", [list(row.values()) for row in people])
    return con


def check_conditions(con: duckdb.DuckDBPyConnection, groups: dict[str, list[Stated]]) -> None:
    audience = Audience.model_validate({kind: [part.given for part in parts] for kind, parts in groups.items()})
    facts = {"other": OTHER, "wanted": audience}
    sql = add_traits("FROM people", ["other", "wanted"], facts, Reading("DATE '2025-01-01'", KINDS))  # type: ignore[arg-type]
    ours = dict(con.execute(f"SELECT profile_id, wanted FROM ({sql})").fetchall())
    whole = [grouped(kind, parts) for kind, parts in groups.items()]
    assert ours == {row["profile_id"]: all(group.holds(row) for group in whole) for row in people}


@settings(max_examples=60, deadline=None)
@given(groups=audiences)
def test_conditions_hold_where_python_says_so(con: duckdb.DuckDBPyConnection, groups: dict[str, list[Stated]]) -> None:
    check_conditions(con, groups)


@pytest.mark.long
@settings(max_examples=3_000, deadline=None)
@given(groups=audiences)
def test_conditions_hold_where_python_says_so_long(
    con: duckdb.DuckDBPyConnection, groups: dict[str, list[Stated]]
) -> None:
    check_conditions(con, groups)


ONE = Audience.model_validate({"all": [{"spend": 1}]})
PROJECT = Project(
    root=Path(),
    name="test",
    entities={"user": Entity.model_validate({"ids": {"user_id": {}}})},
    sources={},
    audiences={name: Declared(name, "user", ONE) for name in ("one", "two")},
)


class Profiles:
    """Profiles with the column of an audience, which change."""

    def __init__(self) -> None:
        self.con = duckdb.connect(config={"threads": 1})
        create_foundations(self.con)
        self.version = 0

    def become(self, day: date, members: frozenset[str], name: str = "one") -> None:
        self.version += 1
        self.con.execute(
            f'CREATE OR REPLACE TABLE profiles."user" AS SELECT p AS profile_id, list_contains(?, p) AS {name} '
            "FROM (SELECT unnest(['a', 'b', 'c', 'd']) AS p)",
            [sorted(members)],
        )
        self.con.execute("DELETE FROM ops.as_of")
        self.con.execute("INSERT INTO ops.as_of VALUES ('user', ?)", [day])
        for step in ("profiles/user", "published/user"):
            progress.record(self.con, step, {"all": str(self.version)})

    def update(self, name: str = "one") -> tuple[int, int, int]:
        with transaction(self.con):
            staged = compute_audience(self.con, PROJECT, name)
        with transaction(self.con):
            write_audience(self.con, PROJECT, name, staged)
        return staged.report.size, staged.report.entered, staged.report.left

    def members(self, name: str = "one") -> dict[str, date]:
        return dict(self.con.execute(f"FROM audiences.{name}").fetchall())

    def log(self, name: str = "one") -> list[oracle.Entry]:
        query = f"SELECT profile_id, change, as_of FROM {LOG} WHERE audience = ?"
        return sorted(self.con.execute(query, [name]).fetchall())


states = st.lists(
    st.tuples(st.integers(0, 2), st.frozensets(st.sampled_from("abcd")), st.booleans()), min_size=1, max_size=8
)


def check_history(steps: list[tuple[int, frozenset[str], bool]]) -> None:
    """Days go on by none to two; some states are not looked at."""
    profiles, seen, day = Profiles(), list[oracle.State](), START
    for later, members, looked_at in steps:
        day += timedelta(days=later)
        profiles.become(day, members)
        if looked_at:
            size, entered, left = profiles.update()
            before = seen[-1][1] if seen else frozenset()
            seen.append((day, members))
            assert (size, entered, left) == (len(members), len(members - before), len(before - members))
            since, log = oracle.replay(seen)
            assert profiles.members() == since
            assert profiles.log() == log
            assert members_are_current(profiles.con, PROJECT, "one")[0]
            assert profiles.update() == (len(members), 0, 0)
            assert profiles.log() == log
    changed = {day for _, _, day in oracle.replay(seen)[1]}
    assert dict(sizes(profiles.con, "one")) == {d: n for d, n in oracle.sizes(seen).items() if d in changed}


@settings(max_examples=15, deadline=None)
@given(states)
def test_members_and_log_equal_a_replay(steps: list[tuple[int, frozenset[str], bool]]) -> None:
    check_history(steps)


@pytest.mark.long
@settings(max_examples=2_000, deadline=None)
@given(states)
def test_members_and_log_equal_a_replay_long(steps: list[tuple[int, frozenset[str], bool]]) -> None:
    check_history(steps)


def published(profiles: Profiles) -> bool:
    return bool(progress.applied(profiles.con, "published/user"))


def test_only_a_change_asks_for_another_publication() -> None:
    profiles = Profiles()
    profiles.become(START, frozenset("ab"))
    assert published(profiles)
    profiles.update()
    assert not published(profiles)
    profiles.become(START + timedelta(1), frozenset("ab"))
    assert profiles.update() == (2, 0, 0)
    assert published(profiles)


def test_an_audience_that_the_profiles_do_not_have_yet_waits() -> None:
    profiles = Profiles()
    assert profiles.update() == (0, 0, 0)
    profiles.become(START, frozenset("ab"))
    assert profiles.update("two") == (0, 0, 0)
    assert not progress.applied(profiles.con, "audiences/two")
    profiles.become(START, frozenset("c"), "two")
    assert profiles.update("two") == (1, 1, 0)


def test_one_log_for_several_audiences() -> None:
    profiles = Profiles()
    profiles.become(START, frozenset("ab"), "one")
    profiles.update("one")
    profiles.become(START, frozenset("b"), "two")
    profiles.update("two")
    assert [p for p, _, _ in profiles.log("one")] == ["a", "b"]
    assert [p for p, _, _ in profiles.log("two")] == ["b"]
    assert sizes(profiles.con, "two") == [(START, 1)]


def test_a_table_that_was_tampered_with_is_found() -> None:
    profiles = Profiles()
    profiles.become(START, frozenset("ab"))
    profiles.update()
    profiles.con.execute("DELETE FROM audiences.one WHERE profile_id = 'a'")
    profiles.con.execute("INSERT INTO audiences.one VALUES ('x', DATE '2025-01-01')")
    profiles.con.execute(f"DELETE FROM {LOG} WHERE profile_id = 'b'")
    assert members_are_current(profiles.con, PROJECT, "one") == (
        False,
        {"missing": 1, "strangers": 1, "not_as_logged": 1},
    )
