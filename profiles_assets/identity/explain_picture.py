"""The graph of a profile as a picture: ids as circles, links as lines as thick as their records."""

import math
from html import escape

import numpy as np
from numpy.typing import NDArray

from profiles_assets.identity.explain_links import Id, Link
from profiles_assets.identity.explain_profile import ProfileGraph
from profiles_assets.identity.explain_words import link_words
from profiles_assets.pictures import GREY, INK, shortened, svg, text

Points = NDArray[np.float64]
COLOURS = ("#4f6df5", "#2a9d8f", "#e9a23b", "#d1495b", "#7b5ea7", "#5c8001", "#0081a7", "#9c6644")
MOST_DRAWN = 150
ROUNDS = 300
WIDTH, HEIGHT, EDGE = 900, 640, 100


def draw_profile(graph: ProfileGraph, types: list[str]) -> str:
    """SVG of a profile; ids beside it are dashed. At most 150 ids are drawn, those seen most often."""
    ids = _chosen(graph)
    at = {one.key: i for i, one in enumerate(ids)}
    links = [link for link in (*graph.links, *graph.outward) if link.a in at and link.b in at]
    ends = np.array([(at[link.a], at[link.b]) for link in links], dtype=np.int64).reshape(-1, 2)
    points = _spread(_laid_out(_rings(ids, types, graph.root), ends))
    parts = [_line(link, points[at[link.a]], points[at[link.b]], graph) for link in links]
    parts += [_circle(one, points[at[one.key]], graph, types) for one in ids]
    return svg(
        WIDTH, HEIGHT, [f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>', *parts, *_legend(graph, ids, types)]
    )


def _chosen(graph: ProfileGraph) -> list[Id]:
    def often(one: Id) -> tuple[bool, int, int]:
        return one.key != graph.root, -one.count, one.key

    beside = sorted(graph.beside, key=often)
    return [*sorted(graph.ids, key=often), *beside][:MOST_DRAWN]


def _rings(ids: list[Id], types: list[str], root: int) -> Points:
    """Start of the layout: the id asked for in the middle, the others on a ring for each id type."""
    points = np.zeros((len(ids), 2))
    for i, one in enumerate(ids):
        if one.key != root:
            angle, ring = i * math.pi * (3 - math.sqrt(5)), 1 + types.index(one.id_type)
            points[i] = ring * math.cos(angle), ring * math.sin(angle)
    return points


def _laid_out(points: Points, ends: NDArray[np.int64]) -> Points:
    """Force layout (Fruchterman and Reingold): ids push each other away, links pull."""
    size = max(len(points), 1)
    for heat in np.linspace(0.3, 0.005, ROUNDS):
        apart = points[:, None] - points[None, :]
        distance = np.maximum(np.hypot(apart[..., 0], apart[..., 1]), 0.01)[..., None]
        move = (apart / distance**2).sum(axis=1) - 0.05 * points * math.sqrt(size)
        pull = points[ends[:, 0]] - points[ends[:, 1]]
        pull = pull * np.hypot(pull[:, 0], pull[:, 1])[:, None]
        np.subtract.at(move, ends[:, 0], pull)
        np.add.at(move, ends[:, 1], pull)
        length = np.maximum(np.hypot(move[:, 0], move[:, 1]), 1e-9)[:, None]
        points = points + move / length * np.minimum(length, heat)
    return points


def _spread(points: Points) -> Points:
    low, high = points.min(axis=0), points.max(axis=0)
    span = np.where(high - low < 1e-6, 1.0, high - low)
    room = np.array([WIDTH - 2 * EDGE, HEIGHT - 2 * EDGE - 40])
    centred = np.where(high - low < 1e-6, 0.5, (points - low) / span)
    placed: Points = np.round(centred * room + [EDGE, EDGE + 40], 1)
    return placed


def _line(link: Link, a: Points, b: Points, graph: ProfileGraph) -> str:
    wide = 1 + math.log10(1 + link.count)
    outward = graph.profile_id and any(link is other for other in graph.outward)
    looks = f'stroke="{COLOURS[3] if link.yielded else GREY}"' + (' stroke-dasharray="5 4"' if outward else "")
    looks = looks.replace(GREY, COLOURS[4]) if link.rule else looks
    drawn = f'<line x1="{a[0]}" y1="{a[1]}" x2="{b[0]}" y2="{b[1]}" stroke-width="{wide:.1f}" {looks}/>'
    middle = (a + b) / 2
    count = text(middle[0], middle[1] - 3, f"{link.count:,}", "#6b7380", anchor="middle") if link.count > 1 else ""
    return f"<g>{drawn}{count}<title>{escape(link_words(link))}</title></g>"


def _circle(one: Id, point: Points, graph: ProfileGraph, types: list[str]) -> str:
    colour = COLOURS[types.index(one.id_type) % len(COLOURS)]
    apart = one.status != "ok" or one.profile_id != graph.profile_id
    looks = f'fill="#fff" stroke="{colour}" stroke-dasharray="4 3"' if apart else f'fill="{colour}" stroke="#fff"'
    radius = 14 if one.key == graph.root else 9
    title = graph.notes.get(one.key, f"{one.name}, {one.count:,} records")
    drawn = f'<circle cx="{point[0]}" cy="{point[1]}" r="{radius}" stroke-width="2" {looks}/>'
    label = text(point[0], point[1] + radius + 13, shortened(one.value, 26), anchor="middle")
    return f"<g>{drawn}{label}<title>{escape(title)}</title></g>"


def _legend(graph: ProfileGraph, ids: list[Id], types: list[str]) -> list[str]:
    total = graph.size + len(graph.beside)
    left_out = f", {total - len(ids):,} more are not drawn" if total > len(ids) else ""
    head = f"{graph.entity} {graph.profile_id or 'none'}: {graph.size:,} ids as of {graph.as_of}"
    parts = [text(14, 22, head + left_out, INK)]
    x = 14.0
    for name in [t for t in types if any(one.id_type == t for one in ids)]:
        parts += [f'<circle cx="{x + 6}" cy="38" r="6" fill="{COLOURS[types.index(name) % len(COLOURS)]}"/>']
        parts += [text(x + 18, 42, name)]
        x += 40 + 7 * len(name)
    if graph.beside:
        parts += [text(x, 42, "dashed: seen with it, but not part of it", "#6b7380")]
    return parts
