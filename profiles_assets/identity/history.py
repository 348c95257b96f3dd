"""What a resolution changed: profiles created, merged into another, split off another."""

import numpy as np

from profiles_assets.identity.graph import NONE, Changes, Graph, Ints, Previous
from profiles_assets.identity.ids import Named
from profiles_assets.identity.limits import Links, in_order


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
    return _joined(appeared, _merged(graph, previous, named, links, np.setdiff1d(before, named.key)))


def _merged(graph: Graph, previous: Previous, named: Named, links: Links, ended: Ints) -> Changes:
    nodes = np.flatnonzero(graph.inner & (named.node != NONE) & np.isin(previous.profile, ended))
    nodes = nodes[np.lexsort((graph.keys[nodes], graph.first_time[nodes], graph.first_day[nodes]))]
    gone, first = np.unique(previous.profile[nodes], return_index=True)
    into = named.node[nodes[first]]
    edge_from, edge_to = _deciding_edges(graph, previous, named, links, gone, into)
    return Changes(np.full(len(gone), "merged"), gone, into, edge_from, edge_to)


def _deciding_edges(
    graph: Graph, previous: Previous, named: Named, links: Links, gone: Ints, into: Ints
) -> tuple[Ints, Ints]:
    links = in_order(graph, links)
    edge_from, edge_to = _nothing(len(gone), 2)
    # last first, so that what stays written is the first in order, whichever end was in the profile that ended
    ends = np.concatenate([np.stack([links.a, links.b]), np.stack([links.b, links.a])], axis=1)
    order = np.tile(np.arange(len(links.a)), 2)
    ends = ends[:, np.argsort(order, kind="stable")[::-1]]
    was = previous.profile[ends]
    crossing = (was[0] != was[1]) & (was[0] != NONE)
    inner, outer = ends[:, crossing]
    at = np.searchsorted(gone, previous.profile[inner])
    hit = (at < len(gone)) & (np.append(gone, NONE)[at] == previous.profile[inner])
    inner, outer, at = inner[hit], outer[hit], at[hit]
    same = named.node[inner] == into[at]
    edge_from[at[same]], edge_to[at[same]] = graph.keys[inner[same]], graph.keys[outer[same]]
    return edge_from, edge_to


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
