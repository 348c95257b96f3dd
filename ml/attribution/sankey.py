"""The steps of journeys as streams, from the first channel to the outcome, as SVG.

Every column holds all journeys: those still on their way by channel, and below them those that have ended.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ml.charts import card, label, words

Flow = tuple[int, str, str, int, int]
Node = tuple[int, str]
Links = dict[tuple[Node, Node], int]

WON, LOST, OTHERS = "\0won", "\0lost", "\0others"
COLUMNS = ("first touch", "second", "third", "last of more", "")
COLOURS = ("#4f6df5", "#e8833a", "#b65fcf", "#d9a514", "#e0567a", "#3fa7d6", "#8d6e52")
OUTCOMES = {WON: "#1f9d61", LOST: "#a7aeba", OTHERS: "#7d8794"}
WIDE, TALL, BAR, GAP, TOP, LEFT = 940.0, 300.0, 12.0, 7.0, 66.0, 16.0
SMALLEST = 11.0


@dataclass
class Layout:
    """Where nodes stand: top and height of each, and how much of either side links have taken."""

    top: dict[Node, float]
    high: dict[Node, float]
    scale: float
    out: dict[Node, float] = field(default_factory=dict)
    into: dict[Node, float] = field(default_factory=dict)


def sankey(flows: Iterable[Flow]) -> str:
    """SVG of flows (step, source, target, won, failed); the target '' is the end of a journey."""
    flows = list(flows)
    order = ranked(flows)
    links = all_links(flows, order)
    total = sum(count for (source, _), count in links.items() if source[0] == 1)
    if not total:
        return card(WIDE, 60, "Journeys", [words(16, 46, "no journeys yet", "soft")])
    steps = max(target[0] for _, target in links)
    layout, places = laid_out(links, order, total), columns_at(steps)
    rank = {name: number for number, name in enumerate(order)}
    downwards = sorted(links, key=lambda link: [(column, rank[name]) for column, name in link])
    parts = [_ribbon(link, links[link], layout, places, order) for link in downwards]
    parts += [_node(node, layout, places, order, total) for node in sorted(layout.top)]
    parts += [words(places[n], 48, COLUMNS[n - 1], "soft") for n in range(1, steps)]
    return card(WIDE, TOP + TALL + 20, f"{total:,} journeys, from the first touch to the outcome", parts)


def ranked(flows: Iterable[Flow]) -> list[str]:
    """Channels from the most journeys through them down, the rest as one, then the outcomes."""
    counts: dict[str, int] = {}
    for _, source, _, won, failed in flows:
        counts[source] = counts.get(source, 0) + won + failed
    names = sorted(counts, key=lambda name: (-counts[name], name))
    most = len(COLOURS)
    return [*names[:most], *([OTHERS] if len(names) > most else []), WON, LOST]


def all_links(flows: Iterable[Flow], order: list[str]) -> Links:
    """Journeys between the nodes of neighbouring columns, ended ones carried on to the last column."""
    shown, last, links = set(order), 0, Links()

    def add(source: Node, target: Node, count: int) -> None:
        if count:
            links[source, target] = links.get((source, target), 0) + count

    flows = list(flows)
    last = max((step for step, *_ in flows), default=0) + 1
    for step, source, target, won, failed in flows:
        here = (step, source if source in shown else OTHERS)
        if target:
            add(here, (step + 1, target if target in shown else OTHERS), won + failed)
            continue
        for outcome, count in ((WON, won), (LOST, failed)):
            add(here, (step + 1, outcome), count)
            for column in range(step + 1, last):
                add((column, outcome), (column + 1, outcome), count)
    return links


def laid_out(links: Mapping[tuple[Node, Node], int], order: list[str], total: int) -> Layout:
    """Heights of nodes in proportion to journeys, one under the other in the order of names."""
    size: dict[Node, int] = {}
    for node in {node for link in links for node in link}:
        into = sum(count for (_, target), count in links.items() if target == node)
        size[node] = into or sum(count for (source, _), count in links.items() if source == node)
    columns = [[(n, name) for name in order if (n, name) in size] for n in sorted({n for n, _ in size})]
    scale = (TALL - GAP * (max(map(len, columns)) - 1)) / total
    layout = Layout({}, {node: count * scale for node, count in size.items()}, scale)
    for column in columns:
        y = TOP
        for node in column:
            layout.top[node] = y
            y += layout.high[node] + GAP
    return layout


def columns_at(steps: int) -> dict[int, float]:
    """Left edge of each column."""
    room = WIDE - 2 * LEFT - 165
    return {n: LEFT + room * (n - 1) / max(steps - 1, 1) for n in range(1, steps + 1)}


def _ribbon(link: tuple[Node, Node], count: int, layout: Layout, places: Mapping[int, float], order: list[str]) -> str:
    source, target = link
    thick = count * layout.scale
    y0 = layout.top[source] + layout.out.get(source, 0.0)
    y1 = layout.top[target] + layout.into.get(target, 0.0)
    layout.out[source] = layout.out.get(source, 0.0) + thick
    layout.into[target] = layout.into.get(target, 0.0) + thick
    x0, x1 = places[source[0]] + BAR, places[target[0]]
    middle = (x0 + x1) / 2
    path = (
        f"M{x0:.1f} {y0:.1f}C{middle:.1f} {y0:.1f} {middle:.1f} {y1:.1f} {x1:.1f} {y1:.1f}"
        f"v{thick:.1f}C{middle:.1f} {y1 + thick:.1f} {middle:.1f} {y0 + thick:.1f} {x0:.1f} {y0 + thick:.1f}Z"
    )
    colour = _colour(target[1] if target[1] in (WON, LOST) else source[1], order)
    return f'<path d="{path}" fill="{colour}" fill-opacity="0.32"/>'


def _node(node: Node, layout: Layout, places: Mapping[int, float], order: list[str], total: int) -> str:
    x, y, high = places[node[0]], layout.top[node], layout.high[node]
    count = round(high / layout.scale)
    size = f'x="{x:.1f}" y="{y:.1f}" width="{BAR:.0f}" height="{max(high, 1):.1f}"'
    drawn = f'<rect {size} rx="2" fill="{_colour(node[1], order)}"/>'
    if node[0] == max(places):
        told = f"{count:,} ({count / total:.1%})"
    elif high < SMALLEST or node[1] in (WON, LOST):
        return drawn
    else:
        told = f"{count / total:.0%}"
    return drawn + words(x + BAR + 6, y + high / 2 + 4, f"{_name(node[1])} {told}", "ink halo")


def _name(name: str) -> str:
    return {WON: "converted", LOST: "did not", OTHERS: "others"}.get(name) or label(name, 20)


def _colour(name: str, order: list[str]) -> str:
    return OUTCOMES.get(name) or COLOURS[order.index(name)]
