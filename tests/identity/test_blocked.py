"""Values that identify nobody."""

import hashlib

import duckdb
import pytest

from profiles_assets.identity.blocked import PLACEHOLDERS, blocked
from profiles_assets.project.entities import Entity

ENTITY = Entity(
    ids={"user_id": {"block": ["Test-User", "n/a"]}, "email": {"block_shared_mailboxes": True}, "device_id": {}}
)
FILTERS = Entity.model_validate(
    {
        "ids": {
            "user_id": {"block_matching": ["^test", "(?i)demo$"], "only_matching": "^[a-z0-9]+$"},
            "email_hash": {"normalise": ["email", "hash"], "block": ["Test@X.de"]},
            "phone": {"normalise": {"phone": {"region": "DE"}}, "block": ["030 1234567"]},
            "phone_hash": {"normalise": [{"phone": {"region": "DE"}}, "hash"], "block": ["030 1234567"]},
            "site": {"normalise": {"url": {"scheme": "drop"}}, "block": ["https://Shop.de/"]},
            "number": {"only_matching": ["^[0-9]{6}$", "^x"]},
        }
    }
)


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def is_blocked(id_type: str, value: str, entity: Entity = ENTITY) -> bool:
    found = duckdb.execute(f"SELECT {blocked(entity)} FROM (SELECT ? AS id_type, ? AS value)", [id_type, value])
    row = found.fetchone()
    assert row is not None
    return bool(row[0])


@pytest.mark.parametrize("value", PLACEHOLDERS)
@pytest.mark.parametrize("dressed", ["{}", "'{}'", '"{}"', "  {}", "{}\t", "' {} '"])
def test_placeholders(value: str, dressed: str) -> None:
    assert is_blocked("device_id", dressed.format(value))
    assert is_blocked("device_id", dressed.format(value.upper()))


@pytest.mark.parametrize(
    "value",
    [
        "00000000-0000-0000-0000-000000000000",
        "{00000000-0000-0000-0000-000000000000}",
        "00000000000000000000000000000000",
        " " * 40,
        '"unknown"' + " " * 40,
    ],
)
def test_longer_ones(value: str) -> None:
    assert is_blocked("device_id", value)


@pytest.mark.parametrize("value", ["00", "1", "nobody", "nullable", "00000000-0000-0000-0000-000000000001", "10" * 16])
def test_real_values_are_not(value: str) -> None:
    assert not is_blocked("device_id", value)


def test_declared_values_are_blocked_for_their_type() -> None:
    assert is_blocked("user_id", "test-user")
    assert is_blocked("user_id", "'N/A'")
    assert not is_blocked("device_id", "test-user")


@pytest.mark.parametrize("value", ["noreply@x.y", "no-reply@x.y", "Info@x.y", "support+shop@x.y", "do_not_reply@x.y"])
def test_shared_mailboxes_by_option(value: str) -> None:
    assert is_blocked("email", value)
    assert not is_blocked("user_id", value)


@pytest.mark.parametrize("value", ["anna.info@x.y", "information@x.y", "norbert@info.y"])
def test_people_have_mailboxes_too(value: str) -> None:
    assert not is_blocked("email", value)


@pytest.mark.parametrize(
    ("id_type", "value", "expected"),
    [
        ("user_id", "abc", False),
        ("user_id", "a-b", True),
        ("user_id", "atest", False),
        ("user_id", "testa", True),
        ("user_id", "aDEMO", True),
        ("number", "123456", False),
        ("number", "xyz", False),
        ("number", "1234567", True),
        ("email_hash", sha256("null"), True),
        ("email_hash", sha256('"null"'), True),
        ("email_hash", sha256("00000000-0000-0000-0000-000000000000"), True),
        ("email_hash", sha256("test@x.de"), True),
        ("email_hash", sha256("anna@x.de"), False),
        ("phone", sha256("null"), False),
        ("phone", "+49301234567", True),
        ("phone", "+49301234568", False),
        ("phone_hash", sha256("+49301234567"), True),
        ("site", "shop.de", True),
        ("site", "shop.de/a", False),
    ],
)
def test_filters(id_type: str, value: str, expected: bool) -> None:
    assert is_blocked(id_type, value, FILTERS) is expected
