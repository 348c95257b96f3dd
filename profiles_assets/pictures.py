"""Small SVG pictures for asset descriptions and reports."""

import base64
from collections.abc import Sequence
from datetime import date
from html import escape

BLUE, GREY, INK = "#4f6df5", "#c9ced6", "#2b2f36"
STAGES = ("raw_events", "id_edges", "stitched_ids", "entity_vars", "predictions", "profiles")


def pipeline(here: str) -> str:
    """The stages as a row of boxes with one of them marked."""
    width, gap = 104, 18
    parts = []
    for i, stage in enumerate(STAGES):
        x, on = i * (width + gap), stage == here
        looks = f'fill="{BLUE if on else "#fff"}" stroke="{BLUE if on else GREY}"'
        parts.append(f'<rect x="{x}" y="6" width="{width}" height="30" rx="6" {looks}/>')
        parts.append(text(x + width / 2, 25, stage, "#fff" if on else INK, anchor="middle"))
        if i:
            parts.append(f'<path d="M{x - gap + 2} 21 h{gap - 6} m-4 -4 l4 4 l-4 4" stroke="{GREY}" fill="none"/>')
    return svg(len(STAGES) * (width + gap) - gap, 42, parts)


def bars(values: Sequence[tuple[str, float]], unit: str = "") -> str:
    """Horizontal bars, one per (label, value)."""
    most = max((value for _, value in values), default=0) or 1
    parts = []
    for i, (label, value) in enumerate(values):
        y, length = i * 22 + 4, 300 * value / most
        parts.append(text(150, y + 13, label, anchor="end"))
        parts.append(f'<rect x="158" y="{y}" width="{length:.1f}" height="16" rx="2" fill="{BLUE}"/>')
        parts.append(text(164 + length, y + 13, f"{value:,.10g}{unit}"))
    return svg(580, len(values) * 22 + 8, parts)


def columns_chart(values: Sequence[float], labels: Sequence[str] = (), height: int = 120) -> str:
    """Vertical columns of a series, with the first and the last label under them."""
    most = max(values, default=0) or 1
    wide = min(24.0, 560 / max(len(values), 1))
    parts = [
        f'<rect x="{i * wide:.1f}" y="{height - height * v / most:.1f}" width="{max(wide - 1, 0.5):.1f}" '
        f'height="{height * v / most:.1f}" fill="{BLUE}"/>'
        for i, v in enumerate(values)
    ]
    if labels:
        parts += [
            text(0, height + 16, labels[0]),
            text(wide * len(values), height + 16, labels[-1], anchor="end"),
        ]
    return svg(max(wide * len(values), 120), height + 22, parts)


