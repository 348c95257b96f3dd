"""What a resolution changed: profiles created, merged into another, split off another."""

import numpy as np

from profiles_assets.identity.graph import NONE, Changes, Graph, Ints, Previous
from profiles_assets.identity.ids import Named
from profiles_assets.identity.links import Links, in_order


def compare(graph: Graph, previous: Previous, named: Named, links: Links) -> Changes:
    """Changes against what was, with the first edge (in the order of limits) that decided each merge."""
    before = np.unique(previous.profile[graph.inner & (previous.profile != NONE)])
    new = ~np.isin(named.key, before)
    split = new & (named.claim != NONE)
    appeared = Changes(
        np.where(split[new], "split", "created"),
        named.key[new],
        named.claim[new],
        *_nothing(int(new.sum()), 2),
    )
    ended = np.setdiff1d(before, named.key) if len(before) else before
    return _joined(appeared, _merged(graph, previous, named, links, ended))


def _merged(graph: Graph, previous: Previous, named: Named, links: Links, ended: Ints) -> Changes:
    if not len(ended):
        return Changes(np.full(0, "merged"), *_nothing(0, 4))
    nodes = np.flatnonzero(graph.inner & (named.node != NONE) & np.isin(previous.profile, ended))
    nodes = nodes[np.lexsort((graph.keys[nodes], graph.first_time[nodes], graph.first_day[nodes]))]
    gone, first = np.unique(previous.profile[nodes], return_index=True)
    into = named.node[nodes[first]]
    edge_from, edge_to = _nothing(len(gone), 2)
    inner, outer, at = _leading_out(previous, in_order(graph, links), gone)
    same = named.node[inner] == into[at]
    edge_from[at[same]], edge_to[at[same]] = graph.keys[inner[same]], graph.keys[outer[same]]
    return Changes(np.full(len(gone), "merged"), gone, into, edge_from, edge_to)


def _leading_out(previous: Previous, links: Links, gone: Ints) -> tuple[Ints, Ints, Ints]:
    """Links out of profiles that ended: inner node, outer node, number of the profile; the first in order last."""
    ends = np.stack([np.stack([links.a, links.b]), np.stack([links.b, links.a])], axis=2).reshape(2, -1)[:, ::-1]
    at = np.searchsorted(gone, previous.profile[ends[0]])
    was = previous.profile[ends]
    out = (np.append(gone, NONE)[at] == was[0]) & (was[0] != was[1]) & (was[0] != NONE)
    return ends[0, out], ends[1, out], at[out]


def _nothing(size: int, times: int) -> list[Ints]:
    return [np.full(size, NONE, dtype=np.int64) for _ in range(times)]


def _joined(first: Changes, second: Changes) -> Changes:
    return Changes(
        np.concatenate([first.kind, second.kind]),
        np.concatenate([first.profile, second.profile]),
        np.concatenate([first.other, second.other]),
        np.concatenate([first.edge_from, second.edge_from]),
        np.concatenate([first.edge_to, second.edge_to]),
    )
