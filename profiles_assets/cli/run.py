"""`profiles run`: build everything that is not up to date, through Dagster."""

from dataclasses import asdict
from datetime import date

import click
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.cli.execution import Execution, RunOutcome, local_instance
from profiles_assets.definitions import build_defs
from profiles_assets.events.arrivals import arrivals, newest_landing_day
from profiles_assets.project.project import Project

LOOKS = ("{task.description}", "{task.completed}/{task.total}")


@click.command()
@click.option("--all-days", is_flag=True, help="Go through every load day, not only those with unapplied files.")
@shared_options
def run(context: Context, all_days: bool) -> None:
    """Apply every landing file that no run has applied, and refresh all that follows from it."""
    outcomes = run_pipeline(context, context.project(), all_days)
    for outcome in outcomes:
        mark = "[green]✓[/green]" if outcome.success else "[red]✗[/red]"
        context.say(f"{mark} {outcome.first} to {outcome.last}: {outcome.steps} steps")
        for warning in outcome.warnings:
            context.say(f"  {warning}")
    context.answer([asdict(outcome) for outcome in outcomes])
    require_success(outcomes)


def require_success(outcomes: list[RunOutcome]) -> None:
    """Raise CommandError with what failed, if anything did."""
    failures = [text for outcome in outcomes for text in outcome.failures.values()]
    if failures or not all(outcome.success for outcome in outcomes):
        raise CommandError("\n".join(failures) or "the run did not succeed; see it in the Dagster UI")


def run_pipeline(context: Context, project: Project, all_days: bool = False) -> list[RunOutcome]:
    """Run the job for each stretch of load days that has unapplied files; for the newest day when there is none."""
    definitions = build_defs(context.project_dir, context.lake())
    with local_instance(context.dagster_home()) as instance:
        return [
            _drawn(context, Execution(definitions, instance, first, last))
            for first, last in spans(context, project, all_days)
        ]


def spans(context: Context, project: Project, all_days: bool) -> list[tuple[date, date]]:
    """Stretches of load days to run."""
    waiting = [(a.first, a.last) for a in arrivals(context.lake(), project)]  # a run reads tables in any case
    if waiting and not all_days:
        return waiting
    newest = newest_landing_day(project) or project.start
    return [(project.start if all_days else newest, newest)]


def _drawn(context: Context, execution: Execution) -> RunOutcome:
    title = f"{execution.first} to {execution.last}"
    doing, count = (TextColumn(look) for look in LOOKS)
    columns = (SpinnerColumn(), doing, BarColumn(), count, TimeElapsedColumn())
    with Progress(*columns, console=context.console, transient=True, disable=context.json) as progress:
        task = progress.add_task(title, total=execution.steps)
        for done, step in execution.watch():
            progress.update(task, completed=done, description=step or title)
    return execution.outcome()
