"""Identity as of past days, attribution of tuples, checks."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles_assets.identity.as_of import stitch_as_of
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.identity.checks import fixpoint_reached, no_id_in_two_profiles
from profiles_assets.project.entities import Entity
from tests.identity.strategies import ENTITIES, Put, puts
from tests.identity.world import TYPES, World, day, guards_of, row
from tests.oracles import identity as oracle

PLAIN = Entity(ids={t: {} for t in TYPES})


def merged_later() -> World:
    world = World(PLAIN)
    world.put(row(0, "user_id:u"), row(0, "email:e", minute=1), row(2, "user_id:u", "email:e"))
    world.run(day(0))
    world.run()
    return world


def past(world: World, number: int, columns: str) -> list[tuple]:
    stitch_as_of(world.con, world.project, "user", day(number), "past")
    return sorted(world.con.execute(f"SELECT {columns} FROM past").fetchall(), key=repr)


def test_the_past_is_read_from_what_was_visible_then() -> None:
    world = merged_later()
    assert len({p for (p,) in past(world, 2, "profile_id")}) == 1
    assert len({p for (p,) in past(world, 1, "profile_id")}) == 2
    assert world.table("stitched_ids") == [tuple(r) for r in past(world, 2, "*")]


def test_in_the_past_the_older_goes_by_todays_id_and_the_other_by_its_retired_one() -> None:
    world = merged_later()
    names = dict(past(world, 1, "value, profile_id"))
    assert names == {"u": world.profile("user_id:u"), "e": world.names("retired_id")["email", "e"]}


def test_the_past_may_be_empty_or_unstitched() -> None:
    world = World(PLAIN)
    assert past(world, 0, "*") == []
    world.put(row(1, "user_id:u", "email:null"))
    world.gather()
    assert past(world, 0, "*") == []
    assert past(world, 1, "value, status") == [("null", "blocked"), ("u", "ok")]


def test_an_older_day_is_not_written() -> None:
    world = merged_later()
    with pytest.raises(ValueError, match="can only be read"):
        world.stitch(day(1))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(ENTITIES), st.lists(puts(), min_size=1, max_size=4), st.integers(0, 3))
def test_the_past_is_what_the_oracle_says(entity: Entity, days: list[Put], number: int) -> None:
    world = World(entity)
    for step in days:
        world.put(*step.rows)
    world.run()
    found = past(world, number, "id_type, value, status, profile_id")
    expected = oracle.people(oracle.visible(world.rows, day(number)), guards_of(entity), day(number))
    assert {(t, v): s for t, v, s, _ in found} == expected.status
    groups: dict[str, set[oracle.Node]] = {}
    for t, v, _, label in found:
        if label:
            groups.setdefault(label, set()).add((t, v))
    assert {frozenset(g) for g in groups.values()} == expected.profiles


def test_a_tuple_belongs_to_its_first_id_that_is_somebody() -> None:
    world = World(PLAIN)
    rows = [
        row(0, "user_id:null", "email:e", "device_id:d"),
        row(0, "user_id:u", "anonymous_id:a"),
        row(0, "user_id:null"),
        row(1, "user_id:late"),
    ]
    world.put(*rows)
    world.run()
    create_attribution(world.con, world.project, "user")
    found = world.con.execute("SELECT tuple_key, profile_id FROM attribution").fetchall()
    assert dict(found) == {
        oracle.tuple_key(rows[0].ids): world.profile("email:e"),
        oracle.tuple_key(rows[1].ids): world.profile("user_id:u"),
        oracle.tuple_key(rows[3].ids): world.profile("user_id:late"),
    }
    assert len(found) == 3


def test_attribution_as_of_a_day() -> None:
    world = merged_later()
    stitch_as_of(world.con, world.project, "user", day(1), "past")
    create_attribution(world.con, world.project, "user", "past", day(1), table="then")
    count = world.con.execute('SELECT count(*), count(DISTINCT profile_key) FROM "then"').fetchone()
    assert count == (2, 2)


def test_attribution_before_anything() -> None:
    world = World(PLAIN)
    create_attribution(world.con, world.project, "user")
    assert world.con.execute("SELECT count(*) FROM attribution").fetchone() == (0,)


@pytest.mark.parametrize(
    "damage",
    [
        "INSERT INTO identity.stitched_ids FROM identity.stitched_ids LIMIT 1",
        "UPDATE identity.stitched_ids SET profile_id = NULL WHERE id_type = 'email'",
        "UPDATE identity.stitched_ids SET component = 1 WHERE id_type = 'email'",
        "UPDATE identity.stitched_ids SET status = 'hub' WHERE id_type = 'email'",
    ],
)
def test_checks_notice_damage_to_profiles(damage: str) -> None:
    world = merged_later()
    assert no_id_in_two_profiles(world.con, "user")[0]
    world.con.execute(damage)
    assert not no_id_in_two_profiles(world.con, "user")[0]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE identity.stitched_ids SET component = 1 WHERE id_type = 'email'",
        "DELETE FROM identity.stitched_ids WHERE id_type = 'email'",
        "UPDATE ops.progress SET version = 'other' WHERE partition = 'rules'",
    ],
)
def test_checks_notice_people_who_are_not_resolved(damage: str) -> None:
    world = merged_later()
    assert fixpoint_reached(world.con, world.project, "user")[0]
    world.con.execute(damage)
    assert not fixpoint_reached(world.con, world.project, "user")[0]
