"""Charts as SVG that carry their own background, legible in light and dark, without any script."""

import re
from collections.abc import Mapping, Sequence
from html import escape

from profiles_assets.pictures import shortened, svg

LIGHT = ("#ffffff", "#d9dde3", "#23272e", "#6b7380", "#e8ebf0", "#4f6df5", "#c2c8d2")
DARK = ("#1b1e24", "#3a3f49", "#e8ebf0", "#9aa3b1", "#2d323b", "#7b92ff", "#4b515c")
CLASSES = (
    ".card{{fill:{0};stroke:{1}}}.ink{{fill:{2}}}.soft{{fill:{3}}}.grid{{stroke:{4}}}"
    ".bar{{fill:{5}}}.line{{stroke:{5};fill:none;stroke-width:2}}.dot{{fill:{5};stroke:{0}}}"
    ".pale{{fill:{6}}}.even{{stroke:{3};stroke-dasharray:4 4;fill:none}}.halo{{stroke:{0};stroke-width:3px}}"
)
STYLE = (
    "<style>text{font-family:system-ui,sans-serif;font-size:12px}.title{font-weight:600;font-size:13px}"
    f".halo{{paint-order:stroke}}{CLASSES.format(*LIGHT)}@media(prefers-color-scheme:dark){{{CLASSES.format(*DARK)}}}</style>"
)
Point = tuple[float, float]


def card(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """A whole SVG document with a background, a title and parts."""
    back = f'<rect class="card" x="0.5" y="0.5" width="{width - 1:.0f}" height="{height - 1:.0f}" rx="8"/>'
    return svg(width, height, [STYLE, back, words(16, 24, title, "ink title"), *parts])


def bars(title: str, panels: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """Horizontal bars of (label, value) in three columns of panels, all on one scale."""
    most = max((value for found in panels.values() for _, value in found), default=0) or 1
    rows, wide, line = max(map(len, panels.values()), default=0), 310, 20
    tall, parts = rows * line + 40, []
    for number, (panel, found) in enumerate(panels.items()):
        x, y = 16 + number % 3 * wide, 40 + number // 3 * tall
        parts.append(words(x, y + 14, panel, "soft"))
        for row, (name, value) in enumerate(found):
            length, at = 130 * value / most, y + 24 + row * line
            parts.append(words(x + 106, at + 12, label(name, 17), anchor="end"))
            parts.append(f'<rect class="bar" x="{x + 112}" y="{at}" width="{max(length, 1):.1f}" height="15" rx="2"/>')
            parts.append(words(x + 118 + length, at + 12, f"{value:,.4g}" if value < 1000 else f"{value:,.0f}", "soft"))
    return card(3 * wide + 16, 48 + -(-len(panels) // 3) * tall, title, parts)


def label(text: str, most: int) -> str:
    """A name cut to a number of letters, without what all addresses begin with."""
    return shortened(re.sub(r"^(https?://)?(www\.)?", "", text).rstrip("/") or text, most)


def words(x: float, y: float, text: str, looks: str = "ink", anchor: str = "start") -> str:
    """One line of text."""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f'<text class="{looks}" {place}>{escape(text)}</text>'
