"""An audit as titled tables: for the terminal, for a page, for the asset."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from profiles_assets.identity.audit import Audit, SizeBin
from profiles_assets.identity.audit_store import NUMBERS, AuditChange

MOST_CONFLICTS = 20


@dataclass(frozen=True)
class Part:
    """A titled table; `note` says what it tells."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    note: str = ""


def parts(audit: Audit, change: AuditChange | None) -> list[Part]:
    """All tables of an audit that have rows."""
    made = [_numbers(audit, change), _sizes(audit), _types(audit), _guards(audit), _hubs(audit), _rules(audit)]
    return [part for part in (*made, _largest(audit), _conflicts(audit)) if part.rows]


def size_words(size: SizeBin) -> str:
    """A bin of sizes in words, such as `4 to 7`."""
    return str(size.least) if size.least == size.most else f"{size.least:,} to {size.most:,}"


def table_lines(part: Part) -> list[str]:
    """A table as aligned lines of text, numbers to the right."""
    rows = [part.columns, *(tuple(map(cell, row)) for row in part.rows)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(part.columns))]
    right = [all(isinstance(row[i], int | float) for row in part.rows) for i in range(len(part.columns))]
    lines = [
        "  ".join(
            f"{text:>{w}}" if r else f"{text:<{w}}" for text, w, r in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in rows
    ]
    return [part.title + (f": {part.note}" if part.note else ""), *(f"  {line}" for line in lines)]


def cell(value: Any) -> str:
    """A value as text."""
    if isinstance(value, bool) or value is None:
        return {True: "yes", False: "no", None: ""}[value]
    if isinstance(value, float):
        return f"{value:.1%}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _numbers(audit: Audit, change: AuditChange | None) -> Part:
    if change is None:
        return Part("numbers", ("what", "now"), [(name, audit.numbers[name]) for name in NUMBERS])
    rows = [(n, audit.numbers[n], change.numbers[n], f"{audit.numbers[n] - change.numbers[n]:+,}") for n in NUMBERS]
    since = ", ".join(f"{count:,} {kind}" for kind, count in change.logged.items()) or "no profile changed"
    return Part("numbers", ("what", "now", f"audit of {change.as_of}", "change"), rows, f"since the last audit {since}")


def _sizes(audit: Audit) -> Part:
    rows = [(size_words(size), size.profiles, size.components) for size in audit.sizes]
    return Part("sizes", ("ids", "profiles", "components"), rows, "components are what profiles were before limits")


def _types(audit: Audit) -> Part:
    rows = [(t.id_type, t.ids, t.nobody, t.share_alone, t.changed, t.filtered) for t in audit.types]
    columns = ("type", "ids", "of nobody", "alone in their profile", "normalised", "filtered")
    return Part("id types", columns, rows)


def _guards(audit: Audit) -> Part:
    rows = [(g.rule, g.id_type, g.dropped, g.events) for g in audit.guards]
    return Part("guards", ("rule", "type", "ids or links", "events"), rows, "what was left out")


def _hubs(audit: Audit) -> Part:
    return Part("top hubs", ("id", "rule", "seen with"), [(h.id, h.rule, h.detail) for h in audit.hubs])


def _rules(audit: Audit) -> Part:
    rows = [(r.action, _listed(r.ids), r.who, r.why, "idle" if r.idle else "in force", r.origin) for r in audit.rules]
    return Part("rules", ("rule", "ids", "who", "why", "state", "from"), rows)


def _largest(audit: Audit) -> Part:
    rows = [
        (
            one.profile_id,
            one.ids,
            _listed([f"{n} {t}" for t, n in one.types.items()]),
            one.bridges,
            one.joints,
            one.weakest,
        )
        for one in audit.largest
    ]
    columns = ("profile", "ids", "of", "bridges", "joints", "weakest point")
    return Part(
        "largest profiles", columns, rows, "bridges are links, joints ids, that alone hold groups of ids together"
    )


def _conflicts(audit: Audit) -> Part:
    found = [*audit.conflicts.ids, *audit.conflicts.traits]
    rows = [(c.profile_id, c.what, c.values, c.by_rule) for c in found[:MOST_CONFLICTS]]
    more = f"the first {MOST_CONFLICTS} of {len(found):,}" if len(found) > MOST_CONFLICTS else ""
    return Part("conflicts", ("profile", "several of", "values", "linked by a rule"), rows, more)


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words)
