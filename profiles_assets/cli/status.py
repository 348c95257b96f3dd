"""`profiles status`: what is applied, what is waiting, what is published."""

from typing import Any

import click
from rich.markup import escape
from rich.table import Table

from profiles_assets.cli.context import Context, shared_options
from profiles_assets.events.arrivals import arrivals, table_arrivals
from profiles_assets.functions.versions import state_of
from profiles_assets.project.project import Project
from profiles_assets.watching import watcher
from resources.lake import Lake

SOURCES = """
    SELECT source, count(*) AS files, sum(records) AS records, sum(loaded) AS loaded, sum(rejected) AS rejected,
           sum(duplicates) AS duplicates
    FROM ops.files GROUP BY source ORDER BY source"""
PUBLISHED = """
    SELECT entity, max(as_of) AS as_of, max(snapshot) AS snapshot
    FROM ops.publications GROUP BY entity ORDER BY entity"""
NO_SPEED = {"people_per_second": None, "seconds_left": None}


@click.command()
@shared_options
def status(context: Context) -> None:
    """Say what the lake holds, which files wait, and what readers see."""
    found = read_status(context.lake(), context.project())
    if not context.json:
        context.console.print(_table("loaded", found["sources"]))
        context.console.print(_table("published", found["published"]))
        if found["functions"]:
            context.console.print(_table("functions", found["functions"]))
    waiting = found["waiting"]
    context.say(f"{sum(w['files'] for w in waiting)} files wait to be applied" if waiting else "every file is applied")
    if found["waiting_rows"]:
        context.say(f"{found['waiting_rows']:,} rows of tables wait to be applied")
    if found["watched_by"]:
        context.say(f"profiles watch is at work (process {found['watched_by']})")
    for problem in found["problems"]:
        context.say(f"[yellow]{escape(problem)}[/yellow]")
    context.answer(found)


def read_status(lake: Lake, project: Project) -> dict[str, Any]:
    """Sources with their counts, stretches of days with unapplied files, publications, and functions."""
    with lake.get_connection() as con:
        sources, published = _rows(con, SOURCES), _rows(con, PUBLISHED)
        functions = [_function(con, name) for name in project.functions]
    waiting = [{"first": a.first, "last": a.last, "files": a.files} for a in arrivals(lake, project)]
    problems: list[str] = []
    rows = sum(a.files for a in table_arrivals(lake, project, problems.append))
    by = watcher(lake)
    return {
        "sources": sources,
        "waiting": waiting,
        "waiting_rows": rows,
        "published": published,
        "watched_by": by,
        "problems": problems,
        "functions": functions,
    }


def _function(con: Any, name: str) -> dict[str, Any]:
    """A function: which version is seen, which is built, how far, how fast, and in what time it will be done."""
    state = state_of(con, name)
    if state is None:
        return {"function": name, "visible": None, "building": None, "done": 0, "total": 0, "errors": 0} | NO_SPEED
    speed = state.done / state.seconds if state.building and state.seconds else None
    return {
        "function": name,
        "visible": state.visible,
        "building": state.target if state.building else None,
        "done": state.done,
        "total": state.total,
        "errors": state.errors,
        "people_per_second": speed and round(speed, 1),
        "seconds_left": round((state.total - state.done) / speed) if speed else None,
    }


def _rows(con: Any, query: str) -> list[dict[str, Any]]:
    cursor = con.execute(query)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(*(rows[0] if rows else ["nothing yet"]), title=title, title_justify="left")
    for row in rows:
        table.add_row(*(f"{v:,}" if isinstance(v, int) else str(v) for v in row.values()))
    return table
