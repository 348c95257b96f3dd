"""Weak points of a graph: links and ids that alone hold two groups of ids together."""

from collections.abc import Sequence
from dataclasses import dataclass, field

LEAST_GROUP = 2


@dataclass(frozen=True)
class WeakPoints:
    """Numbers of the links and ids whose removal parts the graph, each with the size of the second largest part.

    Parts of a single id don't count: an id seen with one other hangs on it in any profile.
    """

    links: dict[int, int] = field(default_factory=dict)
    ids: dict[int, int] = field(default_factory=dict)


def weak_points(size: int, links: Sequence[tuple[int, int]]) -> WeakPoints:
    """Bridges and articulation points (Tarjan, without recursion) of a graph over `size` ids, without double links."""
    walk = _Walk(size, links)
    for start in range(size):
        if walk.found[start] < 0:
            walk.component(start)
    return WeakPoints(walk.bridges, walk.cuts)


class _Walk:
    """A walk in depth over the graph, with what each id reaches back to and how many ids come after it."""

    def __init__(self, size: int, links: Sequence[tuple[int, int]]) -> None:
        self.near: list[list[tuple[int, int]]] = [[] for _ in range(size)]
        for number, (a, b) in enumerate(links):
            self.near[a].append((b, number))
            self.near[b].append((a, number))
        self.found, self.low, self.after = [-1] * size, [0] * size, [1] * size
        self.bridges: dict[int, int] = {}
        self.cuts: dict[int, int] = {}

    def component(self, start: int) -> None:
        """Walk a whole component, then judge its ids and links."""
        order: list[tuple[int, int, int]] = []
        stack = [(start, -1, -1, iter(self.near[start]))]
        self._enter(start, 0)
        while stack:
            node, parent, via, rest = stack[-1]
            fresh = next(((other, link) for other, link in rest if self._is_fresh(node, other, link, via)), None)
            if fresh:
                self._enter(fresh[0], len(order) + len(stack))
                stack.append((fresh[0], node, fresh[1], iter(self.near[fresh[0]])))
                continue
            stack.pop()
            order.append((node, parent, via))
            if parent >= 0:
                self.low[parent] = min(self.low[parent], self.low[node])
                self.after[parent] += self.after[node]
        self._judge(order)

    def _enter(self, node: int, number: int) -> None:
        self.found[node] = self.low[node] = number

    def _is_fresh(self, node: int, other: int, link: int, via: int) -> bool:
        if self.found[other] < 0:
            return True
        if link != via:
            self.low[node] = min(self.low[node], self.found[other])
        return False

    def _judge(self, order: list[tuple[int, int, int]]) -> None:
        total, parts = len(order), dict[int, list[int]]()
        for node, parent, via in order:
            if parent < 0:
                continue
            if self.low[node] > self.found[parent]:
                _note(self.bridges, via, [self.after[node], total - self.after[node]])
            if self.low[node] >= self.found[parent]:
                parts.setdefault(parent, []).append(self.after[node])
        for node, sizes in parts.items():
            _note(self.cuts, node, [*sizes, total - 1 - sum(sizes)])


def _note(found: dict[int, int], what: int, parts: list[int]) -> None:
    second = sorted([0, *parts])[-2]
    if second >= LEAST_GROUP:
        found[what] = second
