"""A project as a Dagster component, for teams whose code location is a folder of `defs.yaml` files."""

from pathlib import Path
from typing import Any

import dagster as dg
import yaml

from profiles_assets.definitions import build_defs
from profiles_assets.project.yaml_lines import parse_yaml
from resources.lake import Lake

PLACE = "predictions of defs.yaml"


class ProfilesComponent(dg.Component, dg.Model, dg.Resolvable):
    """All assets of a project, with predictions of its own beside those in the project's folder."""

    project: str
    lake: str | None = None
    predictions: dict[str, Any] = {}  # noqa: RUF012 - pydantic copies it

    def build_defs(self, context: dg.ComponentLoadContext) -> dg.Definitions:
        """Definitions of the project; its folder and the lake's are relative to the one of `defs.yaml`."""
        told = yaml.safe_dump({"predictions": self.predictions}, sort_keys=False)
        lake = Lake(root=str(_inside(context, self.lake))) if self.lake else None
        return build_defs(_inside(context, self.project), lake, parse_yaml(told, PLACE) if self.predictions else None)


def _inside(context: dg.ComponentLoadContext, folder: str) -> Path:
    return (Path(context.path) / folder).resolve()
