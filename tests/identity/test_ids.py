"""Profile ids: stable through merges, quarantine, rebuilds and what is undone; and the log of changes."""

import numpy as np

from profiles_assets.identity.graph import Graph, Previous
from profiles_assets.identity.ids import assign_ids, salted
from profiles_assets.project.entities import Entity
from tests.identity.world import TYPES, World, row
from tests.oracles.identity import node_key

PLAIN = Entity(ids={t: {} for t in TYPES})
LOG = "SELECT change, profile_id, other_profile_id, edge_from, edge_to FROM identity.identity_log ORDER BY seq"


def two_people() -> World:
    world = World(PLAIN)
    world.put(row(0, "user_id:u"), row(1, "email:e", "anonymous_id:a"))
    world.run()
    return world


def key(node: str) -> int:
    id_type, value = node.split(":")
    return node_key((id_type, value))


def test_an_id_comes_from_the_oldest_node() -> None:
    world = two_people()
    assert world.profile("user_id:u") == f"{key('user_id:u'):015x}"


def test_the_older_profile_wins_a_merge() -> None:
    world = two_people()
    older, younger = world.profile("user_id:u"), world.profile("email:e")
    world.put(row(2, "user_id:u", "email:e"))
    report = world.run()
    assert (report.created, report.merged, report.split) == (0, 1, 0)
    assert set(world.names().values()) == {older}
    assert world.names("retired_id")["email", "e"] == younger
    assert world.con.execute(LOG).fetchall()[-1] == ("merged", younger, older, key("email:e"), key("user_id:u"))


def test_an_undone_merge_gives_the_id_back() -> None:
    world = two_people()
    older, younger = world.profile("user_id:u"), world.profile("email:e")
    world.put(row(2, "user_id:u", "email:e"))
    world.run()
    world.remove(2)
    report = world.run()
    assert (report.created, report.merged, report.split) == (0, 0, 1)
    assert (world.profile("user_id:u"), world.profile("email:e")) == (older, younger)
    assert world.con.execute(LOG).fetchall()[-1] == ("split", younger, older, None, None)


def test_an_id_survives_the_quarantine_of_its_node() -> None:
    world = World(PLAIN)
    world.put(row(0, "device_id:d", "user_id:u", minute=0))
    world.run()
    first = world.profile("user_id:u")
    world.put(row(1, "device_id:d", "user_id:v"))
    world.run()
    assert world.profile("device_id:d") is None
    assert world.profile("user_id:u") == first


def test_a_rebuild_changes_nothing() -> None:
    world = two_people()
    world.put(row(2, "user_id:u", "email:e"))
    world.run()
    before = world.tables()
    assert world.stitch(rebuild=True).change.total == 0
    assert world.tables() == before


def test_earlier_days_loaded_later_do_not_change_an_id() -> None:
    world = World(PLAIN)
    world.put(row(3, "user_id:u"))
    world.run()
    before = world.profile("user_id:u")
    world.put(row(1, "user_id:u", "anonymous_id:a"))
    world.run()
    assert world.profile("anonymous_id:a") == before


def test_the_log_is_numbered_without_gaps() -> None:
    world = two_people()
    world.put(row(2, "user_id:w"))
    world.run()
    numbers = [n for (n,) in world.con.execute("SELECT seq FROM identity.identity_log ORDER BY seq").fetchall()]
    assert numbers == [1, 2, 3]


def test_a_key_of_a_living_profile_is_salted() -> None:
    graph = lone_nodes([5, 6])
    previous = Previous(*(np.full(2, -1, dtype=t) for t in (np.int8, np.int64, np.int64, np.int64)), frozenset({5}))
    named = assign_ids(graph, previous, np.array([0, 1]))
    made = salted(5)
    assert next(made) == 5
    assert named.node.tolist() == [next(made), 6]


def test_a_wish_waits_for_an_older_profile_that_may_fall_back_on_it() -> None:
    graph = lone_nodes([5, 6, 7])
    retired = np.array([9, 5, 9])
    previous = Previous(np.full(3, -1, np.int8), np.full(3, -1), np.full(3, -1), retired, elsewhere=frozenset({9}))
    named = assign_ids(graph, previous, np.array([0, 1, 2]))
    assert named.node.tolist() == [5, 6, 7]


def lone_nodes(keys: list[int]) -> Graph:
    size, zeros = len(keys), np.zeros(len(keys), dtype=np.int64)
    flags = np.ones(size, dtype=np.bool_)
    codes, none = zeros.astype(np.int8), np.zeros(0, dtype=np.int64)
    return Graph(
        np.array(keys), codes, codes, flags, zeros, zeros, np.zeros(1, dtype=np.int64), none, none, none, flags
    )
