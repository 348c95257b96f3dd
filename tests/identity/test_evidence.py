"""The evidence: distinct tuples per load day and source, visibility, replacement, key collisions."""

import pytest

from profiles_assets.identity import keys
from profiles_assets.identity.checks import evidence_reconciles
from profiles_assets.project.entities import Entity
from tests.identity.world import TYPES, World, day, row
from tests.oracles.identity import node_key, tuple_key

PLAIN = Entity(ids={t: {} for t in TYPES})


@pytest.fixture
def world() -> World:
    return World(PLAIN)


def edges(world: World, columns: str) -> list[tuple]:
    return sorted(world.con.execute(f"SELECT {columns} FROM identity.id_edges").fetchall(), key=repr)


def test_one_row_per_distinct_tuple(world: World) -> None:
    rows = [row(0, "user_id:u", "email:e", minute=m) for m in (3, 1, 2)]
    world.put(*rows, row(0, "user_id:u", duplicate=True))
    report = world.gather()
    assert (report.partitions, report.tuples, report.nodes, report.collisions) == (1, 1, 2, 0)
    found = edges(world, "tuple_key, nodes, count, first_seen, last_seen")
    nodes = [node_key(("user_id", "u")), node_key(("email", "e"))]
    assert found == [(tuple_key(rows[0].ids), nodes, 3, rows[1].time, rows[0].time)]


def test_events_of_tomorrow_are_apart(world: World) -> None:
    world.put(row(0, "user_id:u"), row(0, "user_id:u", late=1), row(0, "user_id:u", late=-4))
    world.gather()
    assert edges(world, "day, visible, count") == [(day(0), day(0), 2), (day(0), day(1), 1)]


def test_nothing_pending_changes_nothing(world: World) -> None:
    world.put(row(0, "user_id:u"))
    world.gather()
    assert world.gather().partitions == 0


def test_a_replaced_day_leaves_no_trace(world: World) -> None:
    world.put(row(0, "user_id:u", "email:old"), row(1, "user_id:v"))
    world.gather()
    world.put(row(0, "user_id:u", "email:new"))
    assert world.gather().partitions == 1
    values = {v for (v,) in world.con.execute("SELECT value FROM identity.id_nodes").fetchall()}
    assert values == {"u", "new", "v"}
    assert evidence_reconciles(world.con, world.project)[0]


def test_a_removed_day_is_removed(world: World) -> None:
    world.put(row(0, "user_id:u"), row(1, "user_id:v"))
    world.gather()
    world.remove(0)
    assert world.gather().removed == 1
    assert edges(world, "day") == [(day(1),)]


def written(world: World) -> list[tuple]:
    return world.con.execute("SELECT value, written FROM identity.id_nodes ORDER BY ALL").fetchall()


def test_an_id_is_written_once_and_goes_with_its_last_tuple(world: World) -> None:
    world.put(row(0, "user_id:u"), row(1, "user_id:u", "email:e"), row(1, "user_id:u", source="app"))
    assert world.gather().nodes == 2
    assert written(world) == [("e", day(1)), ("u", day(0))]
    world.remove(0)
    world.remove(1)
    world.gather()
    assert written(world) == [("u", day(0))]
    world.remove(1, "app")
    world.gather()
    assert written(world) == []


def test_an_id_of_an_old_record_that_is_back_is_known_by_its_value(world: World) -> None:
    world.put(row(0, "user_id:u", "email:e", key="a"))
    world.put(row(1, "user_id:u", key="a"))
    world.run()
    assert world.statuses() == {("user_id", "u"): "ok"}
    world.put(row(2, "email:e", "device_id:d"))
    assert world.gather().nodes == 1
    world.stitch()
    assert world.profile("email:e") == world.profile("device_id:d") != world.profile("user_id:u")


def test_other_declared_ids_apply_everything_again(world: World) -> None:
    world.put(row(0, "user_id:u", "email:e"))
    world.gather()
    world.entity = Entity(ids={"email": {"normalise": "email"}, "user_id": {}})
    assert world.gather().partitions == 1
    assert edges(world, "nodes") == [([node_key(("email", "e")), node_key(("user_id", "u"))],)]


def test_reconciliation_notices_a_lost_tuple(world: World) -> None:
    world.put(row(0, "user_id:u"), row(0, "user_id:v"))
    world.gather()
    world.con.execute("DELETE FROM identity.id_edges WHERE list_contains(nodes, ?)", [node_key(("user_id", "u"))])
    passed, found = evidence_reconciles(world.con, world.project)
    assert not passed
    assert found == {"events": 2, "counted": 1}


@pytest.fixture
def _one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """All e-mails have the same key."""
    plain = keys.node_key

    def node_key(id_type: str, value: str) -> str:
        return f"CASE WHEN {value} IS NOT NULL THEN 7::BIGINT END" if id_type == "email" else plain(id_type, value)

    monkeypatch.setattr("profiles_assets.identity.dictionary.node_key", node_key)


@pytest.mark.usefixtures("_one_key")
def test_a_collision_merges_nobody(world: World) -> None:
    world.put(row(0, "user_id:u", "email:first"))
    world.run()
    world.put(row(1, "user_id:v", "email:second"), row(1, "user_id:w", "email:second", source="app"))
    assert world.gather().collisions == 1
    world.stitch()
    assert world.statuses()["email", "second"] == "collision"
    assert world.profile("email:first") == world.profile("user_id:u")
    assert world.profile("email:second") is None
    assert len({world.profile(f"user_id:{u}") for u in "uvw"}) == 3
    found = world.con.execute("SELECT rule, value, count FROM identity.identity_violations").fetchall()
    assert found == [("collision", "second", 2)]


@pytest.mark.usefixtures("_one_key")
def test_of_colliding_values_of_a_day_the_earlier_keeps_the_key(world: World) -> None:
    world.put(row(0, "email:late", "user_id:u", minute=9), row(0, "email:early", "user_id:v", minute=1))
    world.run()
    assert world.statuses()["email", "late"] == "collision"
    assert world.statuses()["email", "early"] == "ok"


@pytest.mark.usefixtures("_one_key")
def test_a_value_set_apart_stays_apart_when_the_owner_of_the_key_has_left(world: World) -> None:
    world.put(row(0, "email:first"), row(1, "user_id:v", "email:second"))
    world.run()
    world.remove(0)
    world.run()
    world.put(row(2, "user_id:w", "email:second"), row(2, "user_id:x", "email:third"))
    assert world.gather().collisions == 0
    world.stitch()
    assert world.statuses()["email", "second"] == "collision"
    assert world.profile("user_id:v") != world.profile("user_id:w")
    assert world.profile("email:third") == world.profile("user_id:x")
