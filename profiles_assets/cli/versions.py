"""`profiles versions`: what was published of a function."""

from dataclasses import asdict

import click
from rich.table import Table

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.functions.versions import versions as read_versions


@click.command()
@click.argument("name")
@shared_options
def versions(context: Context, name: str) -> None:
    """List the published versions of a function, and which of them people see."""
    project = context.project()
    with context.lake().get_connection() as con:
        found = read_versions(con, name)
    if not found and name not in project.functions:
        raise CommandError(f'there is no function "{name}"')
    table = Table("version", "published", "author", "code", "")
    for one in found:
        state = "the draft" if name in project.functions and project.functions[name].hash == one.hash else ""
        told = ", ".join(filter(None, [one.state, state]))
        table.add_row(str(one.version), one.published.isoformat(sep=" "), one.author, one.hash[:8], told)
    if not context.json:
        context.console.print(table if found else f"{name} was never published; do so with: profiles publish {name}")
    context.answer([asdict(one) for one in found])
