"""Fixtures that several stages share."""

from pathlib import Path

import pytest

from tests.shop import copy_shop, land, profiles, small


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small shop, simulated and built by the command; tests only read it."""
    root = copy_shop(tmp_path_factory.mktemp("built") / "shop")
    land(root, small())
    profiles(root, "run")
    return root
