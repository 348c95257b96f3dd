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

from profiles_assets.identity.components import Edges
from profiles_assets.identity.graph import NONE, Flags, Graph, Ints, Rules
from profiles_assets.identity.joins import join_counted, join_uncounted
from profiles_assets.identity.links import Links, distinct_links, in_order, picked
from profiles_assets.identity.slots import slots_of


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
    joined = join_uncounted(graph, slots, links)
    about, together = join_counted(graph, rules, slots, links, joined)
    out = about != NONE
    profile = component.copy()
    split = np.flatnonzero(alive & broken[component]) if out.any() else np.zeros(0, dtype=np.int64)
    profile[split] = len(broken) + together[split]
    return Limited(np.where(alive, profile, NONE), picked(links, out), about[out])


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
