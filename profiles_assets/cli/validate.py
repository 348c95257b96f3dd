"""`profiles validate`: read the project, look into its data, and say everything that is wrong."""

import click

from profiles_assets.cli.context import Context, shared_options
from profiles_assets.project.draft import Draft
from profiles_assets.project.loader import checked_draft
from profiles_assets.project.problems import Problem, ProjectError
from profiles_assets.project.project import Project

KINDS = ("sources", "entities", "models", "funnels", "metrics", "audiences", "views", "predictions", "attribution")


@click.command()
@click.option("--no-data", is_flag=True, help="Look at the declarations only, not into the newest landing files.")
@shared_options
def validate(context: Context, no_data: bool) -> None:
    """Check the project's files; every problem is reported with file and line.

    Properties are compared with the newest records of their sources.
    """
    draft = checked_draft(context.project_dir)
    doubts = [] if no_data else compare(draft)
    for doubt in doubts:
        context.say(f"[yellow]{doubt}[/yellow]")
    counts = count(draft.project)
    shown = ", ".join(f"{n} {what}" for what, n in counts.items() if n)
    context.say(f"[green]✓[/green] {draft.project.name}: {shown}")
    told = [doubt.to_json() for doubt in doubts]
    context.answer({"project": draft.project.name, "problems": [], "doubts": told, **counts})


def compare(draft: Draft) -> list[Problem]:
    """Doubts that the data raises. Raises ProjectError for what it contradicts."""
    from profiles_assets.events.sample import sample_project
    from profiles_assets.project.sampled import compare_with_data

    samples = sample_project(draft.project, str(draft.project.root / ".lake" / "spill"))
    found = compare_with_data(draft, samples)
    if found.problems:
        raise ProjectError(found.problems)
    return found.doubts


def count(project: Project) -> dict[str, int]:
    """How many of each kind of thing a project declares."""
    traits = sum(len(section.traits) for section in project.sections.values()) - len(project.metrics)
    found = {kind: len(getattr(project, kind)) for kind in KINDS}
    return {"sources": found.pop("sources"), "entities": found.pop("entities"), "traits": traits, **found}
