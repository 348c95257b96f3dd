"""`profiles audit`: what the stitched ids look like as a whole, and what in them is suspicious."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from profiles_assets.cli.context import Context, shared_options
from profiles_assets.identity.audit import Audit, compute_audit
from profiles_assets.identity.audit_checks import largest_is_plausible, no_conflicting_ids
from profiles_assets.identity.audit_page import audit_html, audit_svg
from profiles_assets.identity.audit_store import AuditChange, change_since
from profiles_assets.identity.audit_words import parts, table_lines
from profiles_assets.identity.explain_read import as_it_is, masked_id
from profiles_assets.project.project import Project

Found = tuple[Audit, AuditChange | None]
FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.option("--svg", type=FILE, help="Draw the audit into this file.")
@click.option("--html", type=FILE, help="Write it as a page into this file.")
@click.option("--personal", is_flag=True, help="Show ids as they are, not the first letters of them.")
@shared_options
def audit(context: Context, svg: Path | None, html: Path | None, personal: bool) -> None:
    """Audit the stitched ids: sizes, hubs, guards, rules, suspicious profiles, change since the last audit."""
    project = context.project()
    found = audit_all(context, project, personal)
    if svg:
        svg.write_text(audit_svg([made for made, _ in found]), encoding="utf-8")
    if html:
        html.write_text(audit_html(project.name, found), encoding="utf-8")
    if not context.json:
        for line in [line for both in found for line in lines(*both)]:
            context.console.print(line, markup=False, soft_wrap=True)
    context.answer([told(*both) for both in found])


def audit_all(context: Context, project: Project, personal: bool) -> list[Found]:
    """Audits of all entities in the published snapshot, each with what changed since the one before."""
    with context.reading() as con:
        made = [compute_audit(con, project, name, as_it_is if personal else masked_id) for name in project.entities]
        return [(one, change_since(con, one)) for one in made]


def lines(made: Audit, change: AuditChange | None) -> list[str]:
    """An audit as lines of text."""
    found = [f"{made.entity}   as of {made.as_of}", *(f"  warn: {words}" for words in warnings(made, change))]
    return found + [line for part in parts(made, change) for line in ("", *table_lines(part))]


def warnings(made: Audit, change: AuditChange | None) -> list[str]:
    """What does not look like a healthy identity graph."""
    large, conflicts = largest_is_plausible(made, change), no_conflicting_ids(made)
    found = [] if large[0] else [f"the largest profile has {large[1]['ids']:,} ids, before {large[1]['before']:,}"]
    told = f"{conflicts[1]['profiles']:,} profiles have several ids of which a person has one"
    return found if conflicts[0] else [*found, told]


def told(made: Audit, change: AuditChange | None) -> dict[str, Any]:
    """An audit as plain values."""
    return asdict(made) | {"change": asdict(change) if change else None, "warnings": warnings(made, change)}
