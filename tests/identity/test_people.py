"""Who is together: guards and limits, by example."""

from typing import Any

import pytest

from profiles_assets.project.entities import Entity
from tests.identity.world import TYPES, World, row

NO_BRIDGES = {"device_id": {"max_bridged": 99}, "anonymous_id": {"max_bridged": 99}}


def stitched(rows: list[Any], **declared: dict[str, Any]) -> World:
    world = World(Entity(ids={t: declared.get(t, {}) for t in TYPES}))
    world.put(*rows)
    world.run()
    return world


def violations(world: World, columns: str = "rule, id_type, value, detail") -> list[tuple]:
    return sorted(world.con.execute(f"SELECT {columns} FROM identity.identity_violations").fetchall())


def test_ids_seen_together_are_a_person() -> None:
    world = stitched([row(0, "anonymous_id:a", "email:e"), row(0, "email:e", "user_id:u"), row(0, "user_id:v")])
    assert world.profile("anonymous_id:a") == world.profile("user_id:u") != world.profile("user_id:v")


def test_blocked_values_join_nobody() -> None:
    world = stitched([row(0, "user_id:u", "email:null"), row(0, "user_id:v", "email:null")])
    assert world.profile("user_id:u") != world.profile("user_id:v")
    assert world.profile("email:null") is None
    assert violations(world, "rule, value, count") == [("blocked", "null", 2)]


def test_a_hub_is_nobody_and_does_not_cut_its_neighbours_apart() -> None:
    shared = [row(0, f"email:e{i}", "device_id:d", f"anonymous_id:a{i}") for i in range(3)]
    world = stitched(shared, device_id={"max_linked": {"email": 2}}, anonymous_id={"max_bridged": 9})
    assert world.statuses()["device_id", "d"] == "hub"
    assert all(world.profile(f"email:e{i}") == world.profile(f"anonymous_id:a{i}") for i in range(3))
    assert len({world.profile(f"email:e{i}") for i in range(3)}) == 3
    assert violations(world) == [("hub", "device_id", "d", "seen with 3 values of email, at most 2 allowed")]


def test_a_device_of_two_known_people_is_evidence_for_neither() -> None:
    world = stitched([row(0, "user_id:u", "device_id:d"), row(0, "user_id:v", "device_id:d")])
    assert world.statuses()["device_id", "d"] == "bridge"
    assert world.profile("user_id:u") != world.profile("user_id:v")
    assert violations(world, "rule, value, count") == [("bridge", "d", 2)]


def test_a_device_of_somebody_who_changes_email_is_theirs() -> None:
    known = [row(0, "user_id:u", "email:old"), row(0, "user_id:u", "email:new")]
    world = stitched([*known, row(0, "email:old", "device_id:d"), row(0, "email:new", "device_id:d")])
    assert world.profile("device_id:d") == world.profile("user_id:u")


def test_without_guards_only_values_are_blocked() -> None:
    world = World(Entity(ids={t: {} for t in TYPES}, guards="none"))
    world.put(row(0, "user_id:u", "device_id:d"), row(0, "user_id:v", "device_id:d"), row(0, "user_id:null"))
    world.run()
    assert world.profile("user_id:u") == world.profile("user_id:v")
    assert [v[0] for v in violations(world)] == ["blocked"]


def test_the_later_link_yields_to_a_limit() -> None:
    rows = [row(0, "user_id:u", "device_id:d", minute=5), row(0, "user_id:v", "device_id:d", minute=3)]
    world = stitched(rows, **NO_BRIDGES)
    assert world.profile("device_id:d") == world.profile("user_id:v") != world.profile("user_id:u")
    assert violations(world) == [("limit", "device_id", "d", "a profile has at most 1 of user_id; this link yielded")]
    assert violations(world, "first_seen, count") == [(rows[0].time, 1)]


def test_a_link_of_ids_declared_earlier_comes_first() -> None:
    rows = [
        row(0, "user_id:u", "device_id:d", minute=1),
        row(0, "email:e", "device_id:d", minute=2),
        row(0, "user_id:v", "email:e", minute=3),
    ]
    world = stitched(rows, **NO_BRIDGES)
    assert world.profile("email:e") == world.profile("user_id:v")
    assert world.profile("device_id:d") == world.profile("user_id:u")


def test_an_id_type_may_break_its_limit_later() -> None:
    world = stitched([row(0, "user_id:u", f"email:e{i}", minute=i) for i in range(4)], email={"max_per_profile": 2})
    assert world.groups() == {
        frozenset({("user_id", "u"), ("email", "e0"), ("email", "e1")}),
        frozenset({("email", "e2")}),
        frozenset({("email", "e3")}),
    }
    assert len(world.groups("component")) == 1


@pytest.mark.parametrize("change", ["put", "remove"])
def test_violations_are_the_current_state(change: str) -> None:
    world = stitched([row(0, "user_id:u", "device_id:d"), row(1, "user_id:v", "device_id:d")])
    if change == "put":
        world.put(row(1, "user_id:u", "device_id:d"))
    else:
        world.remove(1)
    world.run()
    assert violations(world) == []
    assert world.profile("device_id:d") == world.profile("user_id:u")


def declare(world: World, **declared: dict[str, Any]) -> World:
    """Declare other guards; the run must leave what a rebuild would."""
    world.entity = Entity(ids={t: declared.get(t, {}) for t in TYPES})
    expected = world.rebuilt()
    report = world.stitch()
    assert not report.full
    assert world.tables() == expected
    return world


def test_tightening_a_guard_resolves_only_what_it_concerns_and_back() -> None:
    shared = [row(0, f"email:e{i}", "device_id:d", minute=i) for i in range(3)]
    others = [row(0, f"email:x{i}", f"device_id:y{i}") for i in range(5)]
    world = stitched([*shared, *others], device_id={"max_bridged": 9})
    before = world.names()
    declare(world, device_id={"max_bridged": 2})
    assert world.statuses()["device_id", "d"] == "bridge"
    assert {n: i for n, i in world.names().items() if n[1][0] in "xy"} == {
        n: i for n, i in before.items() if n[1][0] in "xy"
    }
    declare(world, device_id={"max_bridged": 9})
    assert world.names() == before
    declare(world, device_id={"max_bridged": 9, "max_linked": {"email": 2}})
    assert world.statuses()["device_id", "d"] == "hub"
    declare(world, device_id={"max_bridged": 9}, email={"max_per_profile": 2})
    assert len({world.profile(f"email:e{i}") for i in range(3)}) == 2
    declare(world, device_id={"max_bridged": 9, "block": ["d"]})
    assert world.statuses()["device_id", "d"] == "blocked"


def test_a_limit_per_period_counts_new_values_of_each() -> None:
    rows = [row(number, "user_id:u", f"email:e{number}") for number in (0, 1, 7, 40)]
    world = stitched(rows, email={"max_per_profile": {"most": 1, "per": "week"}})
    together = {n for n in range(41) if world.names().get(("email", f"e{n}")) == world.profile("user_id:u")}
    assert together == {0, 7, 40}
    declare(world, email={"max_per_profile": {"most": 1, "per": "month"}})
    together = {n for n in range(41) if world.names().get(("email", f"e{n}")) == world.profile("user_id:u")}
    assert together == {0, 40}
