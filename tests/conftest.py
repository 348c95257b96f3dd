"""Fixtures that several stages share."""

from pathlib import Path

import pytest
from filelock import FileLock

from tests.shop import copy_shop, land, profiles, small


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A small shop, simulated and built by the command, once for all workers; tests only read it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "built"
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            root = copy_shop(folder / "shop")
            land(root, small())
            profiles(root, "run")
            (folder / "done").touch()
    return folder / "shop"
