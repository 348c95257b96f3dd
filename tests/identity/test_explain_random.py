"""Explanations of every pair of ids in random worlds, against brute force."""

from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.identity.test_explain import make, names, pair
from tests.identity.world import row

NODES = st.sampled_from([f"{t}:{n}" for t in ("user_id", "email", "device_id", "anonymous_id") for n in range(4)])
ROWS = st.lists(st.lists(NODES, min_size=1, max_size=3, unique_by=lambda n: n.split(":")[0]), min_size=1, max_size=14)


def explains_everything(tuples: list[list[str]]) -> None:
    """Every pair of ids is explained: a way through one profile, or a reason why there is none."""
    world = make(*(row(i % 3, *ids, minute=i) for i, ids in enumerate(tuples)))
    seen = {frozenset(p) for ids in tuples for p in ((a, b) for a in ids for b in ids if a != b)}
    blocked = {f"{t}:{v}" for (t, v), status in world.statuses().items() if status == "blocked"}
    linked = connected(seen, blocked)
    nodes = sorted({node for ids in tuples for node in ids})
    for a, b in [(a, b) for a in nodes for b in nodes if a < b][:12]:
        found = pair(world, a, b)
        path = names(found)
        assert found.together == (world.profile(a) is not None and world.profile(a) == world.profile(b))
        assert all(frozenset(step) in seen for step in pairwise(path))
        assert found.together == (not found.why)
        if found.together:
            assert len({one.profile_id for one in found.ids}) == 1
        if path:
            assert (path[0], path[-1]) == (a, b)
        assert bool(path) == (b in linked.get(a, set())), (a, b)


def connected(seen: set[frozenset[str]], blocked: set[str]) -> dict[str, set[str]]:
    """What can be reached from each node over unblocked ones, by brute force."""
    near: dict[str, set[str]] = {}
    for a, b in (sorted(edge) for edge in seen):
        if not {a, b} & blocked:
            near.setdefault(a, {a}).add(b)
            near.setdefault(b, {b}).add(a)
    while True:
        wider = {a: set().union(*(near[b] for b in reach)) for a, reach in near.items()}
        if wider == near:
            return near
        near = wider


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_every_pair_is_explained(tuples: list[list[str]]) -> None:
    explains_everything(tuples)


@pytest.mark.long
@settings(max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_every_pair_of_many_worlds_is_explained(tuples: list[list[str]]) -> None:
    explains_everything(tuples)
