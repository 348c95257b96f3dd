"""Normalised values and keys, against Python."""

import hashlib

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.events.ids import id_type_of, node_key_sql, normalised_sql, tuple_key_sql
from profiles_assets.project.entities import Entity, IdType

BLANKS = " \t\n\v\f\r\u00a0\u200b\ufeff"
CON = duckdb.connect()
TEXTS = st.text(st.sampled_from([*BLANKS, "\0", "a", "B", "ä", "@", "!", "~", "\x7f"]), max_size=6)


def asked(sql: str, *values: object) -> object:
    row = CON.execute(f"SELECT {sql} FROM (SELECT {', '.join(f'? AS c{n}' for n in range(len(values)))})", values)
    return (row.fetchone() or [None])[0]


def key(text: str) -> int:
    return int(hashlib.md5(text.encode()).hexdigest()[:15], 16)


@settings(deadline=None)
@given(TEXTS)
def test_normalised_values(text: str) -> None:
    plain = text.replace("\0", "")
    expected = {"none": plain, "trim": plain.strip(BLANKS), "email": plain.strip(BLANKS).lower()}
    for normalise, value in expected.items():
        id_type = IdType.model_validate({"normalise": normalise})
        assert asked(normalised_sql(id_type, "c0"), text) == (value or None)


def test_keys() -> None:
    assert asked(node_key_sql("email", "c0"), "a@b.c") == key("email:a@b.c")
    assert asked(node_key_sql("email", "c0::VARCHAR"), None) is None
    assert asked(tuple_key_sql(["c0", "c1"]), 5, 7) == key("5,7")
    assert asked(tuple_key_sql(["c0", "c1::BIGINT"]), 5, None) == key("5")
    assert asked(tuple_key_sql(["c0::BIGINT", "c1::BIGINT"]), None, None) is None


@pytest.mark.parametrize(("name", "normalise"), [("email", "email"), ("other", "trim")])
def test_declaration_of_an_id_type(name: str, normalise: str) -> None:
    entities = {"user": Entity(ids={"user_id": IdType()}), "home": Entity(ids={"email": IdType(normalise="email")})}
    assert id_type_of(entities, name).normalise == normalise
