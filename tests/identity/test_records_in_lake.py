"""From files of a CRM to people: a corrected e-mail, a correction taken back, a table that is no longer records."""

import json
from datetime import date
from pathlib import Path

from profiles_assets.events.load import load_events
from profiles_assets.identity.as_of import stitch_as_of
from profiles_assets.identity.checks import evidence_reconciles, fixpoint_reached
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.loader import load_project
from tests.events.shop import OpenLake

PROJECT = "name: shop\nentities: {user: {ids: {user_id: {}, email: {normalise: email}}}}\n"
SOURCES = """\
sources:
  crm: {kind: records, key: id, files: 'crm/{day}.jsonl', ids: {user_id: id, email: email}}
  web: {files: 'web/{day}.jsonl', time: at, event_is: seen, ids: {user_id: user, email: email}}
"""


def put(root: Path, source: str, day: int, *records: dict[str, str]) -> Path:
    file = root / source / f"2024-01-{day:02}.jsonl"
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def run(root: Path, lake: OpenLake, sources: str = SOURCES) -> dict[str, str]:
    """Profile of each value, after bringing the lake up to date; the checks hold."""
    (root / "project.yml").write_text(PROJECT)
    (root / "sources.yml").write_text(sources)
    project = load_project(root)
    for source in project.sources:
        load_events(lake, project, source, allow_shrink=True)
    update_evidence(lake, project)
    update_stitched(lake, project, "user")
    with lake.get_connection() as con:
        assert evidence_reconciles(con, project)[0]
        assert fixpoint_reached(con, project, "user")[0]
        stitch_as_of(con, project, "user", date(2024, 1, 1), "past")
        rows = con.execute("SELECT value, profile_id FROM identity.stitched_ids").fetchall()
        first = con.execute("SELECT value, profile_id FROM past").fetchall()
    assert not first or dict(first)["a@x.y"] == dict(first)["u1"]
    return dict(rows)


def test_a_customer_is_corrected(tmp_path: Path) -> None:
    lake = OpenLake(root=str(tmp_path / "lake"), threads=1)
    put(tmp_path, "crm", 1, {"id": "u1", "email": "a@x.y"}, {"id": "u2", "email": "b@x.y"})
    put(tmp_path, "web", 2, {"at": "2024-01-02", "email": "A@x.y"}, {"at": "2024-01-02", "user": "u2"})
    wrong = run(tmp_path, lake)
    assert wrong["a@x.y"] == wrong["u1"]
    correction = put(tmp_path, "crm", 3, {"id": "u1", "email": "c@x.y"}, {"id": "u2", "email": "b@x.y"})
    right = run(tmp_path, lake)
    assert right["a@x.y"] != right["u1"] == right["c@x.y"]
    assert right["u2"] == right["b@x.y"] == wrong["u2"]
    correction.unlink()
    assert run(tmp_path, lake) == wrong
    events = run(tmp_path, lake, SOURCES.replace("kind: records, key: id,", "time: at, received: at, event_is: crm,"))
    assert events.keys() == {"a@x.y", "u2"}
    lake.close()