def text(x: float, y: float, words: str, colour: str = INK, anchor: str = "start") -> str:
    """One line of text."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-family="sans-serif" font-size="12" fill="{colour}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )


def svg(width: float, height: float, parts: Sequence[str]) -> str:
    """A whole SVG document."""
    size = f'width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{"".join(parts)}</svg>'


def markdown(picture: str, alt: str) -> str:
    """Markdown image that carries its SVG with it."""
    return f"![{alt}](data:image/svg+xml;base64,{base64.b64encode(picture.encode()).decode()})"


def made_from(inputs: Sequence[str], name: str) -> str:
    """Boxes of what something is made from, each with an arrow to the box of the thing itself."""
    wide, high, gap = 190, 30, 10
    tall = max(len(inputs), 1) * (high + gap)
    middle = tall / 2 - gap / 2
    parts = [_box(wide + 60, middle - high / 2, name, on=True)]
    for i, words in enumerate(inputs):
        y = i * (high + gap)
        parts.append(_box(0, y, words, on=False))
        path = f"M{wide + 2} {y + high / 2:.0f} L{wide + 54} {middle:.0f}"
        parts.append(f'<path d="{path}" stroke="{GREY}" fill="none"/>')
    return svg(2 * wide + 62, tall, parts)


def _box(x: float, y: float, words: str, *, on: bool) -> str:
    looks = f'fill="{BLUE if on else "#fff"}" stroke="{BLUE if on else GREY}"'
    box = f'<rect x="{x + 0.5}" y="{y + 0.5:.1f}" width="189" height="29" rx="6" {looks}/>'
    return box + text(x + 95, y + 19, shortened(words, 28), "#fff" if on else INK, anchor="middle")


def histogram(bins: Sequence[tuple[float | None, float | None, int]], unit: str = "", height: int = 120) -> str:
    """Columns of the people in each bin (from, to, people), the open outer ones in grey, over some of the edges."""
    most, wide = max((people for *_, people in bins), default=0) or 1, 20.0
    parts = [
        f'<rect x="{i * wide:.1f}" y="{height - height * people / most:.1f}" width="{wide - 1:.1f}" '
        f'height="{height * people / most:.1f}" fill="{GREY if low is None or high is None else BLUE}">'
        f"<title>{people:,}</title></rect>"
        for i, (low, high, people) in enumerate(bins)
    ]
    edges = [(i * wide, low) for i, (low, _, _) in enumerate(bins) if low is not None]
    for x, edge in [edges[0], edges[len(edges) // 2], edges[-1]] if edges else []:
        parts.append(text(x, height + 16, f"{edge:,.4g}{unit}", anchor="middle"))
    return svg(len(bins) * wide + 40, height + 22, parts)


def series(points: Sequence[tuple[date, float]], unit: str = "", width: int = 560, height: int = 120) -> str:
    """A line through the values of days, each day in its place, with the first and last day and the highest value."""
    if not points:
        return svg(width, height + 24, [text(0, height / 2, "no values yet")])
    days, values = [day.toordinal() for day, _ in points], [float(value) for _, value in points]
    low, high, span = min(0.0, *values), max(0.0, *values), max(days[-1] - days[0], 1)
    across = [(day - days[0]) / span * width for day in days]
    up = [16 + (height - 16) * (high - value) / ((high - low) or 1) for value in values]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in zip(across, up, strict=True))
    parts = [
        f'<polyline points="{line}" fill="none" stroke="{BLUE}" stroke-width="1.5"/>',
        f'<circle cx="{across[-1]:.1f}" cy="{up[-1]:.1f}" r="3" fill="{BLUE}"/>',
        text(0, 12, f"{max(values):,.6g}{unit}"),
        text(0, height + 16, points[0][0].isoformat()),
        text(width, height + 16, points[-1][0].isoformat(), anchor="end"),
    ]
    return svg(width + 4, height + 24, parts)


def funnel(steps: Sequence[tuple[str, float, str, str]]) -> str:
    """Horizontal bars, one per step: (title, value, words beside the bar, words under it); grey is what was lost."""
    most, wide, high = max((value for _, value, _, _ in steps), default=0) or 1, 300, 48
    tall = len(steps) * high + 16
    parts = [f'<rect x="0.5" y="0.5" width="639" height="{tall - 1}" rx="8" fill="#fff" stroke="{GREY}"/>']
    for i, (title, value, beside, under) in enumerate(steps):
        y, before = i * high + 12, wide * steps[max(i - 1, 0)][1] / most
        for length, looks in ((before, f'fill="{GREY}" fill-opacity="0.45"'), (wide * value / most, f'fill="{BLUE}"')):
            parts.append(f'<rect x="190" y="{y}" width="{length:.1f}" height="20" rx="3" {looks}/>')
        parts += [
            text(180, y + 15, shortened(title, 26), anchor="end"),
            text(198 + max(before, wide * value / most), y + 15, beside),
            text(190, y + 35, under, "#6b7380"),
        ]
    return svg(640, tall, parts)


def funnel_outline(titles: Sequence[str]) -> str:
    """The steps of a funnel, one under the other and tapering."""
    top, bottom, high = 380.0, 180.0, 34
    parts = []
    for i, title in enumerate(titles):
        y, above, below = i * (high + 4), *(top - (top - bottom) * (i + j) / len(titles) for j in (0, 1))
        corners = [(-above, y), (above, y), (below, y + high), (-below, y + high)]
        points = " ".join(f"{top / 2 + x / 2:.1f},{height:.1f}" for x, height in corners)
        parts.append(f'<polygon points="{points}" fill="{BLUE}"/>')
        parts.append(text(top / 2, y + 21, shortened(f"{i + 1}  {title}", 28), "#fff", anchor="middle"))
    return svg(top, len(titles) * (high + 4), parts)


def shortened(words: str, most: int) -> str:
    """Words cut to a number of letters."""
    return words if len(words) <= most else f"{words[: most - 1]}…"
