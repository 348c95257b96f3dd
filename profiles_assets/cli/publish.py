"""`profiles publish`: make the draft of a function, or an older version, the one that people see."""

import click
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.functions.run import FunctionReport, update_function
from profiles_assets.functions.versions import PublishError
from profiles_assets.functions.versions import publish as publish_function
from profiles_assets.project.project import Project


@click.command()
@click.argument("name")
@click.option("--version", type=click.IntRange(min=1), help="Go back to this version instead of taking the draft.")
@click.option("--build", is_flag=True, help="Build it here and now instead of with the next runs.")
@shared_options
def publish(context: Context, name: str, version: int | None, build: bool) -> None:
    """Store the code of a function as its next version; everybody is rebuilt under it."""
    project = context.project()
    try:
        number = publish_function(context.lake(), project, name, version)
    except PublishError as error:
        raise CommandError(str(error)) from None
    context.say(f"version {number} of {name} is published; people see it when it is complete: profiles status")
    report = _built(context, project, name) if build else None
    context.answer({"function": name, "version": number, "visible": report.version if report else None})
    if report and report.broken:
        raise CommandError(f"{name} cannot be run: {report.broken}")


def _built(context: Context, project: Project, name: str) -> FunctionReport:
    if name not in project.functions:
        raise CommandError(f'there is no function "{name}" in functions/')
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total}"))
    with Progress(*columns, TimeRemainingColumn(), console=context.console, disable=context.json) as progress:
        task = progress.add_task(name, total=None)
        report = update_function(
            context.lake(),
            project,
            name,
            on_progress=lambda what, done, total: progress.update(task, description=what, completed=done, total=total),
        )
    context.say(f"{report.rows:,} rows, {report.errors:,} errors, version {report.version} is what people see")
    return report
