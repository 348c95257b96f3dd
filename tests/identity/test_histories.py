"""Incremental runs against full rebuilds and against the brute-force oracle, over random histories."""

from datetime import date
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles_assets.identity.checks import evidence_reconciles, fixpoint_reached, no_id_in_two_profiles
from profiles_assets.project.entities import Entity
from tests.identity.strategies import (
    ENTITIES,
    Erase,
    Put,
    Step,
    apply,
    histories,
    puts,
    random_changes,
    random_row,
    rows,
)
from tests.identity.world import World, day
from tests.oracles import identity as oracle
from tests.oracles.identity import Row

RELAXED = {"deadline": None, "suppress_health_check": list(HealthCheck)}


def forget(world: World, changes: list[Step], names: list[oracle.Names]) -> list[oracle.Names]:
    """Apply changes; what the oracle still knows of the names of those who are left."""
    for step in changes:
        if isinstance(step, Erase):
            gone = world.erase(step.node)
            names = [one.without(*gone) for one in names]
        else:
            apply(world, step)
    return names


def newest(world: World) -> date | None:
    return max((r.day for r in world.rows), default=None)


def follow(entity: Entity, history: list[list[Step]]) -> World:
    """Run a history, comparing each state with a rebuild from the state before and with the oracle."""
    world, names, as_of = World(entity), oracle.Names(), None
    for changes in history:
        (names,) = forget(world, changes, [names])
        world.gather()
        as_of = newest(world) or as_of
        if as_of is None:
            continue
        expected = world.rebuilt()
        world.stitch()
        assert world.tables() == expected
        names = check_against_oracle(world, as_of, names)
    check_invariants(world)
    return world


def check_against_oracle(world: World, as_of: date, names: oracle.Names, prefix: str = "") -> oracle.Names:
    """Compare the part of the world whose values have a prefix; returns the ids that the oracle gives out."""
    rows = [r for r in oracle.visible(world.rows, as_of) if any(v.startswith(prefix) for _, v in r.ids)]
    found = oracle.people(rows, world.guards, as_of)
    assert world.statuses(prefix) == found.status
    assert world.groups("component", prefix) == found.components
    assert world.groups("profile_id", prefix) == found.profiles
    names = oracle.name(found.profiles, oracle.ages(rows, as_of), names)
    assert world.names("profile_id", prefix) == names.id
    assert world.names("retired_id", prefix) == names.retired
    yielded = world.con.execute(
        "SELECT key, other_key FROM identity.identity_violations "
        "WHERE rule IN ('limit', 'unlink') AND starts_with(value, ?)",
        [prefix],
    ).fetchall()
    assert {frozenset(pair) for pair in yielded} == {frozenset(map(oracle.node_key, e)) for e in found.yielded}
    return names


def check_invariants(world: World) -> None:
    if not world.table("stitched_ids"):
        return
    for passed, found in (
        no_id_in_two_profiles(world.con, "user"),
        fixpoint_reached(world.con, world.project, "user"),
        evidence_reconciles(world.con, world.project),
    ):
        assert passed, found
    assert world.aliases() == oracle_aliases(world)
    nobody = world.con.execute(
        "SELECT count(*) FROM identity.stitched_ids WHERE status <> 'ok' AND profile_id IS NOT NULL"
    )
    assert nobody.fetchone() == (0,)
    assert world.run().change.total == 0


def oracle_aliases(world: World) -> dict[str, str]:
    """What every ended profile id has become, by following the log."""
    living = set(world.names().values())
    log = world.con.execute("SELECT profile_id, other_profile_id FROM identity.identity_log WHERE change = 'merged'")
    went = dict(log.fetchall())
    found = {}
    for alias in went.keys() - living:
        path, now = [alias], alias
        while now in went and now not in living and went[now] not in path:
            now = went[now]
            path.append(now)
        if now in living:
            found[alias] = now
    return found


@settings(max_examples=16, **RELAXED)
@given(st.sampled_from(ENTITIES), histories())
def test_incremental_is_a_rebuild_is_the_oracle(entity: Entity, history: list[list[Step]]) -> None:
    follow(entity, history)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(120))
def test_many_histories(seed: int) -> None:
    """Twenty histories with ids of their own in one world: each must come out as if it were alone."""
    chance = Random(seed)
    world, names, as_of = World(chance.choice(ENTITIES)), [oracle.Names() for _ in range(20)], day(0)
    world.put(*(random_row(chance, 0, "web", f"{n}_") for n in range(len(names))))
    for _ in range(chance.randint(3, 8)):
        names = forget(world, random_changes(chance, world, len(names)), names)
        world.gather()
        as_of = newest(world) or as_of
        expected = world.rebuilt()
        world.stitch()
        assert world.tables() == expected
        for number, mine in enumerate(names):
            names[number] = check_against_oracle(world, as_of, mine, f"{number}_")
    check_invariants(world)


@settings(max_examples=8, **RELAXED)
@given(
    st.sampled_from(ENTITIES), st.lists(puts(), min_size=2, max_size=5, unique_by=lambda p: p.rows[0].day), st.data()
)
def test_arrival_order_changes_ids_only(entity: Entity, days: list[Put], data: st.DataObject) -> None:
    one, other = World(entity), World(entity)
    for world, order in ((one, days), (other, data.draw(st.permutations(days)))):
        for step in order:
            apply(world, step)
            world.run()
    assert one.groups() == other.groups()
    assert one.groups("component") == other.groups("component")
    assert one.statuses() == other.statuses()


@settings(max_examples=8, **RELAXED)
@given(st.sampled_from(ENTITIES), st.lists(puts(), min_size=2, max_size=4), st.lists(rows(6, "app"), min_size=1))
def test_ids_come_back_when_a_day_is_undone(entity: Entity, days: list[Put], extra: list[Row]) -> None:
    undo(entity, days, extra)


def undo(entity: Entity, days: list[Put], extra: list[Row]) -> None:
    world = World(entity)
    for step in days:
        apply(world, step)
    world.run(day(6))
    before = world.names()
    world.put(*extra)
    world.run(day(6))
    world.remove(6, "app")
    world.run(day(6))
    assert world.names() == before
