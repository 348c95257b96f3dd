"""Explanations of ids that are together, of ids that are apart, and of whole profiles."""

from datetime import date
from typing import Any

import pytest

from profiles_assets.identity.explain import Explanation, explain_pair
from profiles_assets.identity.explain_apart import find_route
from profiles_assets.identity.explain_links import stage_pairs
from profiles_assets.identity.explain_profile import ProfileGraph, explain_profile
from profiles_assets.identity.explain_read import UnknownIdError, as_it_is, find_asked, masked_id, stage_reading
from profiles_assets.identity.explain_words import graph_lines, pair_lines
from profiles_assets.project.entities import Entity
from tests.identity.world import World, day, row

IDS = {"user_id": {}, "email": {}, "device_id": {}, "anonymous_id": {}}


def make(*rows: Any, **entity: Any) -> World:
    world = World(Entity.model_validate({"ids": IDS} | entity))
    world.put(*rows)
    world.run()
    return world


def rule(world: World, action: str, a: str, b: str | None = None) -> None:
    """Write a rule as the last stitch would have applied it."""
    world.con.execute(
        "CREATE TABLE IF NOT EXISTS identity.applied_rules (entity VARCHAR, action VARCHAR, key BIGINT, "
        "other_key BIGINT, who VARCHAR, why VARCHAR, origin VARCHAR)"
    )
    keys = [find_asked(world.con, world.project, node).key if node else None for node in (a, b)]
    world.con.execute(
        "INSERT INTO identity.applied_rules VALUES ('user', ?, ?, ?, 'ann', 'they called', 'rules.yml:3')",
        [action, *keys],
    )


def pair(world: World, a: str, b: str) -> Explanation:
    as_of = stage_reading(world.con, "user", as_it_is)
    return explain_pair(world.con, *(find_asked(world.con, world.project, word) for word in (a, b)), as_of)


def graph(world: World, asked: str, **options: Any) -> ProfileGraph:
    as_of = stage_reading(world.con, "user", as_it_is)
    return explain_profile(world.con, find_asked(world.con, world.project, asked), as_of, **options)


def names(found: Explanation) -> list[str]:
    return [one.name for one in found.ids]


def test_the_shortest_path_tells_its_evidence() -> None:
    world = make(
        row(0, "user_id:u", "email:e", minute=3),
        row(2, "user_id:u", "email:e", source="app", minute=7),
        row(1, "email:e", "device_id:d"),
        row(1, "device_id:d", "anonymous_id:a", minute=9),
    )
    found = pair(world, "user_id:u", "anonymous_id:a")
    assert found.together
    assert names(found) == ["user_id:u", "email:e", "device_id:d", "anonymous_id:a"]
    first = found.links[0]
    assert (first.count, first.sources, first.first_day, first.last_day) == (2, ["app", "web"], day(0), day(2))
    assert [f"{t:%d %H:%M}" for t in (first.first_seen, first.last_seen) if t] == ["01 00:03", "03 00:07"]
    lines = pair_lines(found)
    assert "one user: profile" in lines[0]
    assert (
        "  │  2 records of app, web; loaded 2024-01-01 to 2024-01-03; seen 2024-01-01 00:03 to 2024-01-03 00:07"
        in lines
    )


def test_ids_of_one_record_are_one_step_apart_and_more_records_win() -> None:
    world = make(
        row(0, "user_id:u", "email:e", "device_id:d"),
        row(0, "email:e", "anonymous_id:a", minute=1),
        row(0, "email:e", "anonymous_id:a", minute=2),
        row(0, "device_id:d", "anonymous_id:a", minute=1),
    )
    assert names(pair(world, "email:e", "device_id:d")) == ["email:e", "device_id:d"]
    assert names(pair(world, "user_id:u", "anonymous_id:a")) == ["user_id:u", "email:e", "anonymous_id:a"]


def test_a_bridge_keeps_people_apart_and_says_its_numbers() -> None:
    world = make(*(row(0, f"user_id:u{n}", "device_id:shop") for n in range(3)), row(0, "user_id:u0", "email:e"))
    found = pair(world, "email:e", "user_id:u2")
    assert not found.together
    assert names(found) == ["email:e", "user_id:u0", "device_id:shop", "user_id:u2"]
    assert found.why == ["device_id:shop is quarantined as a bridge: seen with 3 known people, at most 1 allowed"]


def test_a_hub_keeps_people_apart() -> None:
    ids = IDS | {"device_id": {"max_linked": {"email": 2}, "max_bridged": 9}}
    world = make(*(row(0, f"email:e{n}", "device_id:tv") for n in range(4)), ids=ids)
    assert pair(world, "email:e0", "email:e3").why == [
        "device_id:tv is quarantined as a hub: seen with 4 values of email, at most 2 allowed"
    ]


