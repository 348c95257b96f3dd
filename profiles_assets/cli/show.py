"""`profiles show`: one person, with ids, traits and predictions."""

from datetime import datetime
from typing import Any

import click

from profiles_assets.cli.context import CommandError, Context, day_option, shared_options
from profiles_assets.cli.show_trait import show_trait
from profiles_assets.profiles.read import NotFoundError, read_profile, read_profile_as_of
from profiles_assets.project.project import Project


@click.command()
@click.argument("who")
@click.argument("trait", required=False)
@click.option("--personal", is_flag=True, help="Show personal data as it is, not its stand-ins.")
@day_option
@shared_options
def show(context: Context, who: str, trait: str | None, as_of: datetime | None, personal: bool) -> None:
    """Show the profile of WHO: type:value, such as email:a@b.c, or a profile id; or what a trait is: trait NAME."""
    project = context.project()
    if who == "trait" or trait:
        show_trait(context, project, who, trait)
        return
    day = as_of.date() if as_of else None
    with context.reading() as con:
        try:
            profile = (
                read_profile_as_of(con, project, who, day, personal=personal)
                if day
                else read_profile(con, project, who, personal=personal)
            )
        except NotFoundError as error:
            raise CommandError(str(error)) from None
    if not context.json:
        if ":" not in who and who != profile["profile_id"]:
            context.console.print(f"{who} is {profile['profile_id']} now")
        for line in lines(project, profile):
            context.console.print(line, markup=False, soft_wrap=True)
    context.answer(profile)


def lines(project: Project, profile: dict[str, Any]) -> list[str]:
    """A profile as lines of text."""
    seen = f"first seen {profile['first_seen']:%Y-%m-%d}, last seen {profile['last_seen']:%Y-%m-%d}"
    found = [f"{profile['entity']} {profile['profile_id']}   as of {profile['as_of']}   {seen}", ""]
    found += ["ids", *_pairs({name: ", ".join(values) for name, values in profile["ids"].items()})]
    if profile["identify_traits"]:
        found += ["", "identify traits", *_pairs(profile["identify_traits"])]
    for name, traits in profile["traits"].items():
        units = {t: project.sections[name].traits[t].unit for t in traits}
        found += ["", name, *_pairs({t: _shown(v, units[t]) for t, v in traits.items()})]
    for name, columns in profile["funnels"].items():
        found += ["", name, *_pairs({c: _shown(v, "") for c, v in columns.items()})]
    if profile["audiences"]:
        found += ["", f"audiences  {', '.join(profile['audiences'])}"]
    if profile["predictions"]:
        found += ["", "predictions", *_pairs({n: _score(p) for n, p in profile["predictions"].items()})]
    if any(mix["mix"] for mix in profile["attribution"].values()):
        found += ["", "attribution", *_pairs({n: _mix(m["mix"]) for n, m in profile["attribution"].items()})]
    return found


def _pairs(values: dict[str, Any]) -> list[str]:
    width = max(map(len, values), default=0)
    return [f"  {name:<{width}}  {value}" for name, value in values.items()]


def _shown(value: Any, unit: str) -> str:
    if value is None:
        return "–"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    text = f"{value:,.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)
    return f"{text} {unit}".strip()


def _mix(shares: dict[str, float] | None) -> str:
    ranked = sorted((shares or {}).items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{channel} {share:.0%}" for channel, share in ranked) or "–"


def _score(prediction: dict[str, Any]) -> str:
    if prediction["score"] is None:
        return "–"
    band = f"   band {prediction['band']}" if prediction["band"] else ""
    between = f"   80 % {prediction['low']:,.2f} to {prediction['high']:,.2f}" if prediction["low"] is not None else ""
    why = f"   because of {', '.join(prediction['reasons'])}" if prediction["reasons"] else ""
    return f"{prediction['score']:.3f}{between}   percentile {prediction['percentile']:.0f}{band}{why}"
