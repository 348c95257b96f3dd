"""Fixtures that several stages share."""

from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from tests.shop import LITTLE, build, copy_shop, land, profiles, small


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A small shop, simulated and built by the command, once for all workers; tests only read it."""
    return once(tmp_path_factory, worker_id, "built", lambda root: (land(root, small()), profiles(root, "run")))


@pytest.fixture(scope="session")
def little_shop(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A still smaller shop, built without Dagster, once for all workers; tests work on copies of it."""
    return once(tmp_path_factory, worker_id, "little", lambda root: (land(root, LITTLE), build(root)))


def once(factory: pytest.TempPathFactory, worker_id: str, name: str, make: Callable[[Path], object]) -> Path:
    """A copy of the example shop that the first worker to come makes something of."""
    base = factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / name
    with FileLock(f"{folder}.lock"):
        if not (folder / "done").exists():
            make(copy_shop(folder / "shop"))
            (folder / "done").touch()
    return folder / "shop"
