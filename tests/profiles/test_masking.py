import hashlib

import duckdb
import pytest

from profiles_assets.profiles.masking import masked_map_sql, masked_sql
from profiles_assets.project.base import Pii


@pytest.mark.parametrize(
    ("value", "how", "seen"),
    [
        ("ann@shop.example", "mask", "a***@shop.example"),
        ("Ann", "mask", "A***"),
        ("Ann", True, "***"),
        ("Ann", False, "Ann"),
        ("Ann", "hash", hashlib.sha256(b"Ann").hexdigest()),
        (None, "mask", None),
        (None, "hash", None),
        (None, True, None),
    ],
)
def test_stand_ins(value: str | None, how: Pii, seen: str | None) -> None:
    assert duckdb.execute(f"SELECT {masked_sql('v', how)} FROM (SELECT ?::VARCHAR AS v)", [value]).fetchone() == (seen,)


def test_maps_keep_the_keys_that_are_not_personal() -> None:
    ids = "MAP {'email': ['ann@a.b', 'bob@a.b'], 'user_id': ['7']}"
    sql = masked_map_sql(ids, {"email": "mask"}, of_lists=True)
    assert duckdb.execute(f"SELECT {sql}").fetchone() == ({"email": ["a***@a.b", "b***@a.b"], "user_id": ["7"]},)
    traits = "MAP {'city': 'Ulm', 'phone': '123'}"
    assert duckdb.execute(f"SELECT {masked_map_sql(traits, {'phone': True})}").fetchone() == (
        {"city": "Ulm", "phone": "***"},
    )
    assert duckdb.execute(f"SELECT {masked_map_sql('NULL::MAP(VARCHAR, VARCHAR)', {'a': True})}").fetchone() == (None,)
