"""Ids on their way into the lake: counts of what normalising did, and definitions that change under stored rows."""

from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from profiles_assets.events.assets import build_event_assets
from profiles_assets.events.ids import normalised_as
from profiles_assets.events.normalised import normalised_counts
from profiles_assets.profiles.read import NotFoundError, find_profile
from profiles_assets.project.entities import Entity
from profiles_assets.project.project import Project
from tests.events.shop import Shop, a_source, event
from tests.oracles.normalised import hashed

ONE, TWO = "landing/2024-01-01", "landing/2024-01-02"
CLEAN = "functions/ids.py:clean"


def entities(**normalise: Any) -> dict[str, Entity]:
    return {"user": Entity.model_validate({"ids": {name: {"normalise": one} for name, one in normalise.items()}})}


def counts(shop: Shop) -> list[tuple[Any, ...]]:
    return shop.query(
        "SELECT day(day)::INT, id_type, sum(changed)::INT, sum(filtered)::INT FROM ops.normalised "
        "WHERE source = 'tracks' GROUP BY ALL ORDER BY ALL"
    )


@pytest.fixture
def phones(shop: Shop) -> Shop:
    """A shop whose users are known by their phones."""
    shop.source = a_source(ids={"phone": "user", "email": "mail"})
    shop.entities = entities(phone={"phone": {"region": "DE"}}, email="email")
    return shop


def test_ids_are_normalised_and_counted(phones: Shop) -> None:
    ids = [("030 1234567", "A@b.c"), ("+49301234567", "a@b.c"), ("12", " "), (None, None), ("", ""), ("n/a", "\0x@y.z")]
    phones.put(f"{ONE}/a.jsonl", [event(n, user=user, mail=mail) for n, (user, mail) in enumerate(ids)])
    phones.load()
    assert phones.rows("id_phone, id_email") == [
        ("+49301234567", "a@b.c"),
        ("+49301234567", "a@b.c"),
        (None, None),
        (None, None),
        (None, None),
        (None, "x@y.z"),
    ]
    assert counts(phones) == [(1, "email", 2, 1), (1, "phone", 1, 2)]


def test_counts_are_those_of_the_rows_there_are(phones: Shop) -> None:
    phones.put(f"{ONE}/a.jsonl", [event(1, user="12"), event(2, user="030 1234567"), {"event": "seen", "user": "12"}])
    phones.put(f"{ONE}/b.jsonl", [event(3, user="13")])
    gone = phones.put(f"{TWO}/a.jsonl", [event(4, "2024-01-02T10:00:00Z", user="14", mail="A@b.c")])
    phones.load()
    assert counts(phones) == [(1, "phone", 1, 2), (2, "email", 1, 0), (2, "phone", 0, 1)]
    phones.put(f"{ONE}/a.jsonl", [event(1, user="+49301234567"), event(5, mail="B@b.c")])
    gone.unlink()
    phones.load(allow_shrink=True)
    assert counts(phones) == [(1, "email", 1, 0), (1, "phone", 0, 2)]
    with phones.lake.get_connection() as con:
        found = normalised_counts(con, "tracks", [date(2024, 1, 1), date(2024, 1, 2)])
    assert found == {"email": {"changed": 1, "filtered": 0}, "phone": {"changed": 0, "filtered": 2}}


def test_other_options_derive_the_rows_again(shop: Shop) -> None:
    shop.source = a_source(ids={"email": "mail"})
    shop.entities = entities(email="email")
    shop.put(f"{ONE}/a.jsonl", [event(1, mail="Anna.B+x@googlemail.com"), event(2, mail="b@c.d")])
    shop.load()
    assert (shop.load().files, shop.rows("id_email")) == (0, [("anna.b+x@googlemail.com",), ("b@c.d",)])
    for options, value in (
        ({"plus_tags": "drop"}, "anna.b@googlemail.com"),
        ({"gmail_dots": "drop"}, "annab+x@gmail.com"),
        ({"gmail_dots": "drop", "plus_tags": "drop"}, "annab@gmail.com"),
    ):
        shop.entities = entities(email={"email": options})
        assert shop.load().days == (date(2024, 1, 1),)
        assert shop.rows("id_email") == [(value,), ("b@c.d",)]
    shop.entities = entities(email=["email", "hash"])
    shop.load()
    assert shop.rows("id_email") == [(hashed("anna.b+x@googlemail.com"),), (hashed("b@c.d"),)]
    assert counts(shop) == [(1, "email", 2, 0)]


def test_other_code_derives_the_rows_again(shop: Shop) -> None:
    code = shop.put("functions/ids.py", b"def clean(text):\n    return text.strip('#')\n")
    shop.entities = entities(user_id=CLEAN, email="email")
    shop.put(f"{ONE}/a.jsonl", [event(1, user="#a"), event(2, user="b"), event(3, user="bad")])
    shop.load()
    assert (shop.load().files, shop.rows("id_user_id")) == (0, [("a",), ("b",), ("bad",)])
    code.write_text("def clean(text):\n    return {'#a': 'A', 'b': None}[text]\n")
    assert shop.load().days == (date(2024, 1, 1),)
    assert shop.rows("id_user_id") == [("A",), (None,), (None,)]
    assert counts(shop) == [(1, "user_id", 1, 2)]


def test_marks_of_what_may_be_normalised_otherwise(tmp_path: Path) -> None:
    (tmp_path / "functions").mkdir()
    marks = set()
    for code in ("def clean(text): return text", "def clean(text): return text * 2"):
        (tmp_path / "functions" / "ids.py").write_text(code)
        declared = entities(
            a="trim", b="email", c={"email": {"plus_tags": "drop"}}, d="phone", e=CLEAN, f=["trim", CLEAN]
        )
        project = Project(tmp_path, "test", declared, {})
        marks |= {normalised_as(spec) for spec in project.entities["user"].ids.values()}
    assert len(marks) == 4 + 2 * 2
    assert normalised_as(declared["user"].ids["a"]) == "trim"


def test_people_are_found_as_they_are_written(phones: Shop) -> None:
    code = phones.put("functions/ids.py", b"def clean(text):\n    return text.strip('#')\n")
    assert code.exists()
    phones.entities = entities(phone={"phone": {"region": "DE"}}, email="email", card=CLEAN)
    stitched = """(VALUES ('user', 'phone', '+49301234567', 'p1', 'ok'), ('user', 'card', '7', 'p2', 'ok'))
        stitched (entity, id_type, value, profile_id, status)"""
    with phones.lake.get_connection() as con:
        assert find_profile(con, phones.project, "phone:030 123 45 67", stitched) == ("user", "p1")
        assert find_profile(con, phones.project, "card:#7#", stitched) == ("user", "p2")
        with pytest.raises(NotFoundError, match="was never seen"):
            find_profile(con, phones.project, "phone:nobody", stitched)


def test_counts_are_shown_with_the_asset(phones: Shop) -> None:
    phones.put(f"{ONE}/a.jsonl", [event(1, user="12", mail="A@b.c")])
    result = dg.materialize(
        build_event_assets(phones.project), partition_key="2024-01-01", resources={"lake": phones.lake}
    )
    (shown,) = result.asset_materializations_for_node("raw_events__tracks")
    found = {name: value.value for name, value in shown.metadata.items() if name.startswith("normalised/")}
    assert found == {
        "normalised/email/changed": 1,
        "normalised/email/filtered": 0,
        "normalised/phone/changed": 0,
        "normalised/phone/filtered": 1,
    }
