"""`profiles erase`: remove people from everything, keep them out, and say what was deleted where."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import click

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.cli.erase_steps import Erasing, Report, save
from profiles_assets.identity import erasure
from profiles_assets.identity.erasure_person import ErasureError


@click.command()
@click.argument("who", nargs=-1)
@click.option("--anonymise", is_flag=True, help="Keep the events, without ids and personal fields.")
@click.option("--dry-run", is_flag=True, help="Only say what would be deleted.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--verify", is_flag=True, help="Search everything on disk for the values, before and after.")
@shared_options
def erase(context: Context, who: tuple[str, ...], **flags: bool) -> None:
    """Erase WHO: ids (type:value, such as email:a@b.c) or profile ids. Without WHO, finish what was cut short."""
    project, lake = context.project(), context.lake()
    if not lake.exists():
        raise CommandError("there is nothing to erase from yet; build the profiles first with: profiles run")
    mode = "anonymise" if flags["anonymise"] else "erase"
    try:
        if flags["dry_run"]:
            reports = [erasure.find(lake, project, who, mode).report() | {"mode": mode, "dry_run": True}]
        else:
            erasing = Erasing(lake, project, context.dagster_home(), flags["verify"])
            reports = _erase(context, erasing, who, mode, flags["yes"])
    except ErasureError as error:
        raise CommandError(str(error)) from None
    if not reports:
        context.say("nothing waits to be finished; say whom to erase, such as: profiles erase email:a@b.c")
    for report in reports:
        for line in lines(report):
            context.say(line)
    context.answer(reports[0] if len(reports) == 1 else reports)


def _erase(context: Context, erasing: Erasing, who: Sequence[str], mode: str, yes: bool) -> list[Report]:
    """Finish what was cut short, then erase those asked for that this has not erased already."""
    on_step = (lambda _: None) if context.json else (lambda text: context.say(f"[dim]{text}[/dim]"))
    with erasing.lake.get_connection() as con:
        waiting = erasure.unfinished(con)
        left = [one for one in who if not erasure.covered(con, erasing.project, one, waiting)]
    done = [erasing.finish(one, on_step) for one in waiting]
    if left:
        found = erasure.find(erasing.lake, erasing.project, left, mode)
        if not yes:
            _confirm(context, found.report(), mode)
        done.append(erasing.run(left, mode, date.today(), on_step))
    return [save(erasing.lake, one) for one in done]


def _confirm(context: Context, report: Report, mode: str) -> None:
    if context.json:
        raise CommandError("an erasure cannot be undone; add --yes to do it, or --dry-run to see what it would delete")
    for line in lines(report | {"mode": mode, "dry_run": True}):
        context.say(line)
    click.confirm("This cannot be undone, and older snapshots can no longer be read. Go on?", abort=True)


def lines(report: Report) -> list[str]:
    """A report as lines of text."""
    ids = ", ".join(f"{count} {name}" for name, count in report["ids"].items())
    doing = "Would be" if report.get("dry_run") else "Done:"
    found = [f"[bold]{doing} {'anonymised' if report['mode'] == 'anonymise' else 'erased'}[/bold] {ids or 'no ids'}"]
    found += [f"  note: {note}" for note in report["notes"]]
    for what in ("deleted", "cleaned"):
        found += [f"  {what} {count:>9,}  {table}" for table, count in report[what].items()]
    if files := report["landing_files"]:
        found.append(f"{len(files)} landing files still hold the person; they are not ours to change:")
        found += [f"  {file}" for file in files]
    return found + (_after(report) if "purge" in report else [])


def _after(report: Report) -> list[str]:
    purged: dict[str, Any] = report["purge"]
    rewritten = sum(purged["files_rewritten"].values())
    freed = purged["bytes_before"] - purged["bytes_after"]
    counts = f"{rewritten} files rewritten, {purged['files_removed']} removed"
    found = [f"{counts}, {purged['snapshots_expired']} snapshots expired; {freed:,} bytes freed"]
    found += [f"[yellow]left: {text}[/yellow]" for text in [*purged["skipped"], *report["elsewhere"]]]
    if "verified" in report:
        before, after = report["verified"]["before"], report["verified"]["after"]
        mark = "[green]✓[/green]" if not after else "[red]✗[/red]"
        found.append(f"{mark} found in {before} places before, in {len(after)} after")
        found += [f"  {place['file']}: {place['what']} ({place['count']})" for place in after]
    return [*found, f"report: {report['file']}"] if "file" in report else found
