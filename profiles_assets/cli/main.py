"""The `profiles` command: its subcommands, and how errors become exit codes."""

import json
import sys

import click

from profiles_assets.cli.compile import compile_command
from profiles_assets.cli.context import CommandError
from profiles_assets.cli.demo import demo
from profiles_assets.cli.init import init
from profiles_assets.cli.query import query
from profiles_assets.cli.run import run
from profiles_assets.cli.show import show
from profiles_assets.cli.status import status
from profiles_assets.cli.validate import validate
from profiles_assets.project.problems import ProjectError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="profiles-assets")
def profiles() -> None:
    """Customer profiles: stitched ids, traits and predictions, one row per person."""


for command in (init, demo, validate, compile_command, run, status, show, query):
    profiles.add_command(command)


def main() -> None:
    """Entry point: exits 0 when done, 1 on a problem in what was asked, 2 on wrong usage."""
    as_json, debug = "--json" in sys.argv, "--debug" in sys.argv
    try:
        profiles.main(standalone_mode=False)
    except ProjectError as error:
        _fail(str(error), as_json, error.to_json())
    except CommandError as error:
        _fail(error.message, as_json, error.details)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        if debug:
            raise
        _fail(f"{type(error).__name__}: {error}\nRun the same with --debug for the traceback.", as_json)


def _fail(message: str, as_json: bool, details: object = None) -> None:
    if as_json:
        click.echo(json.dumps({"error": message, "details": details}, default=str, ensure_ascii=False))
    else:
        click.echo(message, err=True)
    sys.exit(1)
