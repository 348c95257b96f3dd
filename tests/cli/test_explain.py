import json
import re
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from tests.cli.in_process import answers, profiles
from tests.shop import lake_of

SHARED = """
    SELECT b.id_type || ':' || b.value, list(DISTINCT i.id_type || ':' || i.value ORDER BY i.id_type || ':' || i.value)
    FROM identity.id_edges e JOIN identity.stitched_ids b ON list_contains(e.nodes, b.key) AND b.status = 'bridge'
    JOIN identity.stitched_ids i ON list_contains(e.nodes, i.key) AND i.id_type = 'user_id' AND i.status = 'ok'
    GROUP BY 1 HAVING count(DISTINCT i.profile_id) > 1 ORDER BY 1 LIMIT 1"""
SOMEONE = """
    SELECT ids['user_id'][1], ids['email'][1], profile_id FROM profiles.user_unmasked
    WHERE len(ids['email']) > 0 AND ids['user_id'] IS NOT NULL ORDER BY orders DESC, profile_id LIMIT 1"""


def someone(root: Path) -> tuple[str, str, str]:
    with lake_of(root).read() as con:
        row = con.execute(SOMEONE).fetchone()
    assert row
    return row


def test_explain_two_ids_of_one_person(shop: Path) -> None:
    user, email, profile = someone(shop)
    text = profiles(shop, "explain", f"email:{email.upper()}", f"user_id:{user}")
    assert f"one user: profile {profile}" in text
    assert re.search(r"\d+ records? of .*identifies.*; loaded 2025-", text)
    told = json.loads(profiles(shop, "explain", f"email:{email}", f"user_id:{user}", "--json"))
    assert told["together"]
    assert [one["value"] for one in told["ids"]] == [email, user]
    assert told["links"][0]["count"] > 0


def test_explain_says_which_guard_keeps_two_people_apart(shop: Path) -> None:
    with lake_of(shop).read() as con:
        device, users = con.execute(SHARED).fetchone() or ("", [])
    text = profiles(shop, "explain", *users[:2])
    assert "not one user" in text
    assert f"{device} is quarantined as a bridge: seen with" in text
    assert "at most 1 allowed" in text


def test_explain_draws_a_profile(shop: Path, tmp_path: Path) -> None:
    user, email, profile = someone(shop)
    drawing = tmp_path / "who.svg"
    text = profiles(shop, "explain", profile, "--svg", str(drawing))
    told = json.loads(profiles(shop, "explain", f"user_id:{user}", "--json"))
    assert told["profile_id"] == profile
    assert "─ " in text
    assert text.splitlines()[0].startswith(f"user {profile}   {told['size']} ids, {len(told['links'])} links")
    picture = ET.parse(drawing).getroot()
    space = "{http://www.w3.org/2000/svg}"
    circles = [g for g in picture.iter(f"{space}g") if g.find(f"{space}circle") is not None]
    assert len(circles) == len(told["ids"]) + len(told["beside"])
    assert len(list(picture.iter(f"{space}line"))) == len(told["links"]) + len(told["outward"])
    again = tmp_path / "again.svg"
    profiles(shop, "explain", profile, "--svg", str(again))
    assert again.read_text() == drawing.read_text()
    assert email in text


def test_explain_as_of_an_older_day(shop: Path) -> None:
    user, _, _ = someone(shop)
    told = json.loads(profiles(shop, "explain", f"user_id:{user}", "--json"))
    day = min(link["last_day"] for link in told["links"])
    then = json.loads(profiles(shop, "explain", f"user_id:{user}", "--as-of", day, "--json"))
    assert then["as_of"] == day
    assert all(link["last_day"] <= day for link in then["links"])
    assert sum(link["count"] for link in then["links"]) <= sum(link["count"] for link in told["links"])


def test_personal_ids_are_masked_unless_asked_for(shop: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(shop, tmp_path / "shop"))
    text = (root / "project.yml").read_text()
    (root / "project.yml").write_text(text.replace("email: {normalise", "email: {pii: mask, normalise"))
    user, email, _ = someone(shop)
    masked = profiles(root, "explain", f"user_id:{user}")
    assert email not in masked
    assert f"email:{email[0]}***@" in masked
    assert email in profiles(root, "explain", f"user_id:{user}", "--personal")
    assert email not in profiles(root, "explain", f"user_id:{user}", f"email:{email}", "--json")


@pytest.mark.parametrize(
    ("words", "code", "answer"),
    [
        (["email:nobody@nowhere.example"], 1, "was never seen"),
        (["emial:a@b.c"], 1, 'did you mean "email"'),
        (["4711"], 1, "is no profile id"),
        (["email:a@b.c", "email:d@e.f", "--svg", "x.svg"], 2, "ask for one id"),
        ([], 2, "Missing argument"),
    ],
)
def test_explain_of_nobody_says_why(shop: Path, words: list[str], code: int, answer: str) -> None:
    found, said = answers(shop, "explain", *words)
    assert found == code
    assert answer in said
