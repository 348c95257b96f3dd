"""`profiles init`: write a small starter project, with JSON Schemas for editors."""

from pathlib import Path

import click

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.project.init import init_project


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--name", help="Name of the project; by default the folder's.")
@shared_options
def init(context: Context, folder: Path, name: str | None) -> None:
    """Write a starter project into FOLDER."""
    try:
        written = init_project(folder, name or folder.resolve().name.lower().replace("-", "_"))
    except (FileExistsError, ValueError) as error:
        raise CommandError(str(error)) from None
    for path in written:
        context.say(f"  {path}")
    context.say(f"Next: [bold]profiles validate --project {folder}[/bold]")
    context.answer({"written": [str(path) for path in written]})
