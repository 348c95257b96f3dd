"""`profiles compile`: the SQL that each asset becomes."""

from collections.abc import Callable
from functools import partial

import click

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.project.problems import any_of, did_you_mean
from profiles_assets.project.project import Project
from profiles_assets.traits.columns import EventColumns, event_columns
from profiles_assets.traits.compile import compile_section
from profiles_assets.traits.funnels import compile_funnel
from profiles_assets.traits.layout import laid_out
from profiles_assets.traits.lineage import declared_columns

AS_OF = "as_of()"
Statement = Callable[[], str]


@click.command("compile")
@click.argument("asset", required=False)
@shared_options
def compile_command(context: Context, asset: str | None) -> None:
    """Print the SQL of ASSET, such as entity_vars/commerce, or of all assets."""
    project = context.project()
    statements = compiled(project, columns_of(context, project))
    names = [chosen(asset, list(statements))] if asset else list(statements)
    found = {name: laid_out(statements[name]()) for name in names}
    if not context.json:
        for name, sql in found.items():
            click.echo(f"-- {name}\n{sql};\n")
    context.answer(found)


def compiled(project: Project, events: EventColumns) -> dict[str, Statement]:
    """What makes the SQL of each asset that is made by one statement, by asset."""
    found: dict[str, Statement] = {}
    found |= {f"entity_vars/{n}": partial(compile_section, project, n, events, AS_OF) for n in project.sections}
    found |= {f"funnels/{n}": partial(compile_funnel, f, events, AS_OF) for n, f in project.funnels.items()}
    if project.models or project.metrics:  # what makes these needs Dagster, which takes its time to import
        from profiles_assets.traits.models import built_models, compile_model
        from profiles_assets.traits.series import series_sql

        found |= {f"models/{n}": partial(compile_model, project, n, events, AS_OF) for n in built_models(project)}
        found |= {f"metrics/{n}": partial(series_sql, m, events, AS_OF) for n, m in project.metrics.items()}
    return found


def columns_of(context: Context, project: Project) -> EventColumns:
    """Columns of raw events as the lake has them; before the first load, as definitions will need them."""
    if not (context.lake_dir or project.root / ".lake").exists():
        return declared_columns(project)
    with context.lake().get_connection() as con:
        return event_columns(con, project)


def chosen(asked: str, names: list[str]) -> str:
    """The asset asked for by its name or the last part of it. Raises CommandError where there is none."""
    found = [name for name in names if asked in (name, name.split("/", 1)[1])]
    if not found:
        hint = did_you_mean(asked, [*names, *(n.split("/", 1)[1] for n in names)]) or f"there are {any_of(names)}"
        raise CommandError(f'there is no asset "{asked}" made by SQL; {hint}')
    return found[0]
