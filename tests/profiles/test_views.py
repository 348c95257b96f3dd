"""Feature views: owners of values against brute force, over random histories of identity."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from profiles_assets.profiles.views import ViewReport, compute_view, write_view
from profiles_assets.project.entities import Entity
from profiles_assets.project.project import Declared, Project
from profiles_assets.project.views import View
from resources import progress
from resources.lake import transaction
from tests.identity.strategies import ENTITIES, Step, apply, histories
from tests.identity.world import TYPES, World, make_project, row
from tests.oracles.views import counting, owners

VIEWS = {f"by_{t}": View(key=t) for t in ("email", "device_id")}


def project_of(entity: Entity, **views: View) -> Project:
    return replace(make_project(entity), views={n: Declared(n, "user", v) for n, v in (views or VIEWS).items()})


class Viewed:
    """A world of identity whose profiles have a city each, and feature views on it."""

    def __init__(self, entity: Entity) -> None:
        self.world = World(entity)
        self.con = self.world.con

    def apply(self, steps: list[Step]) -> None:
        for step in steps:
            apply(self.world, step)

    def run(self) -> bool:
        """Identity and profiles; whether there is anybody."""
        self.world.gather()
        as_of = max((r.day for r in self.world.rows), default=None)
        if as_of is None:
            return False
        self.world.stitch()
        for name, how in (("user", "'***'"), ("user_unmasked", "'c_' || profile_id")):
            self.con.execute(
                f'CREATE OR REPLACE VIEW profiles."{name}" AS SELECT DISTINCT profile_id, {how} AS city, 1 AS email '
                "FROM identity.stitched_ids WHERE profile_id IS NOT NULL"
            )
        self.con.execute("DELETE FROM ops.as_of")
        self.con.execute("INSERT INTO ops.as_of VALUES ('user', ?)", [as_of])
        state = hashlib.md5(repr(self.world.tables()).encode() + repr(self.world.rows).encode()).hexdigest()
        for step in ("profiles/user", "published/user"):
            progress.record(self.con, step, {"all": state})
        return True

    def update(self, project: Project, name: str) -> ViewReport:
        with transaction(self.con):
            staged = compute_view(self.con, project, name)
        with transaction(self.con):
            write_view(self.con, project, name, staged)
        return staged.report

    def keys(self, name: str) -> dict[str, tuple[str, int]]:
        rows = self.con.execute(f'FROM views."{name}_keys"').fetchall()
        assert len(rows) == len({value for value, *_ in rows})
        return {value: (profile, many) for value, profile, many in rows}

    def expected(self, id_type: str) -> dict[str, tuple[str, int]]:
        as_of = max(r.day for r in self.world.rows)
        blocked = {node for node, status in self.world.statuses().items() if status == "blocked"}
        return owners(counting(self.world.rows, as_of), id_type, self.world.names(), blocked)


def check_history(history: list[list[Step]], entity: Entity) -> None:
    viewed = Viewed(entity)
    for steps in history:
        viewed.apply(steps)
        if not viewed.run():
            continue
        for name, view in VIEWS.items():
            project = project_of(viewed.world.entity)
            report, theirs = viewed.update(project, name), viewed.expected(view.key)
            assert viewed.keys(name) == theirs
            assert (report.rows, report.conflicts) == (len(theirs), sum(many > 1 for _, many in theirs.values()))
            assert viewed.update(project, name) == replace(report, change=type(report.change)())


@settings(max_examples=8, deadline=None)
@given(history=histories(3))
def test_owners_equal_brute_force(history: list[list[Step]]) -> None:
    check_history(history, ENTITIES[0])


@pytest.mark.long
@settings(max_examples=2_000, deadline=None)
@given(history=histories(3))
def test_owners_equal_brute_force_long(history: list[list[Step]]) -> None:
    check_history(history, ENTITIES[len(history) % len(ENTITIES)])


@pytest.fixture
def shared() -> Viewed:
    """A device that two people used, the second one last, and an e-mail of the first."""
    viewed = Viewed(ENTITIES[0])
    viewed.world.put(row(0, "user_id:u1", "device_id:d"), row(0, "user_id:u1", "email:ann@x.y"))
    viewed.world.put(row(1, "user_id:u2", "device_id:d"), row(1, "user_id:u2", "email:null", "device_id:e"))
    assert viewed.run()
    return viewed


def test_a_shared_device_belongs_to_who_used_it_last(shared: Viewed) -> None:
    assert shared.world.statuses()["device_id", "d"] == "bridge"
    assert shared.update(project_of(ENTITIES[0]), "by_device_id").conflicts == 1
    second = shared.world.profile("user_id:u2")
    assert shared.keys("by_device_id") == {"d": (second, 2), "e": (second, 1)}
    shared.world.put(row(2, "user_id:u1", "device_id:d"))
    shared.run()
    assert shared.update(project_of(ENTITIES[0]), "by_device_id").change.updated == 1
    assert shared.keys("by_device_id")["d"] == (shared.world.profile("user_id:u1"), 2)


def test_at_equal_times_the_smaller_profile_id_wins() -> None:
    viewed = Viewed(ENTITIES[0])
    viewed.world.put(row(0, "user_id:u2", "device_id:d"), row(0, "user_id:u1", "device_id:d"))
    viewed.run()
    viewed.update(project_of(ENTITIES[0]), "by_device_id")
    ids = [viewed.world.profile(f"user_id:{name}") for name in ("u1", "u2")]
    assert viewed.keys("by_device_id") == {"d": (min(filter(None, ids)), 2)}


def test_blocked_values_have_no_row(shared: Viewed) -> None:
    shared.update(project_of(ENTITIES[0]), "by_email")
    assert list(shared.keys("by_email")) == ["ann@x.y"]


def test_an_unchanged_view_is_not_written(shared: Viewed) -> None:
    project = project_of(ENTITIES[0])
    shared.update(project, "by_email")
    assert not progress.applied(shared.con, "published/user")
    shared.run()
    shared.update(project, "by_email")
    assert progress.applied(shared.con, "published/user")


@pytest.mark.parametrize(
    ("pii", "personal", "seen"), [(False, False, "ann@x.y"), ("mask", False, "a***@x.y"), ("mask", True, "ann@x.y")]
)
def test_personal_keys_and_traits(shared: Viewed, pii: Any, personal: bool, seen: str) -> None:
    entity = Entity.model_validate({"ids": {t: {"pii": pii} if t == "email" else {} for t in TYPES}})
    project = project_of(entity, v=View(key="email", traits=["city"], personal=personal))
    shared.update(project, "v")
    profile = shared.world.profile("user_id:u1")
    found = shared.con.sql("FROM views.v")
    assert found.columns == ["email", "profile_id", "owners", "city"]
    assert found.fetchall() == [(seen, profile, 1, f"c_{profile}" if personal else "***")]


def test_a_changed_definition_changes_the_view(shared: Viewed) -> None:
    shared.update(project_of(ENTITIES[0], v=View(key="email", traits=["city"])), "v")
    report = shared.update(project_of(ENTITIES[0], v=View(key="user_id", traits=["city"])), "v")
    assert (report.change.inserted, report.change.deleted) == (2, 1)
    assert shared.con.sql("FROM views.v").columns == ["user_id", "profile_id", "owners", "city"]
    assert {value for value, *_ in shared.con.sql("FROM views.v").fetchall()} == {"u1", "u2"}


def test_without_profiles_there_is_no_view() -> None:
    viewed = Viewed(ENTITIES[0])
    assert viewed.update(project_of(ENTITIES[0]), "by_email") == ViewReport(None)
