"""Limits of values per profile: where a component breaks one, the later, lower-priority link yields.

A component that breaks a limit, or holds two ids that people unlinked, is put together again from all its
edges, one after another: those linked by hand, then the evidence in the order of (rule priority, earliest event
time, keys). An edge that would give a profile too many values yields, unless it was linked by hand; one that
would bring unlinked ids together yields always. The rule priority of an edge is the pair of the declared
positions of its two id types, the earlier declared first: links of the id type declared first come before all
others, and among them those to the second. Ids that no limit counts are joined first, all at once.
"""

from dataclasses import dataclass

import numpy as np

from profiles_assets.identity.components import Edges, group
from profiles_assets.identity.graph import NONE, Flags, Graph, Ints, Rules
from profiles_assets.identity.slots import caps_of, slots_of

APART = -2
NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Links:
    """Distinct edges with their earliest event time and the number of events behind them; `told` by hand or not."""

    a: Ints
    b: Ints
    seen: Ints
    count: Ints
    told: Flags


@dataclass(frozen=True)
class Limited:
    """Profile number of each node (-1 outside profiles), and the links that yielded to what.

    `about` is the id type whose limit it was, or APART.
    """

    profile: Ints
    yielded: Links
    about: Ints


def enforce_limits(graph: Graph, rules: Rules, edges: Edges, component: Ints, alive: Flags) -> Limited:
    """Split components that break a limit or hold unlinked ids; all others become one profile each."""
    slots = slots_of(graph, rules)
    broken = _broken(graph, rules, slots, component, alive)
    inside = broken[component[edges.a]]
    links = in_order(graph, distinct_links(graph, Edges(edges.a[inside], edges.b[inside], edges.tuples[inside])))
    union, joined = _CappedUnion(graph, rules, slots), join_uncounted(graph, slots, links)
    a, b = joined[links.a], joined[links.b]
    apart = np.flatnonzero(a != b)
    ends = zip(a[apart].tolist(), b[apart].tolist(), links.told[apart].tolist(), strict=True)
    about = np.full(len(a), NONE, dtype=np.int64)
    about[apart] = [union.join(*end) for end in ends]
    out = about != NONE
    profile = component.copy()
    split = np.flatnonzero(alive & broken[component]) if out.any() else np.zeros(0, dtype=np.int64)
    roots, at = np.unique(joined[split], return_inverse=True)
    profile[split] = len(broken) + np.array([union.find(node) for node in roots.tolist()], dtype=np.int64)[at]
    return Limited(np.where(alive, profile, NONE), _pick(links, out), about[out])


def join_uncounted(graph: Graph, slots: Ints, links: Links) -> Ints:
    """For each node the one that it is in one set with whatever the limits; links are in the order in which they count.

    A set of ids that no limit counts and nobody unlinked holds nothing that could forbid its first link out of it,
    and whatever comes later finds it joined. A set never has more than one id that counts, which then stands for it.
    """
    nodes, ends = np.unique(np.concatenate([links.a, links.b]), return_inverse=True)
    counts = (slots[nodes] != NONE) | np.isin(nodes, np.concatenate(graph.apart))
    a, b = ends[: len(links.a)], ends[len(links.a) :]
    joined: Ints = np.arange(len(nodes))
    while len(chosen := _first_out(joined[a], joined[b], counts)):
        sets = group(len(nodes), joined[a[chosen]], joined[b[chosen]])
        joined = _standing_for(sets, counts)[sets[joined]]
    found: Ints = np.arange(len(graph.keys))
    found[nodes] = nodes[joined]
    return found


def _first_out(a: Ints, b: Ints, counts: Flags) -> Ints:
    """The first link out of each set without an id that counts."""
    first = np.full(len(counts), len(a))
    out = np.flatnonzero((a != b) & ~(counts[a] & counts[b]))
    for end in (a[out], b[out]):
        np.minimum.at(first, end, out)
    return np.unique(first[~counts & (first < len(a))])


def _standing_for(sets: Ints, counts: Flags) -> Ints:
    """One node of each set: the one that counts, if any does."""
    node = np.zeros(len(sets), dtype=np.int64)
    node[sets] = np.arange(len(sets))
    node[sets[counts]] = np.flatnonzero(counts)
    return node


