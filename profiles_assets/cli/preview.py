"""`profiles preview`: run the draft of a function and compare it with what is published."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.events.masks import EMAIL, STAND_IN
from profiles_assets.functions.pool import BrokenFunctionError
from profiles_assets.functions.preview import Preview, PreviewError, preview_events, preview_people
from profiles_assets.profiles.read import NotFoundError, find_profile
from profiles_assets.project.personal import personal_keys
from profiles_assets.project.project import Project

FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("name")
@click.option("--user", "users", multiple=True, help="A person, as type:value or profile id; can be repeated.")
@click.option("--events", type=FILE, help="A file of example events: a JSON list, or an event per line.")
@click.option("--sample", type=click.IntRange(min=1), help="So many people, the same ones every time.")
@click.option("--personal", is_flag=True, help="Show personal data as it is, not its stand-ins.")
@shared_options
def preview(context: Context, name: str, personal: bool, **on: Any) -> None:
    """Run the draft of a function on people or example events; nothing is written."""
    users, events, sample = on["users"], on["events"], on["sample"]
    if sum(map(bool, (users, events, sample))) != 1:
        raise click.UsageError("say on whom: --user, --events or --sample")
    project = context.project()
    try:
        found = previews(context, project, name, **on)
    except (PreviewError, NotFoundError) as error:
        raise CommandError(str(error)) from None
    except BrokenFunctionError as error:
        raise CommandError(f"{name} cannot be run: {error}") from None
    function = project.functions[name]
    hidden = set() if personal else set(personal_keys(project, function.entity))
    shown = [asdict(one) if personal else _masked(asdict(one), hidden) for one in found]
    for one in shown:
        for line in lines(one):
            context.say(line.replace("[", "\\["))
    context.answer(shown)
    if any(one.kind for one in found):
        raise CommandError(f"{sum(bool(one.kind) for one in found)} of {len(found)} people failed")


def previews(
    context: Context, project: Project, name: str, *, users: Sequence[str], events: Path | None, sample: int | None
) -> list[Preview]:
    """Previews of what was asked for. Raises PreviewError, NotFoundError and BrokenFunctionError."""
    lake = context.lake()
    if events:
        return preview_events(lake, project, name, events)
    if not users:
        return preview_people(lake, project, name, sample=sample or 0)
    with lake.get_connection() as con:
        people = [find_profile(con, project, user)[1] for user in users]
    return preview_people(lake, project, name, people)


def _masked(value: Any, hidden: set[str]) -> Any:
    if isinstance(value, dict):
        return {k: STAND_IN if k in hidden and part is not None else _masked(part, hidden) for k, part in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(part, hidden) for part in value]
    return EMAIL.sub(STAND_IN, value) if isinstance(value, str) else value


def lines(one: dict[str, Any]) -> list[str]:
    """A preview as lines of text."""
    found = [f"{one['person']}"]
    if one["kind"]:
        found += [f"  {one['kind']}: {line}" for line in one["error"].splitlines()]
    elif one["row"] is None:
        found.append("  no row")
    else:
        found += [f"  {key}: {value}" for key, value in one["row"]["traits"].items()]
    if not one["kind"] and one["published"] is None:
        found.append("  nothing is published for this person")
    else:
        found += [f"  {key}: {old} → {new}" for key, (old, new) in one["difference"].items()]
        found += [] if one["difference"] or one["kind"] else ["  as published"]
    found += [f"  transformation: {line}" for line in one["transform_error"].splitlines()]
    return found + [f"  {level}: {line}" for level, line in one["lines"]]
