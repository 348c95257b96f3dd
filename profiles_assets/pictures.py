"""Small SVG pictures for asset descriptions and reports."""

import base64
from collections.abc import Sequence
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
