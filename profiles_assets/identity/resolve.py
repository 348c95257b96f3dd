"""The one resolution: from a closed set of nodes and their tuples to people with ids.

Incremental runs, full rebuilds, replaced days and reads of the past all call it; they differ only in the
nodes they hand over. The order is: blocked values and manual rules, guards, components, limits, ids.
"""

import numpy as np

from profiles_assets.identity.components import Edges, all_edges, group, smallest_key
from profiles_assets.identity.graph import NONE, Codes, Graph, Ints, Previous, Resolution, Rules, Violations
from profiles_assets.identity.guards import Verdict, judge
from profiles_assets.identity.history import compare
from profiles_assets.identity.ids import assign_ids, retire
from profiles_assets.identity.joins import APART
from profiles_assets.identity.keys import LIMIT, NOBODY, OK, UNLINK
from profiles_assets.identity.limits import Limited, enforce_limits
from profiles_assets.identity.links import distinct_links


def resolve(graph: Graph, previous: Previous, rules: Rules) -> Resolution:
    """People among the inner nodes of a graph. Raises ValueError when the set is not closed."""
    verdict = judge(graph, previous, rules)
    alive = graph.inner & (verdict.status == OK)
    _require_closed(graph, verdict)
    edges = all_edges(graph, alive, range(len(rules.types)))
    component = group(len(graph.keys), edges.a, edges.b)
    limited = enforce_limits(graph, rules, edges, component, alive)
    named = assign_ids(graph, previous, limited.profile)
    return Resolution(
        verdict.status,
        verdict.known,
        smallest_key(graph.keys, component, alive),
        named.node,
        retire(previous, named.node),
        _violations(graph, rules, verdict, limited),
        compare(graph, previous, named, distinct_links(graph, _fresh(previous, named.node, edges))),
    )


def _require_closed(graph: Graph, verdict: Verdict) -> None:
    if graph.inner.all():
        return
    usable = (verdict.status[graph.members] == OK).astype(np.int64)
    inside = usable * graph.inner[graph.members]
    total, within = (np.bincount(graph.tuple_of, part, len(graph.seen)) for part in (usable, inside))
    if np.any((within > 0) & (within < total)):
        raise ValueError("the set of nodes is not closed: surviving evidence leads out of it")


def _fresh(previous: Previous, node: Ints, edges: Edges) -> Edges:
    """Edges within a profile between nodes that were in different ones."""
    new = np.flatnonzero(previous.profile[edges.a] != previous.profile[edges.b])
    new = new[node[edges.a[new]] == node[edges.b[new]]]
    return Edges(edges.a[new], edges.b[new], edges.tuples[new])


def _violations(graph: Graph, rules: Rules, verdict: Verdict, limited: Limited) -> Violations:
    barred = np.flatnonzero(graph.inner & np.isin(graph.standing, NOBODY))
    rows = [_nodes_dropped(graph.standing[barred], barred)]
    for found in verdict.findings:
        status = np.full(len(found.nodes), found.status)
        rows.append(_nodes_dropped(status, found.nodes, found.about, found.numbers, found.allowed))
    links, about = limited.yielded, limited.about
    allowed = np.array([rules.max_per_profile.get(int(kind), NONE) for kind in about], dtype=np.int64)
    rule = np.where(about == APART, UNLINK, LIMIT)
    rows.append((rule, links.b, links.a, about, links.count, allowed, links.seen, links.count))
    return Violations(*(np.concatenate(part) for part in zip(*rows, strict=True)))


def _nodes_dropped(
    status: Codes | Ints, nodes: Ints, about: int = NONE, numbers: Ints | None = None, allowed: int = NONE
) -> tuple[Codes | Ints, ...]:
    none = np.full(len(nodes), NONE, dtype=np.int64)
    counted = none if numbers is None else numbers
    return status, nodes, none, none + 1 + about, counted, none + 1 + allowed, none, counted
