"""`profiles validate`: read the project and say everything that is wrong with it."""

import click

from profiles_assets.cli.context import Context, shared_options


@click.command()
@shared_options
def validate(context: Context) -> None:
    """Check the project's files; every problem is reported with file and line."""
    project = context.project()
    counts = {
        "sources": len(project.sources),
        "entities": len(project.entities),
        "traits": sum(len(section.traits) for section in project.sections.values()),
        "predictions": len(project.predictions),
    }
    context.say(f"[green]✓[/green] {project.name}: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    context.answer({"project": project.name, "problems": [], **counts})
