from __future__ import annotations

from pathlib import Path

import pytest

from profiles_assets.simulator import Settings, simulate

SMALL = Settings(people=300, days=30)
YEAR = Settings(people=1_000)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("small")
    simulate(SMALL, out)
    return out


@pytest.fixture(scope="session")
def year(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("year")
    simulate(YEAR, out)
    return out
