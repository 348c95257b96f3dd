"""Area `load`: reading and validating a project, against parsing its YAML alone."""

from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from benchmarks.measure import Figure, compare
from profiles_assets.project.loader import load_project

PROJECT = "name: large\nentities: {user: {ids: {user_id: {}}}}\n"
SOURCES = "sources: {s: {files: 'l/{day}/*.jsonl', time: t, event: e, events: [buy], ids: {user_id: u}}}\n"


def figures(quick: bool) -> list[Figure]:
    """CPU of loading projects of growing size, in CPU of PyYAML's own safe loader on the same files."""
    return [_figure(traits) for traits in ((100,) if quick else (100, 400, 1_000))]


def _figure(traits: int) -> Figure:
    with TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "traits").mkdir()
        (root / "project.yml").write_text(PROJECT)
        (root / "sources.yml").write_text(SOURCES)
        lines = [f"  t{i}: {{sum: buy.amount, within: {i + 1} days, title: Trait {i}}}" for i in range(traits)]
        (root / "traits" / "all.yml").write_text("\n".join(["traits:", *lines]) + "\n")
        texts = [path.read_text() for path in root.rglob("*.yml")]
        return compare(
            f"load a project of {traits:,} traits",
            lambda: load_project(root),
            lambda: [yaml.safe_load(text) for text in texts],
            "yaml.safe_load of the same files",
            goal=3.0,
        )
