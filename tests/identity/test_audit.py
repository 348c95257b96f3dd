"""Audits: their numbers against brute force, what is suspicious, what changed, and the asset."""

import json
import shutil
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from profiles_assets.identity.audit import Audit, compute_audit
from profiles_assets.identity.audit_assets import MEANING, _metadata, build_audit_assets
from profiles_assets.identity.audit_checks import largest_is_plausible, no_conflicting_ids
from profiles_assets.identity.audit_conflicts import single_types
from profiles_assets.identity.audit_page import audit_html, audit_pictures, audit_svg
from profiles_assets.identity.audit_store import COLUMNS, AuditChange, change_since, write_audit
from profiles_assets.identity.audit_words import parts, table_lines
from profiles_assets.identity.explain_read import as_it_is, masked_id
from profiles_assets.project.entities import Entity
from profiles_assets.project.loader import load_project
from tests.identity.test_explain import IDS, make, rule
from tests.identity.world import World, day, row
from tests.oracles.identity import tuple_key
from tests.shop import lake_of


def audited(world: World) -> Audit:
    return compute_audit(world.con, world.project, "user", as_it_is)


def busy() -> World:
    """A world with a bridge, blocked values, links that yield, and people alone."""
    return make(
        *(row(0, f"user_id:u{n}", "device_id:shop", minute=n) for n in range(4)),
        row(0, "user_id:null", "email:e"),
        row(0, "user_id:null", "email:f"),
        row(1, "user_id:u0", "email:e"),
        row(1, "user_id:u0", "email:e", "anonymous_id:a"),
        row(2, "user_id:u1", "email:e", minute=5),
    )


def test_the_numbers_are_those_of_the_ids() -> None:
    world = busy()
    found = audited(world)
    rows = world.names("status")
    profiles = Counter(world.names().values())
    assert found.numbers == {
        "ids": len(rows),
        "stitched": sum(profiles.values()),
        "components": len(world.groups("component")),
        "blocked": 1,
        "quarantined": 1,
        "yielded": 1,
        "profiles": len(profiles),
        "singletons": sum(n == 1 for n in profiles.values()),
        "largest": 3,
        "conflicting": 0,
    }
    assert [(s.least, s.most, s.profiles, s.components) for s in found.sizes] == [
        (1, 1, 4, 3),
        (2, 3, 1, 0),
        (4, 7, 0, 1),
    ]
    assert {t.id_type: (t.ids, t.alone, t.nobody) for t in found.types} == {
        "user_id": (5, 3, 1), "email": (2, 1, 0), "device_id": (1, 0, 1), "anonymous_id": (1, 0, 0),
    }  # fmt: skip
    assert found.types[0].share_alone == 3 / 4


def test_it_tells_what_each_guard_left_out() -> None:
    found = audited(busy())
    guards = [(g.rule, g.id_type, g.dropped, g.events) for g in found.guards]
    assert sorted(guards)[:2] == [("blocked", "user_id", 1, 2), ("bridge", "device_id", 1, 4)]
    assert [(rule, dropped, events) for rule, _, dropped, events in guards if rule == "limit"] == [("limit", 1, 1)]
    assert [(h.id, h.rule, h.number) for h in found.hubs] == [("device_id:shop", "bridge", 3)]


def test_rules_are_in_force_or_idle() -> None:
    world = busy()
    rule(world, "link", "user_id:u2", "email:f")
    world.con.execute(
        "INSERT INTO identity.applied_rules VALUES ('user', 'quarantine', 77, NULL, 'bo', '', 'rules.csv:9')"
    )
    found = {r.action: r for r in audited(world).rules}
    assert (found["link"].ids, found["link"].idle, found["link"].who) == (["user_id:u2", "email:f"], False, "ann")
    assert (found["quarantine"].ids, found["quarantine"].idle) == ([], True)


def test_normalised_values_are_counted_where_they_are_noted() -> None:
    world = busy()
    world.con.execute(
        "CREATE TABLE ops.normalised AS SELECT * FROM (VALUES ('web', DATE '2024-01-01', 'email', 3, 1), "
        "('app', DATE '2024-01-01', 'email', 4, 0)) t(source, day, id_type, changed, filtered)"
    )
    found = {t.id_type: (t.changed, t.filtered) for t in audited(world).types}
    assert found["email"] == (7, 1)
    assert found["user_id"] == (0, 0)


