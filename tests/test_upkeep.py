"""Upkeep of a project: tables of removed declarations go, and a lake with daily runs and clean-ups stays small."""

import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest

from profiles_assets.definitions import build_defs
from profiles_assets.path import build
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from profiles_assets.upkeep import clean_up, drop_removed
from profiles_assets.upkeep_assets import CLEANUP
from resources.kept import KeptLake
from tests.shop import copy_shop, lake_of, land, small
from tests.test_triggers import PROJECT
from tests.test_triggers import land as land_clicks

NOW = timedelta(0)
DERIVED = ("entity_vars", "funnels", "metrics", "predictions", "profiles", "audiences", "views", "models")


def daily_sizes(root: Path, project: Project, days: list[list[date]]) -> float:
    """Size of a lake after runs of these days, each with a clean-up, relative to one built at once."""
    with KeptLake(root=str(root / "daily"), threads=1) as daily, KeptLake(root=str(root / "whole"), threads=1) as whole:
        for number in range(len(days)):
            build(daily, project, [day for group in days[: number + 1] for day in group])
            clean_up(daily, project, NOW)
        build(whole, project)
        return disk_usage(root / "daily") / disk_usage(root / "whole")


def disk_usage(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.long
def test_a_month_of_daily_runs_stays_within_half_of_a_full_build(tmp_path: Path) -> None:
    root, settings = copy_shop(tmp_path / "shop"), small(people=200, days=60)
    land(root, settings)
    days = [settings.start + timedelta(days=n) for n in range(60)]
    groups = [days[:30], *([day] for day in days[30:])]
    assert daily_sizes(root, load_project(root), groups) <= 1.5


def test_tables_of_removed_declarations_go_and_the_rest_stays(shop: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(shop, tmp_path / "shop"))
    with KeptLake(root=str(root / ".lake"), threads=1) as lake:
        assert drop_removed(lake, load_project(root)) == []
        shutil.rmtree(root / "audiences")
        shutil.rmtree(root / "views")
        (root / "traits" / "support.yml").unlink()
        before = tables(lake)
        gone = set(drop_removed(lake, load_project(root)))
        assert {"audiences.regulars", "views.by_email", "views.by_email_keys", "entity_vars.support"} <= gone
        assert tables(lake) == before - gone
        assert {"profiles.user_rows", "raw_events.tracks", "entity_vars.commerce", "audiences.log"} <= tables(lake)
        with lake.get_connection() as con:
            notes = con.execute("SELECT count(*) FROM ops.progress WHERE step = 'entity_vars/support'").fetchone()
        assert notes == (0,)


def tables(lake: KeptLake) -> set[str]:
    with lake.get_connection() as con:
        found = con.execute(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'lake' "
            "UNION SELECT schema_name || '.' || view_name FROM duckdb_views() WHERE database_name = 'lake'"
        ).fetchall()
    return {row[0] for row in found}


def test_the_job_cleans_up_and_building_leaves_it_alone(tmp_path: Path) -> None:
    for name, text in PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    land_clicks(tmp_path, "2025-01-02", "a", "b")
    build(lake_of(tmp_path), load_project(tmp_path))
    definitions = build_defs(tmp_path)
    assert "cleanup" not in definitions.resolve_job_def("build_profiles").graph.node_dict
    result = definitions.resolve_job_def("clean_up").execute_in_process()
    assert result.success
    (made,) = result.asset_materializations_for_node("cleanup")
    assert made.asset_key == CLEANUP
    assert made.metadata["snapshots_kept"].value > 0
    assert definitions.resolve_schedule_def("clean_up_daily").job_name == "clean_up"
