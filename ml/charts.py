"""Charts as SVG that carry their own background, legible in light and dark, without any script."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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


def ranking(title: str, found: Sequence[tuple[str, float]]) -> str:
    """Horizontal bars of (label, value), one under the other; values below 0 are drawn as none."""
    most = max((value for _, value in found), default=0) or 1
    parts = []
    for row, (name, value) in enumerate(found):
        y, length = 42 + row * 22, max(250 * value / most, 1)
        parts.append(words(196, y + 12, label(name, 28), anchor="end"))
        parts.append(f'<rect class="bar" x="204" y="{y}" width="{length:.1f}" height="16" rx="2"/>')
        parts.append(words(210 + length, y + 12, f"{value:.3g}", "soft"))
    return card(540, 54 + len(found) * 22, title, parts)


def histogram(title: str, counts: Sequence[int], ends: Sequence[str]) -> str:
    """Columns of how many are in each of equally wide bins, over the first and the last edge."""
    most, wide, base = max(counts, default=0) or 1, 500 / max(len(counts), 1), 170.0
    parts = [f'<line class="grid" x1="20" x2="520" y1="{base}" y2="{base}"/>']
    for place, count in enumerate(counts):
        size = f'x="{20 + place * wide:.1f}" width="{wide - 2:.1f}" height="{120 * count / most:.1f}"'
        title_of = f"<title>{count:,}</title>"
        parts.append(f'<rect class="bar" {size} y="{base - 120 * count / most:.1f}" rx="1">{title_of}</rect>')
    parts += [words(20, base + 17, ends[0], "soft"), words(520, base + 17, ends[-1], "soft", "end")]
    return card(540, 200, title, [*parts, words(20, 44, f"largest column: {most:,} people", "soft")])


def calibration(title: str, points: Sequence[tuple[float, float, int]], share: bool = False) -> str:
    """Actual over predicted means, dots as large as the people they stand for, and the line where both are equal."""
    most = max((max(predicted, actual) for predicted, actual, _ in points), default=1) * 1.05 or 1
    top, people = (1.0 if share and most > 0.5 else most), max((n for *_, n in points), default=1)
    frame = Frame(top, top, percent=share)
    line = [(predicted, actual) for predicted, actual, _ in points]
    dots = [frame.dot(x, y, 3 + 5 * (n / people) ** 0.5, f"{n:,} people") for x, y, n in points]
    axes = frame.axes("predicted", "actual")
    return card(420, 392, title, [*axes, frame.line([(0, 0), (top, top)], "even"), frame.line(line, "line"), *dots])


def gains(title: str, curve: Sequence[Point]) -> str:
    """Share caught over the share of people from the highest score down, against catching at random."""
    frame = Frame(1, 1, percent=True)
    tenth = next((caught for share, caught in curve if abs(share - 0.1) < 1e-9), None)
    told = []
    if tenth is not None:
        note = f"top 10 %: {tenth:.0%}, a lift of {tenth / 0.1:.2g}"
        told = [frame.dot(0.1, tenth, 4, note), frame.note(0.1, tenth, note)]
    drawn = [frame.line([(0, 0), (1, 1)], "even"), frame.line(curve, "line"), *told]
    return card(420, 392, title, [*frame.axes("people, highest scores first", "caught"), *drawn])


@dataclass(frozen=True)
class Frame:
    """A square of axes from 0 to the largest values."""

    most_x: float
    most_y: float
    percent: bool = False

    def at(self, x: float, y: float) -> Point:
        """Place of a point in the picture."""
        return 64 + 330 * x / self.most_x, 340 - 270 * y / self.most_y

    def axes(self, across: str, up: str) -> list[str]:
        """Grid lines with their values, and what the axes are."""
        parts = [words(229, 378, across, "soft", "middle"), words(16, 48, up, "soft")]
        for step in range(6):
            x, y = self.at(self.most_x * step / 5, self.most_y * step / 5)
            parts.append(f'<line class="grid" x1="64" x2="394" y1="{y:.1f}" y2="{y:.1f}"/>')
            parts.append(words(58, y + 4, self._value(self.most_y * step / 5), "soft", "end"))
            parts.append(words(x, 358, self._value(self.most_x * step / 5), "soft", "middle"))
        return parts

    def line(self, points: Sequence[Point], looks: str) -> str:
        """A line through points."""
        path = " ".join("{:.1f},{:.1f}".format(*self.at(x, y)) for x, y in points)
        return f'<polyline class="{looks}" points="{path}"/>'

    def dot(self, x: float, y: float, size: float, about: str) -> str:
        """A point with a title."""
        across, up = self.at(x, y)
        return f'<circle class="dot" cx="{across:.1f}" cy="{up:.1f}" r="{size:.1f}"><title>{about}</title></circle>'

    def note(self, x: float, y: float, text: str) -> str:
        """Words beside a point."""
        across, up = self.at(x, y)
        return words(across + 10, up + 14, text, "ink halo")

    def _value(self, value: float) -> str:
        return f"{value:.0%}" if self.percent else f"{value:,.3g}"
