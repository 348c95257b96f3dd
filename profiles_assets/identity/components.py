"""Edges and connected components."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from profiles_assets.identity.graph import NONE, Codes, Flags, Graph, Ints


@dataclass(frozen=True)
class Edges:
    """Pairs of nodes seen together in a tuple or linked by hand; `a` is the one of the id type declared first."""

    a: Ints
    b: Ints
    tuples: Ints


def all_edges(graph: Graph, usable: Flags, kinds: Collection[int]) -> Edges:
    """Edges of the evidence and those linked by hand between usable nodes of some id types."""
    edges = star_edges(graph, usable, kinds)
    if not graph.ruled:
        return edges
    a, b = graph.links
    live = np.flatnonzero(usable[a] & usable[b] & of_types(graph.types[a], kinds) & of_types(graph.types[b], kinds))
    parts = ((edges.a, a[live]), (edges.b, b[live]), (edges.tuples, graph.told + live))
    return Edges(*map(np.concatenate, parts))


def star_edges(graph: Graph, usable: Flags, kinds: Iterable[int]) -> Edges:
    """In each tuple, edges from the first usable node in declared order to the other usable ones.

    These n - 1 edges give the same components as all pairs, and no node outside `usable` holds them together.
    """
    center = np.full(graph.told, NONE, dtype=graph.members.dtype)
    parts: list[tuple[Ints, Ints, Ints]] = []
    for kind in sorted(set(kinds) & graph.by_type.keys()):
        column = graph.by_type[kind]
        live = (column >= 0) & usable[column]
        linked = np.flatnonzero(live & (center >= 0))
        parts.append((center[linked], column[linked], linked.astype(center.dtype)))
        center = np.where(live & (center < 0), column, center)
    return Edges(*(np.concatenate(p) for p in zip(*parts, strict=True))) if parts else _no_edges()


def group(size: int, a: Ints, b: Ints) -> Ints:
    """Number of the connected component of each of `size` nodes."""
    if not size:
        return np.zeros(0, dtype=np.int64)
    small = np.int32 if size < np.iinfo(np.int32).max else np.int64
    ends = (a.astype(small, copy=False), b.astype(small, copy=False))
    matrix = coo_array((np.ones(len(a)), ends), shape=(size, size)).tocsr()
    labels: Ints = connected_components(matrix, directed=False)[1]
    return labels


def smallest_key(keys: Ints, groups: Ints, usable: Flags) -> Ints:
    """For each usable node the smallest key in its group, -1 for the others."""
    least = np.full(int(groups.max(initial=NONE)) + 1, np.iinfo(np.int64).max)
    nodes = np.flatnonzero(usable)
    np.minimum.at(least, groups[nodes], keys[nodes])
    return np.where(usable, least[groups], NONE)


def partners(size: int, a: Ints, b: Ints) -> Ints:
    """For each of `size` rows the number of distinct values of `b` paired with it in `a`."""
    if not len(a):
        return np.zeros(size, dtype=np.int64)
    pairs = coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(size, int(b.max()) + 1)).tocsr()
    counts: Ints = np.diff(pairs.indptr).astype(np.int64)
    return counts


def of_types(types: Codes, kinds: Iterable[int]) -> Flags:
    """Nodes of one of these id types."""
    return np.isin(types, np.array(sorted(kinds), dtype=np.int8))


def _no_edges() -> Edges:
    return Edges(*(np.zeros(0, dtype=np.int64) for _ in range(3)))
