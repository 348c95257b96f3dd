"""Links: the distinct edges among nodes, in the order in which limits let them count."""

from dataclasses import dataclass

import numpy as np

from profiles_assets.identity.components import Edges
from profiles_assets.identity.graph import NONE, Flags, Graph, Ints

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class Links:
    """Distinct edges with their earliest event time and the number of events behind them; `told` by hand or not."""

    a: Ints
    b: Ints
    seen: Ints
    count: Ints
    told: Flags


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
    return picked(links, np.lexsort((high, low, seen, ranks[1], ranks[0], ~links.told)))


def picked(links: Links, chosen: Ints | Flags) -> Links:
    """Some of the links."""
    return Links(*(getattr(links, name)[chosen] for name in Links.__dataclass_fields__))
