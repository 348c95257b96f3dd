"""Limits put together at once against the same, one link after another."""

from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.identity import joins, limits
from profiles_assets.identity.components import all_edges, group
from profiles_assets.identity.graph import NONE, Graph, Ints, Rules
from profiles_assets.identity.limits import Limited, enforce_limits
from profiles_assets.identity.links import NEVER, Links

RULES = [
    Rules(("user", "mail", "device", "visit"), (False, False, True, True), caps, {}, {})
    for caps in ({0: 1}, {0: 1, 1: 2}, {0: 2, 2: 1}, {1: 1, 3: 3}, {})
]


def random_graph(seed: int, nodes: int, tuples: int) -> Graph:
    """Tuples of ids of any types, with pairs that people linked and unlinked."""
    chance = np.random.default_rng(seed)
    types = np.sort(chance.integers(0, 4, nodes)).astype(np.int8)
    told = [chance.choice(nodes, 2, replace=False) for _ in range(chance.integers(0, 4))]
    seen = [chance.choice(nodes, chance.integers(2, 4), replace=False) for _ in range(tuples)]
    seen = [[m for i, m in enumerate(sorted(t)) if types[m] not in types[sorted(t)[:i]]] for t in seen]
    members = [*seen, *map(sorted, told)]
    zeros = np.zeros(nodes, dtype=np.int64)
    apart = np.array([sorted(chance.choice(nodes, 2, replace=False)) for _ in range(chance.integers(0, 4))])
    return Graph(
        np.sort(chance.choice(10 * nodes, nodes, replace=False)),
        types,
        zeros.astype(np.int8),
        np.ones(nodes, dtype=np.bool_),
        zeros,
        zeros,
        np.cumsum([0, *map(len, members)]),
        np.concatenate(members).astype(np.int64),
        np.concatenate([chance.integers(0, 9, tuples), np.full(len(told), NEVER)]),
        np.concatenate([np.ones(tuples, dtype=np.int64), np.zeros(len(told), dtype=np.int64)]),
        zeros.astype(np.bool_),
        len(told),
        (apart[:, 0], apart[:, 1]) if len(apart) else (zeros[:0], zeros[:0]),
    )


def enforced(graph: Graph, rules: Rules) -> Limited:
    alive = graph.inner
    edges = all_edges(graph, alive, range(4))
    return enforce_limits(graph, rules, edges, group(len(graph.keys), edges.a, edges.b), alive)


def one_by_one(graph: Graph, slots: Ints, links: Links) -> Ints:
    return np.arange(len(graph.keys))


def any_may_join(rules: Rules, slots: Ints, others: Ints) -> tuple[Ints, int]:
    return slots[:0], NONE


def people(found: Limited) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(found.profile == p).tolist()) for p in set(found.profile.tolist()) - {NONE}}


def check(seed: int, nodes: int, tuples: int, rules: Rules) -> None:
    graph = random_graph(seed, nodes, tuples)
    found = enforced(graph, rules)
    with patch.object(limits, "join_uncounted", one_by_one), patch.object(joins, "never_join", any_may_join):
        expected = enforced(graph, rules)
    assert people(found) == people(expected)
    for name in Links.__dataclass_fields__:
        assert getattr(found.yielded, name).tolist() == getattr(expected.yielded, name).tolist()
    assert found.about.tolist() == expected.about.tolist()


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 40), st.integers(1, 60), st.sampled_from(RULES))
def test_joined_at_once_as_one_after_another(seed: int, nodes: int, tuples: int, rules: Rules) -> None:
    check(seed, nodes, tuples, rules)


@pytest.mark.long
@settings(max_examples=5_000, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(3, 60), st.integers(1, 90), st.sampled_from(RULES))
def test_joined_at_once_as_one_after_another_long(seed: int, nodes: int, tuples: int, rules: Rules) -> None:
    check(seed, nodes, tuples, rules)
