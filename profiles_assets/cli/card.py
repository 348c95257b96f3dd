"""`profiles card`: the card of a model, as Markdown or JSON."""

import click

from profiles_assets.cli.context import CommandError, Context, shared_options
from profiles_assets.project.problems import did_you_mean


@click.command()
@click.argument("name")
@click.option("--model", "model_id", help="Id of an earlier model; by default the one in use.")
@shared_options
def card(context: Context, name: str, model_id: str | None) -> None:
    """Show the card of the model of a prediction: what it predicts, from what, how well, and its limits."""
    from ml.card import read_card  # takes its time
    from ml.registry import current_model

    project = context.project()
    if name not in project.predictions:
        hint = did_you_mean(name, project.predictions)
        raise CommandError(f'there is no prediction "{name}"' + (f"; {hint}" if hint else ""))
    with context.lake().get_connection() as con:
        found, model = read_card(con, name, model_id), current_model(con, name)
    if found is None and model_id:
        raise CommandError(f'{name} has no card of the model "{model_id}"')
    if found is None:
        problem = model.problem if model else None
        raise CommandError(problem or "nothing has been trained yet; do so with: profiles run")
    if not context.json:
        click.echo(found[1], nl=False)
    context.answer(found[0])
