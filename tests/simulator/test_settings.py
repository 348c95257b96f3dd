"""The settings of the example project are the defaults, and unknown ones are refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel, ValidationError

from profiles_assets.simulator import Settings, load_settings

EXAMPLE = Path(__file__).parents[2] / "examples" / "shop" / "simulator.yml"


def names(model: BaseModel) -> dict[str, object]:
    return {
        name: names(value) if isinstance(value, BaseModel) else None
        for name, value in ((field, getattr(model, field)) for field in type(model).model_fields)
    }


def keys(mapping: dict[str, object]) -> dict[str, object]:
    return {name: keys(value) if isinstance(value, dict) else None for name, value in mapping.items()}


def test_the_example_names_every_setting_with_its_default() -> None:
    assert load_settings(EXAMPLE) == Settings()
    assert keys(yaml.safe_load(EXAMPLE.read_text())) == names(Settings())


@pytest.mark.parametrize("text", ["peopel: 3", "noise: {lateness: 0.1}", "noise: {late: 2}", "days: 0"])
def test_wrong_settings_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "simulator.yml"
    path.write_text(text)
    with pytest.raises(ValidationError):
        load_settings(path)


def test_an_empty_file_means_the_defaults(tmp_path: Path) -> None:
    path = tmp_path / "simulator.yml"
    path.write_text("")
    assert load_settings(path) == Settings()
