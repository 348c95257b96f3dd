"""`profiles cleanup`: keep the lake small."""

import click

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.upkeep import clean_up


@click.command()
@shared_options
def cleanup(context: Context) -> None:
    """Forget states older than `retain`, merge small files, and remove what nothing reads or declares any more."""
    project, lake = context.project(), context.lake()
    if not lake.exists():
        raise CommandError("there is no lake to clean up yet; build the profiles first with: profiles run")
    with context.console.status("") as status:
        report = clean_up(lake, project, on_step=(lambda _: None) if context.json else status.update)
    context.say(f"{report.snapshots_expired} snapshots expired, {report.snapshots_kept} kept")
    context.say(
        f"{report.files_merged} files merged, {report.files_rewritten} rewritten, {report.files_removed} removed"
    )
    context.say(f"{report.bytes_before:,} bytes before, {report.bytes_after:,} after")
    for name in report.tables_dropped:
        context.say(f"dropped {name}, which nothing declares any more")
    for text in report.skipped:
        context.say(f"[yellow]left: {text}[/yellow]")
    context.answer(report.to_json())
