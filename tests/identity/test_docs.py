"""The page on identity: its commands run, in order, and its declarations are valid."""

import re
import shlex
import shutil
from pathlib import Path

import yaml

from profiles_assets.identity.audit_store import update_audit
from profiles_assets.identity.explain_read import masked_id
from profiles_assets.project.entities import ProjectFile
from profiles_assets.project.loader import load_project
from profiles_assets.project.rules import RulesFile
from tests.cli.in_process import profiles
from tests.shop import lake_of

TOP = Path(__file__).parents[2]
DOC = (TOP / "docs" / "identity.md").read_text()
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", DOC, re.DOTALL) for line in block.splitlines() if line.strip()
]
DEVICE = """
    SELECT d.value, list(DISTINCT u.value ORDER BY u.value) FROM identity.id_edges e
    JOIN identity.stitched_ids d ON list_contains(e.nodes, d.key) AND d.status = 'bridge' AND d.id_type = 'device_id'
    JOIN identity.stitched_ids u ON list_contains(e.nodes, u.key) AND u.status = 'ok' AND u.id_type = 'user_id'
    GROUP BY 1 HAVING count(DISTINCT u.profile_id) > 1 ORDER BY 1 LIMIT 1"""
PERSON = """
    SELECT ids['email'][1], ids['user_id'][1], ids['device_id'][1], last_seen::DATE FROM profiles.user_unmasked
    WHERE len(ids['email']) = 1 AND ids['user_id'] IS NOT NULL AND len(ids['device_id']) > 0
    ORDER BY orders DESC, profile_id LIMIT 1"""
OTHER = """
    SELECT ids['email'][1] FROM profiles.user_unmasked WHERE len(ids['email']) = 1 AND ids['user_id'] IS NULL
    ORDER BY profile_id LIMIT 1"""
ENDED = "SELECT alias FROM identity.profile_aliases ORDER BY alias LIMIT 1"


def words_for(root: Path) -> dict[str, str]:
    """What stands in the place of the words in capitals, in the shop."""
    with lake_of(root).read() as con:
        (email, user, other_device, day), (device, users), (other,) = (
            con.execute(query).fetchone() or () for query in (PERSON, DEVICE, OTHER)
        )
    found = {"ADDRESS": email, "USER": user, "OTHER_ADDRESS": other, "DEVICE": device, "OTHER_DEVICE": other_device}
    at_device = {"USER_AT_DEVICE": users[0], "OTHER_AT_DEVICE": users[1]}
    return found | at_device | {"DAY": str(day)}


def an_ended_profile(root: Path) -> str:
    """A profile id that a merge has ended, as the rules on the page bring about."""
    with lake_of(root).read() as con:
        row = con.execute(ENDED).fetchone()
    return str(row[0]) if row else "none yet"


def test_every_command_runs_in_order(little_shop: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(little_shop, tmp_path / "shop"))
    update_audit(lake_of(root), load_project(root), "user", masked_id)
    lake_of(root).publish("user", "audited")
    words, said = words_for(root), {}
    for line in COMMANDS:
        if "OLD_PROFILE" in line:
            words["OLD_PROFILE"] = an_ended_profile(root)
        filled = re.sub(r"\b[A-Z]+(_[A-Z]+)*\b", lambda found: words.get(found[0], found[0]), line)
        program, *arguments = shlex.split(re.sub(r"(?<= )(\w+\.(svg|html))", rf"{tmp_path}/\1", filled))
        assert program == "profiles"
        said[line] = profiles(root, *arguments)
    assert "quarantined as a bridge" in said["profiles explain user_id:USER_AT_DEVICE user_id:OTHER_AT_DEVICE"]
    assert "linked by" in said["profiles explain email:ADDRESS email:OTHER_ADDRESS"]
    assert "✓" in said["profiles erase email:ADDRESS --yes --verify"]
    assert {"ann.svg", "audit.svg", "audit.html"} <= {path.name for path in tmp_path.iterdir()}


def test_its_declarations_are_valid() -> None:
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", DOC, re.DOTALL)]
    assert {"entities", "rules"} <= {key for block in blocks for key in block}
    for block in blocks:
        if "rules" in block:
            RulesFile.model_validate(block)
        else:
            ProjectFile.model_validate({"name": "shop"} | block)


def test_every_guard_and_command_is_named() -> None:
    for word in ("max_linked", "max_bridged", "max_per_profile", "block_shared_mailboxes", "guards: none"):
        assert f"`{word}`" in DOC
    assert {line.split()[1] for line in COMMANDS} >= {"explain", "audit", "rules", "history", "show"}
