"""What every command gets: the project, the lake, and a way to answer in text or JSON."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, wraps
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profiles_assets.project.loader import load_project
from profiles_assets.project.project import DEFAULT_PROJECT, Project

if TYPE_CHECKING:
    from rich.console import Console

    from resources.lake import Lake


class CommandError(click.ClickException):
    """A problem in what was asked; exits with 1 and no traceback."""

    exit_code = 1

    def __init__(self, message: str, details: Any = None) -> None:
        super().__init__(message)
        self.details = details


@dataclass
class Context:
    """Options that all commands share."""

    project_dir: Path
    lake_dir: Path | None = None
    json: bool = False
    debug: bool = False

    @cached_property
    def console(self) -> "Console":
        """Where text goes."""
        from rich.console import Console  # takes its time, and not every command says anything

        return Console(highlight=False)

    def project(self) -> Project:
        """The project as declared. Raises ProjectError with every problem in it."""
        return load_project(self.project_dir)

    def lake(self) -> "Lake":
        """The lake asked for, else the project's own."""
        from resources.lake import Lake, lake_of

        return Lake(root=str(self.lake_dir)) if self.lake_dir else lake_of(self.project_dir)

    def say(self, text: str) -> None:
        """Print text, unless JSON is asked for."""
        if not self.json:
            self.console.print(text, soft_wrap=True)

    def answer(self, value: Any) -> None:
        """Print a value as JSON, if JSON is asked for."""
        if self.json:
            click.echo(json.dumps(value, default=plain, ensure_ascii=False, indent=2))

    @contextmanager
    def reading(self) -> Iterator[Any]:
        """Connection on the published snapshot; a lake without one is a CommandError."""
        try:
            with self.lake().read() as con:
                yield con
        except LookupError as error:
            if "published" not in str(error):
                raise
            raise CommandError("nothing has been published yet; build the profiles first with: profiles run") from None

    def dagster_home(self) -> Path:
        """Folder of the Dagster instance: DAGSTER_HOME, else .dagster in the project; made when missing."""
        home = Path(os.environ.get("DAGSTER_HOME") or self.project_dir / ".dagster").resolve()
        home.mkdir(parents=True, exist_ok=True)
        if not (home / "dagster.yaml").exists():
            shutil.copy(str(files("resources") / "dagster.yaml"), home / "dagster.yaml")
        return home


def plain(value: Any) -> Any:
    """JSON form of dates and of anything else that JSON has no word for."""
    return value.isoformat() if isinstance(value, date | datetime) else str(value)


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --project, --lake, --json and --debug, and hand them over as one Context."""

    @click.option(
        "--project",
        "project_dir",
        type=click.Path(path_type=Path),
        envvar="PROFILES_PROJECT",
        help=f"Project folder; by default this one, or {DEFAULT_PROJECT}.",
    )
    @click.option(
        "--lake",
        "lake_dir",
        type=click.Path(path_type=Path),
        envvar="PROFILES_LAKE",
        help="Lake folder; by default .lake in the project.",
    )
    @click.option("--json", "as_json", is_flag=True, help="Answer in JSON.")
    @click.option("--debug", is_flag=True, help="Show tracebacks.")
    @wraps(command)
    def wrapped(project_dir: Path | None, lake_dir: Path | None, as_json: bool, debug: bool, **arguments: Any) -> Any:
        here = project_dir or (Path() if Path("project.yml").exists() else Path(DEFAULT_PROJECT))
        return command(Context(here, lake_dir, as_json, debug), **arguments)

    return wrapped


def day_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add --as-of, a day."""
    option = click.option(
        "--as-of",
        type=click.DateTime(["%Y-%m-%d"]),
        help="Read as of this day; by default the newest load day.",
    )
    return option(command)