def test_the_largest_profiles_are_looked_into() -> None:
    one = [row(0, "email:a", f"device_id:d{n}") for n in range(3)] + [
        row(0, "email:b", f"device_id:d{n}") for n in (7, 8)
    ]
    world = make(*one, row(1, "email:a", "anonymous_id:x"), row(1, "email:b", "anonymous_id:x"), ids=FREE)
    (large,) = audited(world).largest
    assert (large.ids, large.types) == (8, {"email": 2, "device_id": 5, "anonymous_id": 1})
    assert (large.bridges, large.joints) == (2, 1)
    assert large.weakest == "email:a – anonymous_id:x, 1 record, cuts off 4 ids"


FREE = {name: {"max_bridged": 9} if name in ("device_id", "anonymous_id") else {} for name in IDS}


def test_several_user_ids_in_a_profile_are_a_conflict() -> None:
    world = make(row(0, "user_id:u0", "email:e"), row(0, "user_id:u1", "email:e"), guards="none")
    found = audited(world)
    assert [(c.what, c.values, c.by_rule) for c in found.conflicts.ids] == [("user_id", 2, False)]
    assert no_conflicting_ids(found)[0] is False
    rule(world, "link", "user_id:u0", "user_id:u1")
    linked = audited(world)
    assert linked.conflicts.ids[0].by_rule
    assert no_conflicting_ids(linked)[0] is True


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        (IDS, ["user_id"]),
        ({"customer": {}, "email": {}}, ["customer"]),
        ({"cookie_id": {}, "email": {"max_per_profile": 1}, "card": {}}, ["email"]),
    ],
)
def test_of_which_ids_a_person_has_one(ids: Any, expected: list[str]) -> None:
    assert single_types(Entity.model_validate({"ids": ids, "guards": "none"})) == expected


def test_ids_of_one_profile_that_tell_different_names_are_a_conflict() -> None:
    alone = [row(0, "user_id:u"), row(0, "email:e"), row(0, "user_id:w"), row(0, "user_id:u", "email:e")]
    world = make(*alone, row(0, "email:e", "anonymous_id:a"))
    for number, (ids, name) in enumerate([("user_id:u", "Bob"), ("user_id:u email:e", "Ann"), ("email:e", " ann "),
                                          ("user_id:w", "Zoe"), ("email:e anonymous_id:a", "ANN")]):  # fmt: skip
        tell(world, ids, name, number)
    assert audit_with_traits(world).conflicts.traits == []
    tell(world, "email:e", "Dora", 9)
    (conflict,) = audit_with_traits(world).conflicts.traits
    assert (conflict.what, conflict.values) == ("first_name", 2)
    assert conflict.profile_id == world.profile("user_id:u")


def tell(world: World, ids: str, name: str, minute: int) -> None:
    """Add a record that tells a name to the raw events of ids seen before."""
    world.con.execute("ALTER TABLE raw_events.web ADD COLUMN IF NOT EXISTS identify_traits VARCHAR")
    world.con.execute("ALTER TABLE raw_events.web ADD COLUMN IF NOT EXISTS file VARCHAR")
    world.con.execute("ALTER TABLE raw_events.web ADD COLUMN IF NOT EXISTS position BIGINT")
    one = row(0, *ids.split(), minute=minute)
    world.con.execute(
        "INSERT INTO raw_events.web BY NAME SELECT ? AS day, ? AS event_day, ? AS time, false AS duplicate, "
        "? AS tuple_user, ? AS identify_traits, 'f' AS file, 1 AS position",
        [one.day, one.event_day, one.time, tuple_key(one.ids), json.dumps({"first_name": name, "city": f"{minute}"})],
    )


def audit_with_traits(world: World) -> Audit:
    sources = {
        name: source.model_copy(update={"identify_traits": "traits"} if name == "web" else {})
        for name, source in world.project.sources.items()
    }
    return compute_audit(world.con, replace(world.project, sources=sources), "user", as_it_is)


def test_an_audit_compares_with_the_one_before() -> None:
    world = busy()
    before = audited(world)
    assert change_since(world.con, before) is None
    write_audit(world.con, before)
    assert change_since(world.con, before) is None
    world.put(row(3, "email:f", "user_id:u3"), row(3, "user_id:new"))
    world.run()
    now = audited(world)
    change = change_since(world.con, now)
    assert change is not None
    assert (change.as_of, change.numbers) == (day(2), before.numbers)
    assert change.logged == {"created": 1, "merged": 1}
    write_audit(world.con, now)
    assert change_since(world.con, now) == change
    assert world.con.execute("SELECT seq, ids FROM identity.audits ORDER BY seq").fetchall() == [
        (1, before.numbers["ids"]), (2, before.numbers["ids"] + 1)
    ]  # fmt: skip
    numbers = next(part for part in parts(now, change) if part.title == "numbers")
    assert numbers.rows[0] == ("ids", 10, 9, "+1")
    assert numbers.note == "since the last audit 1 created, 1 merged"


