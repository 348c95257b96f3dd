"""`profiles history`: what happened to a profile, from its first id to now."""

from dataclasses import asdict

import click

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.cli.explain import shown_sql
from profiles_assets.identity.log import Entry, read_log
from profiles_assets.profiles.read import NotFoundError, find_profile

WORDS = {
    "created": "{profile_id} was created",
    "merged": "{profile_id} was merged into {other_profile_id}",
    "split": "{profile_id} was split off {other_profile_id}",
    "erased": "{profile_id} was erased",
}


@click.command()
@click.argument("who")
@click.option("--personal", is_flag=True, help="Show personal ids as they are, not their stand-ins.")
@shared_options
def history(context: Context, who: str, personal: bool) -> None:
    """Show what happened to the profile of WHO: type:value, such as email:a@b.c, or a profile id, also an old one."""
    project = context.project()
    with context.reading() as con:
        try:
            entity, profile_id = find_profile(con, project, who)
        except NotFoundError as error:
            raise CommandError(str(error)) from None
        entries = read_log(con, entity, profile_id, shown_sql(project, entity, personal))
    context.say(f"{entity} {profile_id}")
    for entry in entries:
        if not context.json:
            context.console.print(_line(entry), markup=False, soft_wrap=True)
    context.answer({"entity": entity, "profile_id": profile_id, "log": [asdict(entry) for entry in entries]})


def _line(entry: Entry) -> str:
    because = f", because of {' – '.join(entry.because)}" if entry.because else ""
    return f"  {entry.as_of}  {WORDS[entry.change].format_map(asdict(entry))}{because}"
