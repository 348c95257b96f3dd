"""A small simulated shop for tests: copy the example project, simulate, run the command."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from profiles_assets import path
from profiles_assets.project.loader import load_project
from profiles_assets.simulator import Settings, load_settings, simulate
from resources.kept import kept
from resources.lake import Lake

EXAMPLE = Path(__file__).parents[1] / "examples" / "shop"
IGNORED = shutil.ignore_patterns(".lake", ".dagster", "landing", "truth")
FINGERPRINT = "SELECT count(*), md5(coalesce(string_agg(t::VARCHAR, '|' ORDER BY t::VARCHAR), '')) FROM {} t"
UNSTABLE = {"ops.publications"}
STABLE_PART = {"ops.progress": "(FROM ops.progress WHERE partition <> 'snapshot')"}


def copy_shop(folder: Path) -> Path:
    """The example project without anything a demo left in it."""
    return Path(shutil.copytree(EXAMPLE, folder, ignore=IGNORED))


def small(people: int = 300, days: int = 100) -> Settings:
    """Settings of the example, scaled down."""
    return load_settings(EXAMPLE / "simulator.yml").model_copy(update={"people": people, "days": days})


LITTLE = small(people=120, days=40)


def land(root: Path, settings: Settings) -> None:
    """Simulate, and note the size so that the demo goes on with the same shop."""
    simulate(settings, root)
    (root / "truth" / "settings.json").write_text(json.dumps({"people": settings.people, "days": settings.days}))


def environment(root: Path) -> dict[str, str]:
    """Variables of a process that works on a project of its own."""
    own = {
        "PROFILES_PROJECT": str(root),
        "PROFILES_LAKE": str(root / ".lake"),
        "DAGSTER_HOME": str(root / ".dagster"),
    }
    return os.environ | own | {"DAGSTER_DISABLE_TELEMETRY": "1"}


def command(root: Path, *words: str) -> subprocess.Popen[str]:
    """Start `profiles` in a process of its own."""
    code = "import sys; from profiles_assets.cli.main import main; sys.exit(main())"
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env=environment(root),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def profiles(root: Path, *words: str) -> str:
    """Run `profiles` to its end; what it prints. Fails with its error output."""
    process = command(root, *words)
    out, err = process.communicate(timeout=600)
    assert process.returncode == 0, f"{out}\n{err}"
    return out


def build(root: Path) -> None:
    """Bring a project's lake up to its landing files in this process, without Dagster."""
    with kept(Lake(root=str(root / ".lake"), threads=1)) as lake:
        path.build(lake, load_project(root))


def lake_of(root: Path) -> Lake:
    return Lake(root=str(root / ".lake"), threads=1)


def tables(root: Path) -> dict[str, tuple[object, ...]]:
    """Row count and a hash of the sorted rows of every table in the lake."""
    with lake_of(root).get_connection() as con:
        names = con.execute(
            "SELECT schema_name || '.' || table_name, schema_name, table_name FROM duckdb_tables() "
            "WHERE database_name = 'lake' ORDER BY 1"
        ).fetchall()
        parts = {name: f'"{schema}"."{table}"' for name, schema, table in names if name not in UNSTABLE} | STABLE_PART
        return {name: tuple(con.execute(FINGERPRINT.format(part)).fetchone() or ()) for name, part in parts.items()}
