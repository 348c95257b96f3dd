"""`profiles query`: read-only SQL on the published snapshot."""

import click
import duckdb
from rich.table import Table

from profiles_assets.cli.context import CommandError, Context, shared_options


@click.command()
@click.argument("sql")
@click.option("--limit", default=50, show_default=True, help="Most rows to print.")
@shared_options
def query(context: Context, sql: str, limit: int) -> None:
    """Run SQL, such as: SELECT * FROM profiles.user LIMIT 5."""
    context.project()
    with context.reading() as con:
        try:
            cursor = con.execute(sql)
        except duckdb.Error as error:
            raise CommandError(str(error)) from None
        names = [column[0] for column in cursor.description or []]
        rows = cursor.fetchmany(limit)
    table = Table(*names)
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row))
    if not context.json:
        context.console.print(table)
    context.answer([dict(zip(names, row, strict=True)) for row in rows])
