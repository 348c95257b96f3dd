"""Manual rules, by example: what each says, what it outranks, and that it can be taken back."""

from pathlib import Path

import pytest

from profiles_assets.cli.explain import shown_sql
from profiles_assets.identity import rules
from profiles_assets.project.entities import Entity
from profiles_assets.project.loader import load_project
from profiles_assets.project.problems import ProjectError
from tests.identity.world import TYPES, World, row

PROJECT = """
name: tiny
entities: {user: {ids: {user_id: {}, email: {normalise: email}, device_id: {}}}}
"""
SOURCES = """
sources: {web: {files: "x/{day}/*.jsonl", time: t, event_is: e, ids: {user_id: u, email: e, device_id: d}}}
"""


@pytest.fixture
def world() -> World:
    """Two people, each with an e-mail address and a device."""
    world = World(Entity(ids={t: {} for t in TYPES}))
    world.put(
        row(0, "user_id:u", "email:e", "device_id:d"),
        row(0, "user_id:v", "email:f", "device_id:d2", minute=5),
    )
    world.run()
    return world


def told(world: World, action: str, *ids: str) -> World:
    world.rule(action, *ids)
    world.gather()
    expected = world.rebuilt()
    world.stitch()
    assert world.tables() == expected
    return world


def violations(world: World) -> list[tuple]:
    return world.con.execute("SELECT rule, value, detail FROM identity.identity_violations ORDER BY ALL").fetchall()


def test_a_link_outranks_the_limit_of_a_profile(world: World) -> None:
    told(world, "link", "user_id:u", "user_id:v")
    assert world.profile("user_id:u") == world.profile("user_id:v")
    assert violations(world) == []


def test_a_rule_that_is_taken_back_leaves_no_trace(world: World) -> None:
    before = world.names()
    told(world, "link", "email:e", "email:f")
    assert world.profile("email:e") == world.profile("email:f")
    world.rules.clear()
    world.run()
    assert world.names() == before


def test_the_ended_id_leads_to_the_living_profile_until_it_lives_again(world: World) -> None:
    u, v = world.profile("user_id:u"), world.profile("user_id:v")
    told(world, "link", "user_id:u", "user_id:v")
    kept = world.profile("user_id:u")
    (ended,) = {u, v} - {kept}
    query = "SELECT alias, profile_id FROM identity.profile_aliases"
    assert world.con.execute(query).fetchall() == [(ended, kept)]
    world.rules.clear()
    world.run()
    assert world.con.execute(query).fetchall() == []


def test_unlinked_ids_are_never_one_person_and_the_lesser_link_yields(world: World) -> None:
    world.put(row(1, "user_id:u", "email:new"))
    world.run()
    told(world, "unlink", "email:new", "device_id:d")
    assert world.profile("device_id:d") is not None
    assert world.profile("device_id:d") != world.profile("email:new") == world.profile("user_id:u")
    assert [(rule, value) for rule, value, _ in violations(world)] == [("unlink", "d")]


def test_unlink_outranks_a_link_that_would_bring_its_ids_together(world: World) -> None:
    told(world, "link", "email:e", "email:f")
    told(world, "unlink", "user_id:u", "user_id:v")
    assert world.profile("user_id:u") != world.profile("user_id:v")


def test_of_two_rules_about_the_same_ids_the_later_holds(world: World) -> None:
    told(world, "unlink", "email:e", "email:f")
    told(world, "link", "email:f", "email:e")
    assert world.profile("email:e") == world.profile("email:f")


def test_a_quarantined_id_is_nobody_and_joins_nobody(world: World) -> None:
    world.put(row(1, "email:e", "device_id:d3"), row(1, "email:f", "device_id:d3"))
    told(world, "quarantine", "email:e")
    assert world.profile("email:e") is None
    assert world.profile("device_id:d3") == world.profile("email:f")
    assert ("quarantined", "e", "a manual rule quarantines it") in violations(world)


