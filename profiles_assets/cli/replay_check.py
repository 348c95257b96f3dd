"""`profiles replay-check`: prove on the project's own data that days in parts come to the same as all at once."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.profiles.masking import HIDDEN
from profiles_assets.replay.check import Replay, replay
from profiles_assets.replay.compare import Difference


@click.command("replay-check")
@click.option("--cut", type=click.DateTime(["%Y-%m-%d"]), help="Last load day of the first part; by default half.")
@click.option("--sample", type=click.FloatRange(0, 100, min_open=True), help="Per cent of the people; by default all.")
@click.option("--personal", is_flag=True, help="Show values that differ as they are.")
@shared_options
def replay_check(context: Context, cut: datetime | None, sample: float | None, personal: bool) -> None:
    """Build everything twice beside the lake, at once and in two parts, and compare every table."""
    day, share = cut.date() if cut else None, sample / 100 if sample else None
    with context.console.status("") as status:
        shown = (lambda _: None) if context.json else status.update
        try:
            found = replay(context.lake(), context.project(), day, share, shown)
        except ValueError as error:
            raise CommandError(str(error)) from None
    report = told(found, personal)
    for difference in found.comparison.differences:
        context.say(f"[red]✗[/red] {escape(words(difference))}")
        if not context.json and difference.rows:
            context.console.print(_table(difference, personal))
    for table, why in found.comparison.left_out.items():
        context.say(f"[dim]  not compared: {escape(table)} ({escape(why)})[/dim]")
    if not found.equal:
        names = ", ".join(difference.table for difference in found.comparison.differences)
        raise CommandError(f"{len(found.comparison.differences)} tables differ: {names}", report)
    count = len(found.comparison.tables)
    context.say(f"[green]✓[/green] {count} tables are equal: {found.days} load days at once, and cut after {found.cut}")
    context.answer(report)


def told(found: Replay, personal: bool) -> dict[str, Any]:
    """A replay as plain values."""
    differences = [asdict(one) | {"rows": rows(one, personal)} for one in found.comparison.differences]
    comparison = found.comparison
    return {
        "equal": found.equal,
        "cut": found.cut,
        "load_days": found.days,
        "tables": list(comparison.tables),
        "differences": differences,
        "left_out": comparison.left_out,
    }


def words(difference: Difference) -> str:
    """A difference in a line of text."""
    counts = f"{difference.only_at_once:,} rows only at once, {difference.only_in_parts:,} only in parts"
    return f"{difference.table}: {counts}; differing: {', '.join(difference.columns) or 'how often a row is there'}"


def rows(difference: Difference, personal: bool) -> list[list[str]]:
    """The rows of a difference, with texts that may be personal hidden unless asked for."""
    hidden = set() if personal else {at for at, name in enumerate(difference.names) if name in difference.texts}
    return [[HIDDEN if at in hidden and v else str(v) for at, v in enumerate(row)] for row in difference.rows]


def _table(difference: Difference, personal: bool) -> Table:
    table = Table(*map(escape, difference.names))
    for row in rows(difference, personal):
        table.add_row(*map(escape, row))
    return table
