"""Which ids are evidence for nobody: hubs, and weak ids that bridge people known to be separate.

Links are counted on tuples: all pairs of values that occurred together, blocked values aside. Known people
are the components over strong ids alone, as left by the hub guard; strong ids linked by hand are one person.
"""

from dataclasses import dataclass

import numpy as np

from profiles_assets.identity.components import all_edges, group, of_types, partners, smallest_key
from profiles_assets.identity.graph import NONE, Codes, Flags, Graph, Ints, Previous, Rules
from profiles_assets.identity.keys import BRIDGE, HUB, OK


@dataclass(frozen=True)
class Finding:
    """Nodes that break one rule: the number they reach, how many are allowed, and of which id type."""

    status: int
    nodes: Ints
    numbers: Ints
    allowed: int
    about: int


@dataclass(frozen=True)
class Verdict:
    """Status of every node, label of its known person (-1 where none), and the rules that were broken."""

    status: Codes
    known: Ints
    findings: list[Finding]


def judge(graph: Graph, previous: Previous, rules: Rules) -> Verdict:
    """Apply the guards to the inner nodes; the others keep the status and known person they had."""
    status = graph.standing.copy()
    hubs = _find_hubs(graph, rules)
    for found in hubs:
        status[found.nodes] = HUB
    strong = [i for i, weak in enumerate(rules.weak) if not weak]
    known = _known_people(graph, previous, status, strong)
    bridges = _find_bridges(graph, rules, status, known, strong)
    for found in bridges:
        status[found.nodes] = BRIDGE
    return Verdict(status, known, [*hubs, *bridges])


def _find_hubs(graph: Graph, rules: Rules) -> list[Finding]:
    usable = (graph.standing == OK) | (graph.standing == HUB) | (graph.standing == BRIDGE)
    found = []
    for (kind, other), allowed in rules.max_linked.items():
        a, b = _pairs(graph, kind, other, usable, usable)
        numbers = partners(len(graph.keys), a, b)
        found.append(_broken(graph, HUB, numbers, allowed, other))
    return found


def _known_people(graph: Graph, previous: Previous, status: Codes, strong: list[int]) -> Ints:
    usable = graph.inner & (status == OK) & of_types(graph.types, strong)
    edges = all_edges(graph, usable, strong)
    labels = smallest_key(graph.keys, group(len(graph.keys), edges.a, edges.b), usable)
    return np.where(graph.inner, labels, previous.known)


def _find_bridges(graph: Graph, rules: Rules, status: Codes, known: Ints, strong: list[int]) -> list[Finding]:
    usable, found = status == OK, []
    for kind, allowed in rules.max_bridged.items():
        seen = [_pairs(graph, kind, other, usable, known != NONE) for other in strong]
        a, b = (np.concatenate(part) for part in zip(*seen, strict=True)) if seen else (known[:0], known[:0])
        people = np.unique(known[b], return_inverse=True)[1]
        found.append(_broken(graph, BRIDGE, partners(len(known), a, people), allowed, NONE))
    return found


def _pairs(graph: Graph, kind: int, other: int, usable: Flags, partner_usable: Flags) -> tuple[Ints, Ints]:
    a, b = graph.by_type.get(kind), graph.by_type.get(other)
    if a is None or b is None:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    both = np.flatnonzero((a >= 0) & (b >= 0))
    both = both[usable[a[both]] & graph.inner[a[both]] & partner_usable[b[both]]]
    return a[both], b[both]


def _broken(graph: Graph, status: int, numbers: Ints, allowed: int, about: int) -> Finding:
    nodes = np.flatnonzero((numbers > allowed) & graph.inner & ~graph.allowed)
    return Finding(status, nodes, numbers[nodes], allowed, about)
