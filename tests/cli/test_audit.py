import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from tests.cli.in_process import profiles
from tests.shop import lake_of


def test_audit_in_text_json_and_pictures(shop: Path, tmp_path: Path) -> None:
    drawing, page = tmp_path / "audit.svg", tmp_path / "audit.html"
    text = profiles(shop, "audit", "--svg", str(drawing), "--html", str(page))
    for part in ("numbers", "sizes", "id types", "guards", "top hubs", "largest profiles", "quarantined"):
        assert part in text
    assert "warn" not in text
    (told,) = json.loads(profiles(shop, "audit", "--json"))
    with lake_of(shop).read() as con:
        ids, people = con.execute(
            "SELECT count(*), count(DISTINCT profile_id) FROM identity.stitched_ids"
        ).fetchone() or (0, 0)
        emails = [
            r[0] for r in con.execute("SELECT value FROM identity.stitched_ids WHERE value LIKE '%_@_%'").fetchall()
        ]
    assert (told["numbers"]["ids"], told["numbers"]["profiles"]) == (ids, people)
    assert sum(size["profiles"] for size in told["sizes"]) == people
    assert ET.parse(drawing).getroot().tag.endswith("svg")
    assert "<table>" in page.read_text()
    assert not [email for email in emails if email in text + page.read_text() + drawing.read_text()]


def test_audit_shows_ids_as_they_are_only_when_asked(shop: Path) -> None:
    masked, personal = (
        json.loads(profiles(shop, "audit", "--json", *more))[0]["hubs"] for more in ([], ["--personal"])
    )
    assert all(re.fullmatch(r"\w+:.{0,3}\*\*\*.*", hub["id"]) for hub in masked)
    assert all("***" not in hub["id"] for hub in personal)
    assert [hub["detail"] for hub in masked] == [hub["detail"] for hub in personal]