def test_a_link_that_yielded_to_a_limit_keeps_people_apart() -> None:
    world = make(row(0, "user_id:u0", "email:e"), row(1, "user_id:u1", "email:e"), row(1, "user_id:u1", "device_id:d"))
    found = pair(world, "email:e", "device_id:d")
    assert names(found) == ["email:e", "user_id:u1", "device_id:d"]
    (why,) = found.why
    assert why.startswith("the link email:e – user_id:u1 yielded: a profile has at most 1 of user_id")
    assert found.links[0].yielded


def test_the_yielded_link_of_a_record_is_named_for_its_other_ids() -> None:
    world = make(row(0, "user_id:u0", "email:e"), row(1, "user_id:u1", "email:e", "anonymous_id:a"))
    found = pair(world, "email:e", "anonymous_id:a")
    assert not found.together
    assert len(found.why) == 1
    assert "user_id:u1 – email:e" in found.why[0] or "email:e – user_id:u1" in found.why[0]
    assert "at most 1 of user_id" in found.why[0]


def test_rules_that_people_gave_are_told_with_who_and_why() -> None:
    ids = IDS | {"device_id": {"max_bridged": 9}}
    world = make(row(0, "user_id:u0", "email:e0"), row(0, "user_id:u1", "email:e1"), row(0, "email:e1", "device_id:d"),
                 ids=ids)  # fmt: skip
    rule(world, "link", "email:e0", "device_id:d")
    world.con.execute("UPDATE identity.stitched_ids SET profile_id = 'p', profile_key = 1")
    found = pair(world, "user_id:u0", "device_id:d")
    assert names(found) == ["user_id:u0", "email:e0", "device_id:d"]
    assert found.links[1].count == 0
    assert found.links[1].rule
    assert found.links[1].rule.words == "by ann: they called (rules.yml:3)"
    assert "  │  linked by ann: they called (rules.yml:3)" in pair_lines(found)


def test_an_id_quarantined_by_a_rule_and_an_unlinked_pair_say_who_wanted_it() -> None:
    world = make(
        *(row(0, f"user_id:u{n}", "email:info") for n in range(2)), ids=IDS | {"user_id": {"max_per_profile": 9}}
    )
    world.con.execute(
        "UPDATE identity.stitched_ids SET profile_id = CASE WHEN id_type = 'user_id' THEN value END, "
        "profile_key = CASE WHEN id_type = 'user_id' THEN key END, status = if(id_type = 'email', 'quarantined', 'ok')"
    )
    rule(world, "quarantine", "email:info")
    rule(world, "unlink", "user_id:u0", "user_id:u1")
    assert pair(world, "user_id:u0", "user_id:u1").why == [
        "email:info is quarantined by a rule: by ann: they called (rules.yml:3)",
        "a rule keeps the two profiles apart, by ann: they called (rules.yml:3)",
    ]


def test_nothing_connects_strangers_and_blocked_values_are_no_way() -> None:
    world = make(row(0, "user_id:null", "email:a"), row(0, "user_id:null", "email:b"), row(0, "user_id:u"))
    assert pair(world, "email:a", "user_id:u").why == ["nothing connects them"]
    assert pair(world, "email:a", "email:b").why == [
        "nothing connects them",
        "both were seen with user_id:null, but it is a blocked value",
    ]
    assert pair(world, "user_id:null", "email:b").why == [
        "user_id:null is a blocked value: this value identifies nobody"
    ]


def test_a_way_over_several_shared_ids_is_found_from_both_ends() -> None:
    devices = [row(0, f"user_id:u{n}", f"device_id:d{n}") for n in range(5)]
    shared = [row(1, f"user_id:u{n + 1}", f"device_id:d{n}") for n in range(4)]
    found = pair(make(*devices, *shared), "user_id:u0", "device_id:d4")
    assert names(found)[:-1] == [f"{t}:{n}" for i in range(5) for t, n in
                                 [("user_id", f"u{i}"), ("device_id", f"d{i}")]][:-1]  # fmt: skip
    assert len(found.why) == 4