def distinct_links(graph: Graph, edges: Edges) -> Links:
    """The distinct pairs among edges."""
    size = len(graph.keys)
    pairs, at = np.unique(edges.a * np.int64(size) + edges.b, return_inverse=True)
    seen, told = np.full(len(pairs), NEVER), np.zeros(len(pairs), dtype=np.bool_)
    count = np.zeros(len(pairs), dtype=np.int64)
    np.minimum.at(seen, at, graph.seen[edges.tuples])
    np.add.at(count, at, graph.counts[edges.tuples])
    told[at[edges.tuples >= graph.told]] = True
    return Links(pairs // max(size, 1), pairs % max(size, 1), seen, count, told)


def in_order(graph: Graph, links: Links) -> Links:
    """Links in the order in which they count: by hand, rule priority, earliest event time, keys."""
    low, high = graph.keys[links.a], graph.keys[links.b]
    ranks = graph.types[links.a], graph.types[links.b]
    seen = np.where(links.told, NONE, links.seen)
    return _pick(links, np.lexsort((high, low, seen, ranks[1], ranks[0], ~links.told)))


def _broken(graph: Graph, rules: Rules, slots: Ints, component: Ints, alive: Flags) -> Flags:
    size = int(component.max(initial=NONE)) + 1
    broken = np.zeros(size, dtype=np.bool_)
    for kind, cap in rules.max_per_profile.items():
        nodes = np.flatnonzero(alive & (graph.types == kind))
        full = np.bincount(component[nodes], minlength=size) > cap
        if kind in rules.periods:
            nodes = nodes[full[component[nodes]]]
            pairs, times = np.unique(np.stack([component[nodes], slots[nodes]]), axis=1, return_counts=True)
            full = np.isin(np.arange(size), pairs[0][times > cap])
        broken |= full
    a, b = graph.apart
    both = alive[a] & alive[b] & (component[a] == component[b])
    broken[component[a[both]]] = True
    return broken


def _pick(links: Links, chosen: Ints | Flags) -> Links:
    return Links(*(getattr(links, name)[chosen] for name in Links.__dataclass_fields__))


class _CappedUnion:
    """Union-find over nodes in which no set holds more values than a limit, or two nodes that are kept apart."""

    def __init__(self, graph: Graph, rules: Rules, slots: Ints) -> None:
        self.types, self.slots, self.caps = graph.types, slots, caps_of(rules)
        self.parent: dict[int, int] = {}
        self.held: dict[int, dict[int, int]] = {}
        self.foes: dict[int, set[int]] = {}
        for a, b in zip(*(ends.tolist() for ends in graph.apart), strict=True):
            self.foes.setdefault(a, set()).add(b)
            self.foes.setdefault(b, set()).add(a)

    def find(self, node: int) -> int:
        """Representative of the set of a node."""
        root = node
        while (above := self.parent.get(root, root)) != root:
            root = above
        while (above := self.parent.get(node, node)) != root:
            self.parent[node], node = root, above
        return root

    def join(self, a: int, b: int, told: bool) -> int:
        """Unite two sets; returns -1, or what forbids it: APART or the id type whose limit it is."""
        root, other = self.find(a), self.find(b)
        if root == other:
            return NONE
        if any(self.find(foe) == root for foe in self.foes.get(other, ())):
            return APART
        mine, theirs = self._holds(root), self._holds(other)
        for slot in () if told else sorted(mine.keys() & theirs.keys()):
            if mine[slot] + theirs[slot] > self.caps[slot % len(self.caps)]:
                return slot % len(self.caps)
        self._unite(root, other)
        return NONE

    def _unite(self, root: int, other: int) -> None:
        self.parent[other] = root
        theirs = self.held.pop(other)
        for slot, number in theirs.items():
            self.held[root][slot] = self.held[root].get(slot, 0) + number
        if other in self.foes:
            self.foes.setdefault(root, set()).update(self.foes.pop(other))

    def _holds(self, root: int) -> dict[int, int]:
        if root not in self.held:
            slot = int(self.slots[root])
            self.held[root] = {slot: 1} if slot != NONE else {}
        return self.held[root]
