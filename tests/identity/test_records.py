"""Records as evidence: a corrected link is gone today, stands in the past, and what is still said keeps its age."""

from profiles_assets.identity.as_of import stitch_as_of
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.entities import Entity
from tests.identity.world import RECORDS, TYPES, World, day, row
from tests.oracles.identity import Row, tuple_key

PLAIN = Entity(ids={t: {} for t in TYPES})


def crm(number: int, *ids: str, key: str = "k", late: int = 0, minute: int = 0) -> Row:
    return row(number, *ids, key=key, late=late, minute=minute)


def corrected() -> World:
    """A customer whose e-mail was somebody else's until it was corrected on day 3."""
    world = World(PLAIN)
    world.put(row(0, "user_id:u"), crm(0, "user_id:u", "email:wrong", minute=1), crm(0, "user_id:v", key="other"))
    world.put(row(1, "user_id:v"), row(1, "email:wrong", "device_id:d"))
    world.run()
    return world


def test_a_corrected_record_unlinks() -> None:
    world = corrected()
    assert world.profile("email:wrong") == world.profile("user_id:u")
    before = world.profile("user_id:u")
    world.put(crm(3, "user_id:u", "email:right"))
    report = world.run()
    assert not report.full
    assert world.profile("email:wrong") != world.profile("user_id:u") == world.profile("email:right") == before
    assert world.profile("email:wrong") == world.profile("device_id:d")


def test_the_past_still_has_the_link() -> None:
    world = corrected()
    world.put(crm(3, "user_id:u", "email:right"))
    world.run()
    stitch_as_of(world.con, world.project, "user", day(2), "past")
    past = dict(world.con.execute("SELECT value, profile_id FROM past").fetchall())
    assert past["wrong"] == past["u"]
    assert "right" not in past
    create_attribution(world.con, world.project, "user", "past", day(2), table="then")
    found = dict(world.con.execute('SELECT tuple_key, profile_id FROM "then"').fetchall())
    assert found[tuple_key((("user_id", "u"), ("email", "wrong")))] == past["u"]
    assert tuple_key((("user_id", "u"), ("email", "right"))) not in found


def test_taking_the_correction_back_links_again() -> None:
    world = corrected()
    before = world.names()
    world.put(crm(3, "user_id:u", "email:right"))
    world.run()
    world.remove(3, RECORDS)
    world.run(day(3))
    assert world.names() == before


def test_an_older_version_that_comes_late_changes_the_past_only() -> None:
    world = World(PLAIN)
    world.put(crm(3, "user_id:u", "email:right"))
    world.run()
    before = world.names()
    world.put(crm(1, "user_id:u", "email:wrong"))
    world.run()
    assert world.names() == before
    stitch_as_of(world.con, world.project, "user", day(2), "past")
    assert {v for (v,) in world.con.execute("SELECT value FROM past").fetchall()} == {"u", "wrong"}


def test_a_version_of_tomorrow_counts_from_tomorrow() -> None:
    world = World(PLAIN)
    world.put(crm(0, "user_id:u", "email:wrong"), crm(1, "user_id:u", "email:right", late=1))
    world.run()
    assert world.profile("email:wrong") == world.profile("user_id:u")
    world.stitch(day(2))
    assert world.profile("email:wrong") is None
    assert world.profile("email:right") == world.profile("user_id:u")


def test_versions_of_one_day_that_never_count_are_no_evidence() -> None:
    world = World(PLAIN)
    world.put(crm(0, "email:typo"), crm(0, "email:good", minute=1))
    world.run()
    assert set(world.names()) == {("email", "good")}
    assert world.con.execute("SELECT count(*) FROM identity.id_edges").fetchone() == (1,)


def test_an_id_is_as_old_as_its_first_version() -> None:
    world = World(PLAIN)
    world.put(crm(0, "user_id:u", "email:a"), row(1, "email:b", "device_id:d"))
    world.run()
    known = world.profile("user_id:u")
    world.put(crm(2, "user_id:u", "email:c"))
    world.run()
    world.put(row(3, "user_id:u", "email:b"))
    world.run()
    assert world.profile("device_id:d") == known


def test_a_link_said_again_keeps_its_place_in_the_order_of_limits() -> None:
    entity = Entity(ids={"user_id": {"max_per_profile": 1}, "email": {}, "device_id": {}, "anonymous_id": {}})
    world = World(entity)
    world.put(crm(0, "user_id:u", "email:e"), row(2, "user_id:v", "email:e"))
    world.run()
    assert world.profile("email:e") == world.profile("user_id:u")
    world.put(crm(4, "user_id:u", "email:e"))
    world.run()
    assert world.profile("email:e") == world.profile("user_id:u")
    assert world.tables() == world.rebuilt()


def test_evidence_from_before_there_were_records() -> None:
    world = World(PLAIN)
    world.put(row(0, "user_id:u", "email:e"))
    world.run()
    before = world.names()
    world.con.execute("ALTER TABLE identity.id_edges DROP COLUMN until")
    world.put(crm(1, "user_id:u", "email:f"), crm(1, "user_id:u", key="other"))
    stitch_as_of(world.con, world.project, "user", day(0), "past")
    world.run()
    assert before.items() <= world.names().items()
    assert world.profile("email:f") == world.profile("email:e")


def test_a_correction_resolves_only_who_is_concerned() -> None:
    world = World(PLAIN)
    world.put(*(crm(0, f"user_id:u{n}", f"email:e{n}", key=f"k{n}") for n in range(50)))
    assert world.run().nodes == 100
    world.put(crm(1, "user_id:u7", "email:new", key="k7"))
    assert world.run().nodes == 2
    assert world.tables() == world.rebuilt()
