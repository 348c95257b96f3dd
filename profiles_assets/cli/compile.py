"""`profiles compile`: the SQL that each section of traits becomes."""

import click
import sqlglot

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.project.problems import did_you_mean
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.compile import compile_section


@click.command("compile")
@click.argument("section", required=False)
@shared_options
def compile_command(context: Context, section: str | None) -> None:
    """Print the SQL of SECTION, or of all sections."""
    project = context.project()
    if section and section not in project.sections:
        raise CommandError(f'there is no section "{section}"; {did_you_mean(section, project.sections) or ""}'.strip())
    with context.lake().get_connection() as con:
        events = event_columns(con, project)
    found = {
        name: sqlglot.transpile(
            compile_section(project, name, events, "as_of()"),
            "duckdb",
            "duckdb",
            pretty=True,
        )[0]
        for name in ([section] if section else project.sections)
    }
    for name, sql in found.items():
        context.say(f"[dim]-- entity_vars/{name}[/dim]")
        if not context.json:
            click.echo(sql + ";\n")
    context.answer(found)
