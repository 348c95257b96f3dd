"""Commands in the process of the tests: as they are called, without the seconds that a process takes to start."""

from pathlib import Path

from click.testing import CliRunner

from profiles_assets.cli.main import profiles as group
from tests.shop import environment


def profiles(root: Path, *words: str) -> str:
    """Run a command on a project; what it prints. Fails with its error output."""
    code, said = answers(root, *words)
    assert code == 0, said
    return said


def answers(root: Path, *words: str) -> tuple[int, str]:
    """Exit code of a command on a project and all that it prints."""
    result = CliRunner().invoke(group, words, env=environment(root))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output
