"""The page about operations: its commands exist with these options, and its YAML is valid."""

import re
import shlex
from pathlib import Path

import pytest

from profiles_assets.cli.main import profiles
from profiles_assets.project.loader import load_project

DOC = (Path(__file__).parents[1] / "docs" / "operations.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DOC, re.DOTALL)
LINES = [line.split("#")[0].strip() for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
COMMANDS = [shlex.split(line)[1:] for line in LINES if line.startswith("profiles ")]
FILES = [re.findall(r"# (\S+)\n(.*)", block, re.DOTALL)[0] for kind, block in BLOCKS if kind == "yaml"]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_takes_these_options(words: list[str]) -> None:
    command = profiles.get_command(None, words[0])  # type: ignore[arg-type]
    assert command is not None
    command.make_context(words[0], words[1:])


def test_its_project_is_valid(tmp_path: Path) -> None:
    (tmp_path / "sources.yml").write_text(
        "sources: {web: {files: '{day}.jsonl', time: at, event_is: seen, ids: {user_id: u}}}"
    )
    for name, text in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert load_project(tmp_path).retain == 7
