"""States moved on by what has changed, against states made from all events, and traits against those compiled."""

from contextlib import ExitStack
from datetime import date, timedelta
from functools import cache
from tempfile import mkdtemp
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles_assets.identity.transfers import stage_transfers
from profiles_assets.project.project import Project
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.compile import base_traits, compile_section, finished_rows
from profiles_assets.traits.running import Read, stage_moved, stage_whole
from profiles_assets.traits.span import Step, Whole
from profiles_assets.traits.states import states_of
from resources.feed import Feed, newest_snapshot
from resources.lake import Con, Lake, transaction
from tests.traits.drawn import PEOPLE, STARTS, history, several_of
from tests.traits.events import COLUMNS, NAMES, project_with
from tests.traits.test_verbs import FAMILIES

usual = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(usual, max_examples=2_000)
VERBS = {verb: list(paths) for family in FAMILIES.values() for verb, paths in family.items()}
KEPT = ExitStack()
Traits = dict[str, dict[str, Any]]
State = tuple[frozenset[int], dict[int, int | None], date]
nobody_or_somebody = st.one_of(st.none(), st.integers(0, PEOPLE - 1))


@st.composite
def changes(draw: st.DrawFn) -> tuple[list[dict[str, Any]], State, State]:
    """Events, and two moments: which are there, whose the id tuples are, and the day."""
    start, size = draw(st.sampled_from(STARTS)), draw(st.integers(1, 40))
    rows = history(start, draw(st.integers(0, 2**32)), size)
    there = draw(st.sets(st.integers(0, size - 1)))
    other = draw(st.sets(st.integers(0, size - 1), max_size=8))
    first = draw(st.integers(0, 15))
    days = [start.date() + timedelta(first), start.date() + timedelta(first + draw(st.integers(0, 9)))]
    owners = draw(st.lists(nobody_or_somebody, min_size=PEOPLE + 1, max_size=PEOPLE + 1))
    moves = draw(st.dictionaries(st.integers(0, PEOPLE), nobody_or_somebody, max_size=3))
    before, after = dict(enumerate(owners)), dict(enumerate(owners)) | moves
    return rows, (frozenset(there), before, days[0]), (frozenset(there ^ other), after, days[1])


@cache
def lake() -> Con:
    """A connection to a lake with empty tables, which stays open."""
    con = KEPT.enter_context(Lake(root=mkdtemp(), threads=1).get_connection())
    con.register("rows", arrow([]))
    con.execute("CREATE TABLE raw_events.clicks AS FROM rows LIMIT 0")
    con.execute("CREATE TABLE identity.tuple_owners (entity VARCHAR, tuple_key BIGINT, profile_key BIGINT)")
    return con


def arrow(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table(
        {c: pa.array([r.get(NAMES.get(c, c.removeprefix("p_"))) for r in rows], t) for c, t in COLUMNS.items()}
    )


def write(con: Con, rows: list[dict[str, Any]], old: State, new: State) -> None:
    """Make the lake of one state that of another."""
    gone, came = old[0] - new[0], new[0] - old[0]
    con.register("rows", arrow([rows[i] for i in sorted(came)]))
    con.execute("DELETE FROM raw_events.clicks WHERE position IN (SELECT unnest(?::BIGINT[]))", [sorted(gone)])
    con.execute("INSERT INTO raw_events.clicks FROM rows")
    before, after = owned(rows, old), owned(rows, new)
    changed = [t for t in before.keys() | after if before.get(t, -1) != after.get(t, -1)]
    con.execute("DELETE FROM identity.tuple_owners WHERE tuple_key IN (SELECT unnest(?::BIGINT[]))", [changed])
    for key in changed:
        if key in after:
            con.execute("INSERT INTO identity.tuple_owners VALUES ('user', ?, ?)", [key, after[key]])


def owned(rows: list[dict[str, Any]], state: State) -> dict[int, int | None]:
    """Owners of the tuples that any event has."""
    return {t: p for t, p in state[1].items() if any(rows[i]["person"] == t for i in state[0])}


def move(project: Project, rows: list[dict[str, Any]], old: State, new: State) -> tuple[Con, Step]:
    """Stored states of one state of the lake moved on to another: table `result`; made from all events: `wanted`."""
    con, base = lake(), base_traits(project, "facts")
    empty: State = frozenset(), {}, old[2]
    with transaction(con):
        con.execute("DELETE FROM raw_events.clicks")
        con.execute("DELETE FROM identity.tuple_owners")
        write(con, rows, empty, old)
    since = newest_snapshot(con)
    events = event_columns(con, project)
    con.execute("CREATE OR REPLACE TEMP VIEW everybody AS FROM identity.tuple_owners WHERE profile_key IS NOT NULL")
    read = Read(base, events, "user")
    stage_whole(con, read, f"DATE '{old[2]}'", "everybody", "stored")
    with transaction(con):
        write(con, rows, old, new)
    span = Step(old[2], new[2])
    stage_whole(con, read, span.as_of, "everybody", "wanted")
    feed = Feed(since, newest_snapshot(con))
    stage_transfers(con, "user", feed)
    stage_moved(con, read, span, feed, "stored")
    con.execute(
        "CREATE OR REPLACE TEMP TABLE result AS FROM stored ANTI JOIN scope USING (profile_key) "
        "UNION ALL BY NAME FROM staged_states"
    )
    return con, span


def compare(traits: Traits, change: tuple[list[dict[str, Any]], State, State]) -> None:
    project = project_with(traits, timezone="Europe/Berlin")
    con, span = move(project, *change)
    for one, other in (("result", "wanted"), ("wanted", "result")):
        found = con.execute(f"FROM {one} EXCEPT FROM {other}").fetchall()
        assert not found, (one, found)
    named = f"SELECT 'p' || i AS profile_id, i AS profile_key FROM range({PEOPLE}) g(i)"
    con.execute(f"CREATE OR REPLACE TEMP TABLE people AS {named}")
    con.execute("CREATE OR REPLACE TEMP VIEW attribution AS FROM everybody")
    events = event_columns(con, project)
    values = {s.name: s.result() for s in states_of(base_traits(project, "facts"), events, Whole(span.as_of))}
    people = "people LEFT JOIN wanted USING (profile_key)"
    rows = finished_rows(project, "facts", values, people, events=events, as_of=span.as_of)
    compiled = compile_section(project, "facts", events, span.as_of)
    assert con.sql(rows).types == con.sql(compiled).types
    assert sorted(map(str, con.sql(rows).fetchall())) == sorted(map(str, con.sql(compiled).fetchall()))


def test_events_whose_load_day_the_day_reaches_begin_to_count() -> None:
    rows = [row | {"event": "look", "event_day": date(2025, 3, 31)} for row in history(STARTS[0], 0, 4)]
    late = [
        row | {"day": day} for row, day in zip(rows, map(date, [2025] * 4, [3, 4, 4, 4], [31, 1, 4, 5]), strict=True)
    ]
    there, owners = frozenset(range(4)), dict.fromkeys(range(PEOPLE + 1), 0)
    traits = {"since": {"days_since": "look"}, "looks": {"count": "look"}}
    compare(traits, (late, (there, owners, date(2025, 3, 31)), (there, owners, date(2025, 4, 4))))


@usual
@given(several_of(VERBS), changes())
def test_states_move_on(traits: Traits, change: tuple[list[dict[str, Any]], State, State]) -> None:
    compare(traits, change)


@pytest.mark.long
@many
@given(several_of(VERBS), changes())
def test_states_move_on_long(traits: Traits, change: tuple[list[dict[str, Any]], State, State]) -> None:
    compare(traits, change)
