"""An audit as pictures, and as a page of HTML that needs nothing beside it."""

from collections.abc import Sequence
from html import escape

from profiles_assets import pictures
from profiles_assets.identity.audit import Audit
from profiles_assets.identity.audit_store import AuditChange
from profiles_assets.identity.audit_words import Part, cell, parts, size_words

STYLE = """body{font:14px/1.45 sans-serif;color:#2b2f36;max-width:1000px;margin:2em auto;padding:0 1em}
table{border-collapse:collapse;margin:.6em 0 1.6em}td,th{padding:.2em .8em .2em 0;text-align:left;vertical-align:top}
th{color:#6b7380;font-weight:normal;border-bottom:1px solid #c9ced6}td.n{text-align:right}p{color:#6b7380;margin:0}"""
NUMERIC = (int, float)


def compact_picture(audit: Audit) -> str:
    """How many profiles have how many ids."""
    return pictures.bars([(f"{size_words(size)} id{'s' * (size.most > 1)}", size.profiles) for size in audit.sizes])


def audit_pictures(audit: Audit) -> list[tuple[str, str]]:
    """Titles and SVGs of what an audit found."""
    drawn = [
        (f"profiles of {audit.entity} by number of ids, as of {audit.as_of}", compact_picture(audit)),
        (
            "ids alone in their profile, % of their type",
            _bars([(t.id_type, 100 * t.share_alone) for t in audit.types], "%"),
        ),
        ("left out by the guards: ids or links", _bars([(f"{g.rule} {g.id_type}", g.dropped) for g in audit.guards])),
        ("top hubs: seen with how many", _bars([(pictures.shortened(h.id, 24), h.number) for h in audit.hubs])),
        ("largest profiles: ids", _bars([(large.profile_id, large.ids) for large in audit.largest])),
    ]
    return [(title, picture) for title, picture in drawn if picture]


def audit_svg(audits: Sequence[Audit]) -> str:
    """All pictures of audits in one SVG, one under the other."""
    placed, y = [], 10
    for title, picture in (both for audit in audits for both in audit_pictures(audit)):
        placed.append(pictures.text(10, y + 14, title))
        placed.append(picture.replace("<svg ", f'<svg x="10" y="{y + 24}" ', 1))
        y += 24 + _height(picture) + 26
    return pictures.svg(620, y, [f'<rect width="620" height="{y}" fill="#fff"/>', *placed])


def audit_html(project: str, found: Sequence[tuple[Audit, AuditChange | None]]) -> str:
    """A page with the pictures and tables of audits."""
    body = [f"<h1>Identity audit of {escape(project)}</h1>"]
    for audit, change in found:
        body.append(f"<h2>{escape(audit.entity)}, as of {audit.as_of}</h2>")
        body += [f"<h3>{escape(title)}</h3>{picture}" for title, picture in audit_pictures(audit)]
        body += [_table(part) for part in parts(audit, change)]
    head = f'<meta charset="utf-8"><title>Identity audit</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>\n'


def markdown_table(part: Part) -> str:
    """A table in Markdown."""
    rows = [part.columns, tuple("---" for _ in part.columns), *(tuple(map(cell, row)) for row in part.rows)]
    return "\n".join(f"| {' | '.join(text.replace('|', '&#124;') for text in row)} |" for row in rows)


def _bars(values: list[tuple[str, float]], unit: str = "") -> str:
    return pictures.bars([(label, round(value, 1)) for label, value in values], unit) if values else ""


def _height(picture: str) -> int:
    return int(picture.split('height="', 1)[1].split('"', 1)[0])


def _table(part: Part) -> str:
    head = "".join(f"<th>{escape(name)}</th>" for name in part.columns)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in part.rows)
    note = f"<p>{escape(part.note)}</p>" if part.note else ""
    return f"<h3>{escape(part.title)}</h3>{note}<table><tr>{head}</tr>{rows}</table>"


def _cell(value: object) -> str:
    number = isinstance(value, NUMERIC) and not isinstance(value, bool)
    return f"<td{' class=n' if number else ''}>{escape(cell(value))}</td>"
