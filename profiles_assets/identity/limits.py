"""Limits of values per profile: where a component breaks one, the later, lower-priority link yields.

A component that breaks a limit is put together again from all its edges, one after another in the order of
(rule priority, earliest event time, keys); an edge that would give a profile too many values yields. The rule
priority of an edge is the pair of the declared positions of its two id types, the earlier declared first:
links of the id type declared first come before all others, and among them those to the second.
"""

from dataclasses import dataclass

import numpy as np

from profiles_assets.identity.components import Edges
from profiles_assets.identity.graph import NONE, Flags, Graph, Ints, Rules


@dataclass(frozen=True)
class Links:
    """Distinct edges with their earliest event time and the number of events behind them."""

    a: Ints
    b: Ints
    seen: Ints
    count: Ints


@dataclass(frozen=True)
class Limited:
    """Profile number of each node (-1 outside profiles), and the links that yielded to which id type's limit."""

    profile: Ints
    yielded: Links
    about: Ints


def enforce_limits(graph: Graph, rules: Rules, edges: Edges, component: Ints, alive: Flags) -> Limited:
    """Split components that break a limit; all others become one profile each."""
    broken = _broken(graph, rules, component, alive)
    inside = broken[component[edges.a]]
    links = in_order(graph, distinct_links(graph, Edges(edges.a[inside], edges.b[inside], edges.tuples[inside])))
    union = _CappedUnion(graph, rules)
    limits = [union.join(int(a), int(b)) for a, b in zip(links.a, links.b, strict=True)]
    about = np.array(limits, dtype=np.int64)
    out = about != NONE
    profile = component.copy()
    split = np.flatnonzero(alive & broken[component]) if out.any() else np.zeros(0, dtype=np.int64)
    profile[split] = len(broken) + np.array([union.find(int(node)) for node in split], dtype=np.int64)
    return Limited(np.where(alive, profile, NONE), _pick(links, out), about[out])


def distinct_links(graph: Graph, edges: Edges) -> Links:
    """The distinct pairs among edges."""
    size = len(graph.keys)
    pairs, at = np.unique(edges.a * size + edges.b, return_inverse=True)
    seen = np.full(len(pairs), np.iinfo(np.int64).max)
    count = np.zeros(len(pairs), dtype=np.int64)
    np.minimum.at(seen, at, graph.seen[edges.tuples])
    np.add.at(count, at, graph.counts[edges.tuples])
    return Links(pairs // max(size, 1), pairs % max(size, 1), seen, count)


def in_order(graph: Graph, links: Links) -> Links:
    """Links in the order in which they count: rule priority, earliest event time, keys."""
    low, high = graph.keys[links.a], graph.keys[links.b]
    ranks = graph.types[links.a], graph.types[links.b]
    return _pick(links, np.lexsort((high, low, links.seen, ranks[1], ranks[0])))


def _broken(graph: Graph, rules: Rules, component: Ints, alive: Flags) -> Flags:
    size = int(component.max(initial=NONE)) + 1
    broken = np.zeros(size, dtype=np.bool_)
    for kind, cap in rules.max_per_profile.items():
        broken |= np.bincount(component[alive & (graph.types == kind)], minlength=size) > cap
    return broken


def _pick(links: Links, chosen: Ints | Flags) -> Links:
    return Links(links.a[chosen], links.b[chosen], links.seen[chosen], links.count[chosen])


class _CappedUnion:
    """Union-find over nodes in which no set ever holds more nodes of a type than its limit."""

    def __init__(self, graph: Graph, rules: Rules) -> None:
        self.types, self.caps = graph.types, rules.max_per_profile
        self.parent: dict[int, int] = {}
        self.held: dict[int, dict[int, int]] = {}

    def find(self, node: int) -> int:
        """Representative of the set of a node."""
        root = node
        while (above := self.parent.get(root, root)) != root:
            root = above
        while (above := self.parent.get(node, node)) != root:
            self.parent[node], node = root, above
        return root

    def join(self, a: int, b: int) -> int:
        """Unite two sets; returns -1, or the id type whose limit forbids it."""
        root, other = self.find(a), self.find(b)
        if root == other:
            return NONE
        mine, theirs = self._holds(root), self._holds(other)
        for kind, cap in self.caps.items():
            if mine.get(kind, 0) + theirs.get(kind, 0) > cap:
                return kind
        self.parent[other] = root
        self.held[root] = {kind: mine.get(kind, 0) + theirs.get(kind, 0) for kind in self.caps}
        return NONE

    def _holds(self, root: int) -> dict[int, int]:
        if root not in self.held:
            kind = int(self.types[root])
            self.held[root] = {kind: 1} if kind in self.caps else {}
        return self.held[root]
