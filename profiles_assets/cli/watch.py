"""`profiles watch`: stay, notice new files within a fraction of a second, and refresh the profiles."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any

import click
from rich.markup import escape

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.events.report import LoadReport
from profiles_assets.watching import Batch, BusyError, Watch, only_watcher
from resources.kept import kept


@click.command()
@click.option("--dagster/--no-dagster", default=True, help="Report materialisations to the Dagster instance, or not.")
@shared_options
def watch(context: Context, dagster: bool) -> None:
    """Load new files as they land and refresh all that follows, until stopped; it can be started again at any time."""
    stop = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    root = Path(context.project().root)
    with kept(context.lake().model_copy(update={"threads": context.lake().threads or 1})) as lake:
        try:
            with only_watcher(lake):
                context.say(f"watching {root}; stop with Ctrl-C")
                _watch(context, Watch(lake, root), stop, dagster)
        except BusyError as error:
            raise CommandError(f"{error}; one is enough") from None
    context.say("stopped")


def _watch(context: Context, watching: Watch, stop: Event, dagster: bool) -> None:
    with _reporting(context, dagster) as report:

        def done(batch: Batch) -> None:
            context.say(words(batch))
            _line(context, told(batch))
            report(batch)

        def tell(text: str) -> None:
            context.say(f"[red]✗[/red] {escape(text)}")
            _line(context, {"problem": text})

        watching.run(stop, done, tell)


@contextmanager
def _reporting(context: Context, dagster: bool) -> Iterator[Callable[[Batch], object]]:
    if not dagster:
        yield lambda _: None
        return
    from profiles_assets.cli.execution import local_instance
    from profiles_assets.watching_report import report_batch

    with local_instance(context.dagster_home()) as instance:
        yield lambda batch: report_batch(instance, batch)


def told(batch: Batch) -> dict[str, Any]:
    """A batch as plain values; `finished` is the time at which it did."""
    loads = [report for report in batch.reports.values() if isinstance(report, LoadReport)]
    return {
        "sources": list(batch.sources),
        "files": sum(load.files for load in loads),
        "loaded": sum(load.loaded for load in loads),
        "rejected": sum(sum(load.rejected.values()) for load in loads),
        "seconds": round(batch.seconds, 3),
        "finished": time.time(),
        "problem": batch.problem,
    }


def words(batch: Batch) -> str:
    """A batch in a line of text."""
    if batch.problem:
        return f"[red]✗[/red] {escape(batch.problem)}; it is tried again"
    numbers = told(batch)
    counts = f"{numbers['files']} files, {numbers['loaded']:,} records loaded, {numbers['rejected']:,} rejected"
    return f"[green]✓[/green] {counts}; refreshed in {batch.seconds:.1f} s"


def _line(context: Context, value: dict[str, Any]) -> None:
    if context.json:
        click.echo(json.dumps(value, ensure_ascii=False))
