"""Identifier values and their keys, as SQL: what is the same id, and by which number it is known."""

from collections.abc import Mapping, Sequence

from profiles_assets.project.entities import Entity, IdType
from resources.tables import literal

BLANKS = "' ' || chr(9) || chr(10) || chr(11) || chr(12) || chr(13) || chr(160) || chr(8203) || chr(65279)"


def normalised_sql(id_type: IdType, column: str) -> str:
    """SQL of the normalised value of an id; NULL when nothing is left of it."""
    value = f"CASE WHEN contains({column}, chr(0)) THEN replace({column}, chr(0), '') ELSE {column} END"
    if id_type.normalise != "none":
        value = f"CASE WHEN {_untidy(column)} THEN trim(replace({column}, chr(0), ''), {BLANKS}) ELSE {column} END"
    if id_type.normalise in ("lower", "email"):
        value = f"lower({value})"
    return f"nullif({value}, '')"


def _untidy(column: str) -> str:
    """Cheap SQL test for values that trimming might change: anything but plain ASCII at either end."""
    ends = f"{column} < '!' OR {column} > '~~' OR right({column}, 1) NOT BETWEEN '!' AND '~'"
    return f"{ends} OR contains({column}, chr(0))"


def key_sql(text: str) -> str:
    """SQL of the BIGINT key of a text: the first 60 bits of its md5, the same in every engine and version."""
    return f"('0x' || left(md5({text}), 15))::BIGINT"


def node_key_sql(id_type: str, column: str) -> str:
    """SQL of the key of a node, from its normalised value; NULL for NULL."""
    return key_sql(f"{literal(id_type + ':')} || {column}")


def tuple_key_sql(node_keys: Sequence[str]) -> str:
    """SQL of the key of an id tuple, from its node keys in the entity's declared order; NULL without any."""
    if not node_keys:
        return "NULL::BIGINT"
    return key_sql(f"nullif(concat_ws(',', {', '.join(node_keys)}), '')")


def id_type_of(entities: Mapping[str, Entity], name: str) -> IdType:
    """Declaration of an id type, from the first entity that has it; the default for one that none has."""
    found = (entity.ids[name] for entity in entities.values() if name in entity.ids)
    return next(found, IdType())
