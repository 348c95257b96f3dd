"""`profiles demo`: simulate a shop, build its profiles through Dagster, and tell what came out."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.cli.run import require_success, run_pipeline
from profiles_assets.cli.story import gather
from profiles_assets.cli.telling import tell
from profiles_assets.simulator import Settings, load_settings, simulate, simulate_day

SETTINGS = "simulator.yml"


@click.command()
@click.option("--people", type=click.IntRange(min=50), help="How many people; by default as the settings say.")
@click.option("--days", type=click.IntRange(min=7), help="How many days; by default as the settings say.")
@click.option("--one-more-day", is_flag=True, help="Land the next day, with late events, and show what it costs.")
@shared_options
def demo(context: Context, people: int | None, days: int | None, one_more_day: bool) -> None:
    """Simulate the shop of the example project and build its profiles."""
    project = context.project()
    settings = demo_settings(project.root, people, days)
    started = time.monotonic()
    with _drawn(context) as progress:
        land_day(settings, project.root, progress) if one_more_day else land_all(settings, project.root, progress)
    outcomes = run_pipeline(context, project)
    require_success(outcomes)
    facts = gather(context.lake(), project, outcomes)
    for line in tell(facts, one_more_day):
        context.say(line)
    context.say(f"\n[dim]{time.monotonic() - started:.0f} seconds[/dim]")
    context.answer({"runs": [asdict(outcome) for outcome in outcomes], **facts})


def demo_settings(root: Path, people: int | None, days: int | None) -> Settings:
    """Settings of the simulated shop, smaller or larger when asked; what was simulated before keeps its size."""
    if not (root / SETTINGS).exists():
        raise CommandError(f"{root} has no {SETTINGS}; the demo runs on the shop example, --project examples/shop")
    changes = {name: value for name, value in (("people", people), ("days", days)) if value}
    note = root / "truth" / "settings.json"
    if not changes and note.exists():
        changes = json.loads(note.read_text())
    return load_settings(root / SETTINGS).model_copy(update=changes)


def land_all(settings: Settings, root: Path, progress: Callable[[str, int, int], None]) -> None:
    """Write the landing folder, unless the same shop was written to its end before."""
    note, size = root / "truth" / "settings.json", {"people": settings.people, "days": settings.days}
    if note.exists() and json.loads(note.read_text()) == size:
        return
    simulate(settings, root, progress)
    note.write_text(json.dumps(size))


def land_day(settings: Settings, root: Path, progress: Callable[[str, int, int], None]) -> None:
    """Write the day after the newest one. Raises CommandError when there is none yet or no more."""
    counts = root / "truth" / "counts.json"
    if not counts.exists():
        raise CommandError("there is no shop yet; make one first with: profiles demo")
    last = date.fromisoformat(json.loads(counts.read_text())["last_day"])
    try:
        simulate_day(settings, root, (last - settings.start).days + 1, progress)
    except ValueError as error:
        raise CommandError(str(error)) from None


@contextmanager
def _drawn(context: Context) -> Iterator[Callable[[str, int, int], None]]:
    looks = (
        TextColumn("simulate {task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*looks, console=context.console, transient=True, disable=context.json) as progress:
        tasks: dict[str, Any] = {}

        def note(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=total)
            progress.update(tasks[what], completed=done)

        yield note
