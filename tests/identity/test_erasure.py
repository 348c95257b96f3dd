"""Erasure on a small lake: nothing of the person is left anywhere, and the rest is as if they had never come."""

from pathlib import Path

import pytest

from profiles_assets.cli.erase_steps import Erasing
from profiles_assets.identity import erasure
from profiles_assets.identity.erasure_person import ErasureError, erased_note
from profiles_assets.identity.rules import add_rule
from profiles_assets.project.rules import Ruling
from resources.lake import snapshot_number
from tests.identity.erasing import EMAIL, PHONE, TODAY, USER, VALUES, Town, land, replayed


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Town:
    made = land(tmp_path_factory.mktemp("erasure") / "town")
    made.build()
    return made


@pytest.fixture(scope="module", params=["erase", pytest.param("anonymise", marks=pytest.mark.long)])
def erased(town: Town, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Town:
    copy = town.copy(tmp_path_factory.mktemp(request.param) / "town")
    copy.erase(f"email:{EMAIL}", mode=request.param)
    return copy


def test_the_scan_finds_every_value_before(town: Town) -> None:
    for value in VALUES:
        places = town.scan(value)
        assert any(place.file.endswith(".parquet") for place in places), value
        assert any(place.file.endswith("catalog.sqlite") for place in places), value


def test_nothing_is_left_anywhere(erased: Town) -> None:
    assert erased.scan() == []
    assert erased.scan("door code 17", "Evangelina") == []


def test_it_is_as_if_the_files_had_never_told_of_them(erased: Town, tmp_path: Path) -> None:
    fresh = replayed(erased, tmp_path / "fresh").contents()
    mine = erased.contents()
    assert mine.keys() == fresh.keys()
    for table, rows in mine.items():
        assert rows == fresh[table], table


def test_every_record_is_accounted_for(erased: Town) -> None:
    assert erased.reconciles()


def test_others_keep_all_that_does_not_tell_the_person(erased: Town) -> None:
    told = erased.query(
        "SELECT id_user_id, p_friend, p_total FROM raw_events.web WHERE event_id IN ('e5', 'e6') ORDER BY 1"
    )
    assert told == [("u1", None, 3.0), ("u4", None, 4.0)]
    assert erased.query("SELECT 1 FROM raw_events.web WHERE event_id = 'e7'") == []  # told by the name of a field
    repeat = erased.query("SELECT duplicate FROM raw_events.web WHERE event_id = 'e2' AND id_user_id = 'u2'")
    kept = erased.query("SELECT 1 FROM raw_events.web WHERE event_id = 'e2' AND id_user_id IS NULL")
    assert repeat == [(bool(kept),)]  # the first of its id now, unless that was kept without ids


def test_files_that_come_again_bring_nobody_back(erased: Town, tmp_path: Path) -> None:
    town = erased.copy(tmp_path / "town")
    for file in (town.root / "landing").rglob("*.*"):
        file.write_bytes(file.read_bytes() + b"\n")
    before = town.contents()
    town.build()
    assert town.scan() == []
    after = town.contents()
    assert {t: rows for t, rows in after.items() if t != "ops.files"} == {
        t: rows for t, rows in before.items() if t != "ops.files"
    }
    assert town.reconciles()


def test_readers_go_on_with_the_newest_state(erased: Town, town: Town) -> None:
    with erased.lake.read() as con:
        names = {row[0] for row in con.execute("SELECT profile_id FROM profiles.user").fetchall()}
        assert con.execute("SELECT count(*) FROM views.by_email").fetchone() == (0,)
    with town.lake.read() as con:
        assert names < {row[0] for row in con.execute("SELECT profile_id FROM profiles.user").fetchall()}
    assert erased.query("SELECT count(*) FROM ducklake_snapshots('lake')")[0][0] <= 3


def test_statistics_still_find_all_rows_old_and_new(erased: Town, tmp_path: Path) -> None:
    town = erased.copy(tmp_path / "town")
    count = town.query("SELECT count(*) FROM identity.stitched_ids")[0][0]
    for value in ("aaa", "zzz"):
        with town.lake.get_connection() as con:
            con.execute(
                "INSERT INTO identity.stitched_ids (entity, key, id_type, value) VALUES ('user', 1, 'email', ?)",
                [value],
            )
    found = town.query("SELECT value FROM identity.stitched_ids")
    assert len(found) == count + 2
    for (value,) in found:
        assert len(town.query(f"SELECT 1 FROM identity.stitched_ids WHERE value = '{value}'")) == 1
    assert town.scan() == []


def test_history_says_that_the_profile_was_erased(erased: Town, town: Town) -> None:
    profile = town.query(f"SELECT profile_id FROM identity.stitched_ids WHERE value = '{EMAIL}'")[0][0]
    log = erased.query(f"SELECT change, edge_from, edge_to FROM identity.identity_log WHERE profile_id = '{profile}'")
    assert log == [("erased", None, None)]
    with erased.lake.get_connection() as con:
        assert erased_note(con, erased.project, profile) == f"{profile} was erased"
        assert "somebody who was erased" in erased_note(con, erased.project, f"user_id: {USER} ")
        assert erased_note(con, erased.project, "user_id:u1") == ""
        with pytest.raises(ErasureError, match="was erased before"):
            erasure.stage(con, erased.project, [profile], "erase")


def test_a_search_writes_nothing_and_tells_no_value(town: Town) -> None:
    with town.lake.get_connection() as con:
        before = snapshot_number(con)
    found = erasure.find(town.lake, town.project, [f"device_id:{PHONE}"], "erase").report()
    assert found["ids"] == {"device_id": 1, "email": 1, "user_id": 1}
    assert found["deleted"]["raw_events.web"] == 7
    assert not [value for value in VALUES if value in str(found)]
    with town.lake.get_connection() as con:
        assert snapshot_number(con) == before


@pytest.mark.parametrize(
    ("asked", "answer"),
    [("mail:x@y.z", "is no id type"), ("user_id:null", "identifies nobody"), ("4711", "is no profile id")],
)
def test_nobody_can_be_erased_by_that(town: Town, asked: str, answer: str) -> None:
    with pytest.raises(ErasureError, match=answer) as error:
        erasure.find(town.lake, town.project, [asked, "nope:1"], "erase")
    assert "number 2" in str(error.value)


def test_an_id_of_nobody_is_erased_alone(town: Town) -> None:
    found = erasure.find(town.lake, town.project, ["email:new@home.example"], "erase")
    assert "was never seen" in found.people[0].note
    assert not found.report()["deleted"]


def test_what_nothing_known_makes_is_refused_and_told(town: Town, tmp_path: Path) -> None:
    copy = town.copy(tmp_path / "town")
    copy.query("CREATE TABLE ops.letters AS SELECT 1 AS number, 'Dear ' || lower('EVA.hidden@home.example') AS text")
    copy.query(f"CREATE TABLE ops.marks AS SELECT key AS node_key FROM identity.id_nodes WHERE value = '{PHONE}'")
    with pytest.raises(ErasureError, match=r"ops.letters, column text: 1 rows; ops.marks, column node_key"):
        copy.erase(f"email:{EMAIL}")
    with copy.lake.get_connection() as con:
        (waiting,) = erasure.unfinished(con)
    copy.query("DROP TABLE ops.letters")
    copy.query("DROP TABLE ops.marks")
    Erasing(copy.lake, copy.project, copy.root).finish(waiting, lambda _: None)
    assert copy.scan() == []


def test_rules_that_name_the_person_go(town: Town, tmp_path: Path) -> None:
    copy = town.copy(tmp_path / "town")
    named = ("email", EMAIL.upper())
    add_rule(copy.lake, Ruling("user", "quarantine", named, None, "me", "a wish", "rule"), TODAY)
    add_rule(copy.lake, Ruling("user", "link", named, ("user_id", "u9"), "me", "a wish", "rule"), TODAY)
    add_rule(copy.lake, Ruling("user", "quarantine", ("user_id", "u5"), None, "me", "another", "rule"), TODAY)
    copy.build()
    copy.erase(f"email:{EMAIL}", f"user_id:{USER}")
    assert copy.query("SELECT value FROM identity.rules") == [("u5",)]
    assert copy.scan() == []


def test_spilled_data_and_files_of_killed_writers_go(town: Town, tmp_path: Path) -> None:
    copy = town.copy(tmp_path / "town")
    lost = Path(copy.lake.root) / "data" / "raw_events" / "web" / "lost.parquet"
    copy.query(f"COPY (FROM raw_events.web) TO '{lost}'")
    spilled = Path(copy.lake.root) / "spill" / "old.tmp"
    spilled.parent.mkdir(exist_ok=True)
    spilled.write_text(EMAIL)
    assert {str(lost), str(spilled)} <= {place.file for place in copy.scan()}
    copy.erase(f"email:{EMAIL}")
    assert copy.scan() == []