def test_an_incremental_run_is_audited_like_a_full_one() -> None:
    daily, at_once = make(row(0, "user_id:u", "email:e")), World(Entity.model_validate({"ids": IDS}))
    rows = [row(n, f"user_id:u{n % 3}", f"email:e{n}", "device_id:tv") for n in range(1, 5)]
    for one in rows:
        daily.put(one)
        daily.run()
    at_once.put(row(0, "user_id:u", "email:e"), *rows)
    at_once.run()
    unlike = {"version": "", "logged": 0, "largest": []}
    assert replace(audited(daily), **unlike) == replace(audited(at_once), **unlike)


@pytest.mark.parametrize(
    ("largest", "stitched", "before", "passes"),
    [(99, 99, None, True), (100, 9_000, None, False), (100, 10_000, None, True), (100, 10_000, 49, False),
     (100, 10_000, 50, True), (90, 10_000, 10, True)],
)  # fmt: skip
def test_the_largest_profile_may_not_be_too_large_nor_grow_too_fast(
    largest: int, stitched: int, before: int | None, passes: bool
) -> None:
    audit = Audit("user", day(0), "v", 0, {"largest": largest, "stitched": stitched})
    change = None if before is None else AuditChange(day(0), {"largest": before})
    assert largest_is_plausible(audit, change)[0] is passes


def test_the_page_needs_nothing_beside_it_and_escapes_what_it_shows() -> None:
    world = make(
        *(row(0, f"user_id:u{n}", "device_id:<b>&") for n in range(2)),
        row(1, "user_id:u0", "email:e", "anonymous_id:a"),
    )
    found = audited(world)
    page = audit_html("shop & co", [(found, None)])
    assert "&lt;b&gt;&amp;" in page
    assert "<b>" not in page
    assert "shop &amp; co" in page
    assert "http" not in page.replace("http://www.w3.org/2000/svg", "")
    assert page.count("<svg") == len(audit_pictures(found)) == 5
    picture = audit_svg([found])
    assert picture.startswith("<svg")
    assert picture.count("<svg ") == 6
    assert all(line for part in parts(found, None) for line in table_lines(part))


def test_an_entity_without_ids_can_be_audited() -> None:
    world = World(Entity.model_validate({"ids": IDS}))
    found = audited(world)
    assert found.numbers["ids"] == found.numbers["largest"] == 0
    assert found.as_of is None
    assert audit_html("empty", [(found, None)])


def test_the_asset_keeps_one_row_for_each_state_and_shows_no_value(shop: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(shop, tmp_path / "shop"))
    lake, project = lake_of(root), load_project(root)
    (asset,) = build_audit_assets(project)
    assert MEANING.keys() == COLUMNS.keys()
    for _ in range(2):
        result = dg.materialize([asset], resources={"lake": lake}, selection=[asset])
        assert result.success
        checks = {check.check_name: check.passed for check in result.get_asset_check_evaluations()}
        assert checks == {"largest_profile_is_plausible": True, "no_conflicting_ids": True}
    with lake.get_connection() as con:
        assert con.execute("SELECT count(*) FROM identity.audits").fetchone() == (1,)
        values = [
            r[0] for r in con.execute("SELECT value FROM identity.stitched_ids WHERE length(value) > 6").fetchall()
        ]
        told = json.dumps(asdict(compute_audit(con, project, "user", masked_id)), default=str)
    (made,) = result.asset_materializations_for_node("identity_audit")
    told += str({name: entry.value for name, entry in made.metadata.items()})
    assert made.metadata["user/profiles"].value > 100
    assert "bridge" in told
    assert not [value for value in values if value in told and value not in ("undefined", "noreply@shop.example")]


def test_the_asset_shows_no_words_that_people_wrote() -> None:
    world = busy()
    rule(world, "link", "user_id:u2", "email:f")
    found = audited(world)
    shown = str(_metadata("user", found, None)["user/report"].value)
    assert "in force" in shown
    assert "they called" not in shown
    assert any("they called" in line for part in parts(found, None) for line in table_lines(part))
