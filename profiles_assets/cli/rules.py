"""`profiles rules`: what people know about ids that the evidence does not tell."""

import getpass
from collections.abc import Iterator
from dataclasses import asdict
from datetime import date

import click

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.cli.explain import shown_sql
from profiles_assets.identity import rules as manual
from profiles_assets.project.project import Project
from profiles_assets.project.rules import ACTIONS, RuleError, make_ruling

APPLIES = "it is applied by the next run: profiles run"


@click.group(invoke_without_command=True)
@click.option("--personal", is_flag=True, help="Show personal ids as they are, not their stand-ins.")
@shared_options
@click.pass_context
def rules(click_context: click.Context, context: Context, personal: bool) -> None:
    """List the manual rules: ids that people linked, unlinked, quarantined or allowed; add and remove them."""
    if click_context.invoked_subcommand is None:
        _list(context, context.project(), personal)


@rules.command()
@click.argument("action", type=click.Choice(ACTIONS))
@click.argument("ids", nargs=-1, required=True)
@click.option("--why", default="", help="Why it is so.")
@click.option("--who", default=getpass.getuser, show_default="you", help="Who says so.")
@shared_options
def add(context: Context, action: str, ids: tuple[str, ...], why: str, who: str) -> None:
    """Add a rule about one or two IDS such as email:a@b.c.

    link and unlink are about two ids: they are, or are not, the same person. quarantine: the id identifies nobody;
    allow: blocked values, max_linked and max_bridged do not apply to it.
    """
    project = context.project()
    known = {name: list(entity.ids) for name, entity in project.entities.items()}
    try:
        ruling = make_ruling(action, list(ids), known, who=who, why=why)
    except RuleError as error:
        raise CommandError(f"{error}; {error.hint}" if error.hint else str(error)) from None
    seq = manual.add_rule(context.lake(), ruling, date.today())
    context.say(f"rule {seq} of {ruling.entity} added; {APPLIES}")
    context.answer({"entity": ruling.entity, "rule": seq})


@rules.command()
@click.argument("number", type=int)
@click.option("--entity", default="", help="Entity whose rule it is; by default the first one.")
@shared_options
def remove(context: Context, number: int, entity: str) -> None:
    """Take back the rule of this NUMBER, which was added by command."""
    entity = entity or next(iter(context.project().entities))
    if not manual.remove_rule(context.lake(), entity, number):
        raise CommandError(f"{entity} has no rule {number} that was added by command; profiles rules lists them")
    context.say(f"rule {number} of {entity} removed; {APPLIES}")
    context.answer({"entity": entity, "rule": number})


def _list(context: Context, project: Project, personal: bool) -> None:
    with context.lake().get_connection() as con:
        found = [
            rule
            for entity in project.entities
            for rule in manual.listed(con, project, entity, shown_sql(project, entity, personal))
        ]
    for line in _lines(found):
        if not context.json:
            context.console.print(line, markup=False, soft_wrap=True)
    context.answer([asdict(rule) for rule in found])


def _lines(found: list[manual.Listed]) -> Iterator[str]:
    if not found:
        yield "no manual rules; profiles rules add --help tells how to add one"
    for rule in found:
        said = ", ".join(filter(None, (rule.who, rule.why)))
        ids = f"{rule.id} {rule.other}" if rule.other else rule.id
        yield f"{rule.origin}  {rule.action} {ids}   {rule.state}{f'   ({said})' if said else ''}"