def test_a_kiosk_with_many_neighbours_is_a_way_but_not_followed_for_ever() -> None:
    crowd = [row(0, f"user_id:u{n:04}", "device_id:kiosk") for n in range(400)]
    world = make(*crowd, row(0, "user_id:far", "email:far"))
    assert names(pair(world, "user_id:u0001", "user_id:u0002"))[1] == "device_id:kiosk"
    assert pair(world, "user_id:u0001", "user_id:far").why == ["nothing connects them"]
    other = [row(1, f"user_id:v{n:04}", "device_id:kiosk2") for n in range(400)]
    world.put(*other)
    world.run()
    stage_reading(world.con, "user", as_it_is)
    keys = [find_asked(world.con, world.project, f"user_id:{name}").key for name in ("u0001", "v0001")]
    assert "too many to follow" in find_route(world.con, *keys, most=100).stopped
    assert not find_route(world.con, *keys).stopped


def test_the_graph_of_a_profile_has_what_is_beside_it() -> None:
    world = make(
        row(0, "user_id:u0", "email:e", "device_id:tv"),
        row(0, "user_id:u0", "anonymous_id:a"),
        row(0, "user_id:u2", "device_id:tv"),
        row(1, "user_id:u1", "email:e", minute=5),
    )
    found = graph(world, "email:e")
    assert {one.name for one in found.ids} == {"user_id:u0", "email:e", "anonymous_id:a"}
    assert {(link.count) for link in found.links} == {1}
    assert len(found.links) == 2
    assert {one.name for one in found.beside} == {"device_id:tv", "user_id:u1"}
    text = graph_lines(found)
    assert text[2:5] == ["email:e", f"└─ user_id:u0   {LINK}", f"   └─ anonymous_id:a   {LINK}"]
    assert any("user_id:u1 is in profile" in line and "at most 1 of user_id" in line for line in text)
    assert any("device_id:tv is quarantined as a bridge" in line for line in text)


LINK = "1 record of web; loaded 2024-01-01; seen 2024-01-01 00:00 to 2024-01-01 00:00"


def test_the_graph_of_an_id_of_nobody_shows_whom_it_was_seen_with() -> None:
    world = make(*(row(0, f"user_id:u{n}", "device_id:tv") for n in range(3)), row(0, "user_id:null", "email:e"))
    text = graph_lines(graph(world, "device_id:tv"))
    assert text[0].startswith("device_id:tv, nobody's   bridge")
    assert [line.split()[1] for line in text[3:6]] == ["user_id:u0", "user_id:u1", "user_id:u2"] or len(text[3:6]) == 3
    assert graph(world, "user_id:null").notes.popitem()[1].startswith("user_id:null is a blocked value")
    assert not graph(world, "user_id:null").beside


def test_a_crowded_profile_is_cut_to_the_ids_seen_most() -> None:
    rows = [row(0, "user_id:u", f"email:e{n:03}", minute=m) for n in range(30) for m in range(1 + (n == 7))]
    found = graph(make(*rows), "user_id:u", most=5)
    assert found.size == 31
    assert len(found.ids) == 5
    assert "email:e007" in {one.name for one in found.ids}
    assert any("and 23 more" in line for line in graph_lines(graph(make(*rows), "user_id:u"), most=8))


def test_an_unknown_id_is_told() -> None:
    world = make(row(0, "user_id:u"))
    for word, said in (("emial:x", 'did you mean "email"'), ("email:x", "never seen"), ("beef", "no profile id")):
        with pytest.raises(UnknownIdError, match=said):
            find_asked(world.con, world.project, word)
    profile = world.profile("user_id:u")
    assert find_asked(world.con, world.project, str(profile)).profile_id == profile


def test_an_ended_profile_id_stands_for_what_it_became() -> None:
    world = make(row(0, "user_id:u"), row(0, "email:e", minute=1))
    ended = {world.profile("user_id:u"), world.profile("email:e")}
    world.put(row(1, "user_id:u", "email:e"))
    world.run()
    ended -= {world.profile("user_id:u")}
    assert find_asked(world.con, world.project, str(ended.pop())).profile_id == world.profile("email:e")


def test_values_are_shown_as_they_may_be() -> None:
    world = make(row(0, "user_id:u", "email:somebody@mail.example"))
    as_of = stage_reading(world.con, "user", masked_id)
    asked = find_asked(world.con, world.project, "email:somebody@mail.example")
    assert {one.value for one in explain_profile(world.con, asked, as_of).ids} == {"som***@mail.example", "***"}


def test_evidence_of_later_days_does_not_count() -> None:
    world = make(row(0, "user_id:u", "email:e"), row(3, "user_id:u", "email:e"))
    stage_reading(world.con, "user", as_it_is, day(1))
    stage_pairs(world.con, "SELECT key FROM explain_ids")
    assert world.con.execute("SELECT DISTINCT count, last_day FROM explain_pairs").fetchall() == [(1, date(2024, 1, 1))]
