"""Every command in the README is a real one, and every example in it works."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.cli.in_process import profiles
from tests.shop import copy_shop

TOP = Path(__file__).parents[1]
README = (TOP / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line.split("#")[0].strip() for kind, block in BLOCKS if kind == "sh" for line in block.splitlines()]
MAKE = [line.split()[1] for line in COMMANDS if line.startswith("make ")]
PROFILES = [line.removeprefix(".venv/bin/profiles ") for line in COMMANDS if line.startswith(".venv/bin/profiles ")]
YAML = [block for kind, block in BLOCKS if kind == "yaml"]


def test_it_can_be_read_in_two_minutes() -> None:
    assert len(README.split()) < 520
    assert len(MAKE) + len(PROFILES) == len([line for line in COMMANDS if line])


@pytest.mark.parametrize("target", sorted(set(MAKE)))
def test_every_make_target_exists_and_is_described(target: str) -> None:
    subprocess.run(["make", "--dry-run", target], cwd=TOP, check=True, capture_output=True)
    described = subprocess.run(["make", "help"], cwd=TOP, check=True, capture_output=True, text=True).stdout
    assert f"make {target} " in described


def test_every_profiles_command_runs(little_shop: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(little_shop, tmp_path / "shop"))
    listed = profiles(
        root, "query", "SELECT ids['email'][1] AS email FROM profiles.user_unmasked WHERE email <> '' LIMIT 1", "--json"
    )
    address = re.findall(r'"email": "(.*?)"', listed)[0]
    for line in PROFILES:
        words = re.findall(r'"[^"]*"|\S+', line.replace("ADDRESS", address).replace("2025-06-30", "2025-03-30"))
        plain = [word.strip('"').replace("my-project", str(tmp_path / "my-project")) for word in words]
        profiles(root, *plain)


def test_its_trait_and_its_prediction_are_valid(tmp_path: Path) -> None:
    untouched, root = copy_shop(tmp_path / "untouched"), copy_shop(tmp_path / "shop")
    trait, prediction = YAML
    with (root / "traits" / "commerce.yml").open("a") as file:
        file.write(trait)
    (root / "predictions" / "newsletter.yml").write_text(prediction)
    before, after = (re.findall(r"(\d+) (traits|predictions)", profiles(r, "validate")) for r in (untouched, root))
    assert [int(n) for n, _ in after] == [int(n) + 1 for n, _ in before]


def test_every_linked_file_exists() -> None:
    for link in re.findall(r"\]\((?!http)([^)]+)\)", README):
        assert (TOP / link).exists(), link
