"""Joining ids under limits: first those that no limit counts, all at once, then what is left, link after link."""

import numpy as np

from profiles_assets.identity.components import group
from profiles_assets.identity.graph import NONE, Flags, Graph, Ints, Rules
from profiles_assets.identity.links import Links
from profiles_assets.identity.slots import UNLIMITED, caps_of

APART = -2


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


def join_counted(graph: Graph, rules: Rules, slots: Ints, links: Links, joined: Ints) -> tuple[Ints, Ints]:
    """What each link yields to, -1 for none, one after another; and for each node one of those it ends up with.

    `joined` are the sets of `join_uncounted`.
    """
    a, b = joined[links.a], joined[links.b]
    about = np.full(len(a), NONE, dtype=np.int64)
    outer = np.flatnonzero(a != b)
    bound = (links.told[outer].any(), len(graph.apart[0]))
    never, kind = (outer[:0], NONE) if any(bound) else never_join(rules, slots[a[outer]], slots[b[outer]])
    about[outer[never]] = kind
    rest, union = outer[about[outer] == NONE], _CappedUnion(graph, rules, slots)
    ends = zip(a[rest].tolist(), b[rest].tolist(), links.told[rest].tolist(), strict=True)
    about[rest] = [union.join(*end) for end in ends]
    together, moved = np.arange(len(joined)), list(union.parent)
    together[moved] = [union.find(node) for node in moved]
    return about, together[joined]


def never_join(rules: Rules, slots: Ints, others: Ints) -> tuple[Ints, int]:
    """Which of some pairs of sets fill the first limit there is, each alone, and the id type that it is about.

    `slots` and `others` are those of the ids that stand for the sets. Nothing but a link by hand joins such sets.
    """
    least = min(int(some[some != NONE].min(initial=UNLIMITED)) for some in (slots, others))
    kind = least % len(rules.types)
    return np.flatnonzero((slots == least) & (others == least) & (rules.max_per_profile.get(kind) == 1)), kind


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
