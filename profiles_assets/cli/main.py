"""The `profiles` command: its subcommands, and how errors become exit codes."""

import json
import sys
from importlib import import_module
from typing import Any

import click

COMMANDS = {
    "init": "init:init",
    "demo": "demo:demo",
    "validate": "validate:validate",
    "compile": "compile:compile_command",
    "run": "run:run",
    "watch": "watch:watch",
    "status": "status:status",
    "show": "show:show",
    "explain": "explain:explain",
    "audit": "audit:audit",
    "history": "history:history",
    "card": "card:card",
    "rules": "rules:rules",
    "erase": "erase:erase",
    "preview": "preview:preview",
    "publish": "publish:publish",
    "versions": "versions:versions",
    "replay-check": "replay_check:replay_check",
    "cleanup": "cleanup:cleanup",
    "query": "query:query",
}


class LazyGroup(click.Group):
    """Imports a command when it is called, so that light ones don't wait for Dagster and scipy."""

    def list_commands(self, _: click.Context) -> list[str]:
        """Names of all commands, in the order of a first day's work."""
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """The command of a name; None where there is none."""
        if name not in COMMANDS:
            return None
        module, attribute = COMMANDS[name].split(":")
        found: Any = getattr(import_module(f"profiles_assets.cli.{module}"), attribute)
        return found  # type: ignore[no-any-return]


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="profiles-assets")
def profiles() -> None:
    """Customer profiles: stitched ids, traits and predictions, one row per person."""


def main() -> None:
    """Entry point: exits 0 when done, 1 on a problem in what was asked, 2 on wrong usage."""
    from profiles_assets.cli.context import CommandError
    from profiles_assets.project.problems import ProjectError

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
