"""`profiles explain`: the evidence that joins two ids, the guard that keeps them apart, the graph of a profile."""

from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from profiles_assets.cli.context import CommandError, Context, day_option, shared_options
from profiles_assets.identity.as_of import stitch_as_of
from profiles_assets.identity.explain import explain_pair
from profiles_assets.identity.explain_picture import draw_profile
from profiles_assets.identity.explain_profile import explain_profile
from profiles_assets.identity.explain_read import STITCHED, Shown, UnknownIdError, as_it_is, find_asked, stage_reading
from profiles_assets.identity.explain_words import graph_lines, pair_lines
from profiles_assets.profiles.masking import masked_sql
from profiles_assets.project.project import Project
from resources.tables import literal

THEN = "stitched_then"


@click.command()
@click.argument("who")
@click.argument("other", required=False)
@click.option("--svg", type=click.Path(path_type=Path, dir_okay=False), help="Draw the profile's graph into this file.")
@click.option("--personal", is_flag=True, help="Show personal ids as they are, not their stand-ins.")
@day_option
@shared_options
def explain(
    context: Context, who: str, other: str | None, *, svg: Path | None, personal: bool, as_of: datetime | None
) -> None:
    """Explain why WHO is one person, or why WHO and OTHER are one or not.

    Both are type:value, such as email:a@b.c, or profile ids.
    """
    if svg and other:
        raise click.UsageError("--svg draws the graph of one profile; ask for one id")
    project, day = context.project(), as_of.date() if as_of else None
    with context.reading() as con:
        try:
            stitched = _stitched(con, project, who, day)
            asked = find_asked(con, project, who, stitched)
            second = find_asked(con, project, other, stitched) if other else None
        except UnknownIdError as error:
            raise CommandError(str(error)) from None
        shown = shown_sql(project, asked.entity, personal)
        read_at = stage_reading(con, asked.entity, shown, day, stitched=stitched)
        if second:
            pair = explain_pair(con, asked, second, read_at)
            _print(context, pair_lines(pair), asdict(pair))
            return
        graph = explain_profile(con, asked, read_at)
    if svg:
        svg.write_text(draw_profile(graph, list(project.entities[asked.entity].ids)), encoding="utf-8")
    _print(context, [*graph_lines(graph), *([f"drawn in {svg}"] if svg else [])], asdict(graph))


def shown_sql(project: Project, entity: str, personal: bool) -> Shown:
    """SQL of ids as they may be shown: those declared personal as their stand-ins, unless asked for."""
    hidden = {name: spec.pii for name, spec in project.entities[entity].ids.items() if spec.pii}
    if personal or not hidden:
        return as_it_is

    def shown(id_type: str, value: str) -> str:
        cases = [f"WHEN {literal(name)} THEN {masked_sql(value, how)}" for name, how in hidden.items()]
        return f"CASE {id_type} {' '.join(cases)} ELSE {value} END"

    return shown


def _stitched(con: Any, project: Project, who: str, day: Any) -> str:
    """Table of stitched ids to read, computed for a past day where one is asked for."""
    if day is None:
        return STITCHED
    id_type = who.partition(":")[0]
    entity = next((n for n, entity in project.entities.items() if id_type in entity.ids), next(iter(project.entities)))
    stitch_as_of(con, project, entity, day, THEN)
    return THEN


def _print(context: Context, lines: list[str], value: Any) -> None:
    if not context.json:
        for line in lines:
            context.console.print(line, markup=False, soft_wrap=True)
    context.answer(value)