def test_allow_lifts_guards_and_blocks(world: World) -> None:
    world.put(
        row(1, "user_id:u", "device_id:shared"),
        row(1, "user_id:v", "device_id:shared", minute=9),
        row(1, "user_id:u", "email:unknown"),
    )
    world.run()
    assert world.statuses()["device_id", "shared"] == "bridge"
    told(world, "allow", "device_id:shared")
    assert world.profile("device_id:shared") == world.profile("user_id:u")
    told(world, "allow", "email:unknown")
    assert world.profile("email:unknown") == world.profile("user_id:u")


def test_a_rule_waits_for_its_ids(world: World) -> None:
    told(world, "link", "user_id:u", "email:later")
    assert world.profile("email:later") is None
    world.put(row(2, "email:later", "device_id:d9"))
    world.run()
    assert world.profile("device_id:d9") == world.profile("user_id:u")


def test_people_linked_by_hand_are_one_known_person(world: World) -> None:
    told(world, "link", "user_id:u", "user_id:v")
    world.put(row(1, "user_id:u", "device_id:both"), row(1, "user_id:v", "device_id:both"))
    world.run()
    assert world.profile("device_id:both") == world.profile("user_id:u")


def test_every_rule_tells_what_became_of_it(world: World) -> None:
    world.put(row(1, "user_id:u", "email:unknown"))
    for action, *ids in (
        ("unlink", "email:e", "email:f"),
        ("link", "email:e", "email:f"),
        ("link", "email:e", "email:unknown"),
        ("allow", "email:never"),
    ):
        world.rule(action, *ids)
    world.run()
    world.rule("quarantine", "email:f")
    found = rules.listed(world.con, world.project, "user", shown_sql(world.project, "user", False))
    assert [(r.action, r.state) for r in found] == [
        ("unlink", rules.OVERRULED),
        ("link", rules.IN_FORCE),
        ("link", rules.BARRED),
        ("allow", rules.WAITS),
        ("quarantine", rules.NOT_YET),
    ]


def test_files_of_rules_are_read_and_all_their_mistakes_told(tmp_path: Path) -> None:
    (tmp_path / "project.yml").write_text(PROJECT)
    (tmp_path / "sources.yml").write_text(SOURCES)
    (tmp_path / "rules.yml").write_text(
        "rules:\n  - link: [email:A@x.org, user_id:1]\n    why: told us\n  - quarantine: device_id:kiosk\n"
    )
    (tmp_path / "rules.csv").write_text("action,id,other,who,why\nunlink,email:a@x.org,user_id:2,ann,\n")
    found = load_project(tmp_path).rules
    assert [(r.action, r.id, r.other, r.origin) for r in found] == [
        ("link", ("email", "A@x.org"), ("user_id", "1"), "rules.yml:2"),
        ("quarantine", ("device_id", "kiosk"), None, "rules.yml:4"),
        ("unlink", ("email", "a@x.org"), ("user_id", "2"), "rules.csv:2"),
    ]
    (tmp_path / "rules.yml").write_text(
        "rules:\n  - link: [email:a, emial:b]\n  - lnk: [email:a, email:b]\n"
        "  - allow: nothing\n  - quarantine: email:a\n    allow: email:a\n"
    )
    (tmp_path / "rules.csv").write_text("action,id,other\nlinc,email:a,email:b\nlink,email:a,email:a\n")
    with pytest.raises(ProjectError) as error:
        load_project(tmp_path)
    text = str(error.value)
    for part in (
        'rules.yml:2: "emial" is no id type of this project; did you mean "email"?',
        'rules.yml:3: unknown key "lnk" in rule "1"; did you mean "link"?',
        '"nothing" is not an id; write type:value',
        "a rule has exactly one of link, unlink, quarantine, allow",
        'rules.csv:2: "linc" is no kind of rule; did you mean "link"?',
        "rules.csv:3: link: both ids are email:a; name two different ids",
    ):
        assert part in text
