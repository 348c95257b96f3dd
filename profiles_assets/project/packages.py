"""Packages: folders or installed Python packages with sources, traits, models and so on, to build upon."""

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from profiles_assets.project.problems import did_you_mean

KINDS = ("sources", "traits", "predictions", "attribution", "funnels", "metrics", "audiences", "views", "models")


@dataclass(frozen=True)
class Origin:
    """A folder that declares things, and what its files are called in problems."""

    folder: Path
    prefix: str = ""


def package_folder(root: Path, name: str) -> Path | None:
    """Folder of a package: relative to the project, else of the installed Python package; None without one."""
    if (root / name).is_dir():
        return root / name
    try:
        spec = importlib.util.find_spec(name) if name.replace(".", "").isidentifier() else None
    except (ImportError, ValueError):
        return None
    places = list(spec.submodule_search_locations or ()) if spec else []
    return Path(places[0]) if places else None


def package_fault(root: Path, name: str) -> tuple[str, str] | None:
    """What is wrong with a package, and a hint; None when it declares something."""
    folder = package_folder(root, name)
    if folder is None:
        near = [path.name for path in root.iterdir() if path.is_dir() and path.name[0] != "."]
        hint = did_you_mean(name, near) or "give a folder of the project or an installed Python package"
        return f'there is no package "{name}"', hint
    if not any(_declares(folder)):
        return f'the package "{name}" declares nothing', f"it needs a folder such as {KINDS[0]}/ or {KINDS[1]}/"
    return None


def _declares(folder: Path) -> Iterator[bool]:
    yield from ((folder / kind).is_dir() or (folder / f"{kind}.yml").is_file() for kind in KINDS)
