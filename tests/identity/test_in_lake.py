"""The identity stages on a lake: steps, snapshots, partitions."""

from pathlib import Path

import pytest

from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.entities import Entity
from resources import progress
from resources.lake import Lake, snapshot_number
from tests.identity.world import TYPES, day, make_project, row, write_raw
from tests.oracles.identity import Row

PROJECT = make_project(Entity(ids={t: {} for t in TYPES}), ["web"])


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(root=str(tmp_path / "lake"), threads=1)


def put(lake: Lake, *rows: Row, version: str = "1") -> None:
    with lake.get_connection() as con:
        con.begin()
        write_raw(con, "web", list(rows))
        progress.record(con, "raw_events/web", {r.day.isoformat(): version for r in rows})
        con.commit()


def snapshot(lake: Lake) -> int:
    with lake.get_connection() as con:
        return snapshot_number(con)


def test_days_arrive_and_nothing_is_written_twice(lake: Lake) -> None:
    assert update_evidence(lake, PROJECT).partitions == 0
    assert update_stitched(lake, PROJECT, "user").as_of is None
    put(lake, row(0, "user_id:u", "device_id:d"), row(0, "email:e"))
    assert update_evidence(lake, PROJECT).partitions == 1
    first = update_stitched(lake, PROJECT, "user")
    assert (first.as_of, first.full, first.change.inserted, first.created) == (day(0), True, 3, 2)
    put(lake, row(1, "user_id:u", "email:e"))
    update_evidence(lake, PROJECT)
    second = update_stitched(lake, PROJECT, "user")
    assert (second.as_of, second.full, second.change.updated, second.merged) == (day(1), False, 2, 1)
    before = snapshot(lake)
    assert update_evidence(lake, PROJECT).partitions == 0
    assert update_stitched(lake, PROJECT, "user").change.total == 0
    assert snapshot(lake) == before
    assert update_stitched(lake, PROJECT, "user", rebuild=True).change.total == 0


def test_evidence_is_one_file_a_month(lake: Lake) -> None:
    put(lake, *(row(n, f"user_id:u{i}") for n in range(3) for i in range(30)))
    update_evidence(lake, PROJECT)
    files = {p.parent.name for p in (Path(lake.root) / "data" / "identity" / "id_edges").rglob("*.parquet")}
    assert files == {"month=1"}
