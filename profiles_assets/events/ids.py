"""Identifier values and their keys, as SQL: what is the same id, and by which number it is known."""

from collections.abc import Mapping, Sequence

from profiles_assets.events.normaliser_sql import steps_sql
from profiles_assets.project.entities import Entity, IdType
from profiles_assets.project.normalisers import Step
from resources.tables import literal


def normalised_sql(id_type: IdType, column: str) -> str:
    """SQL of the normalised value of an id; NULL when nothing is left of it.

    Phone numbers and functions need `register_normalisers` on the connection.
    """
    return steps_sql(id_type.steps, column)


def normalised_as(id_type: IdType) -> str:
    """Text that changes whenever an id type may be normalised otherwise, be it by other code."""
    marks = [_mark(step) for step in id_type.steps]
    return marks[0] if len(marks) == 1 else repr(marks)


def _mark(step: Step) -> str:
    return f"{step.name}{step.options or ''}{_release() if step.name == 'phone' else ''}"


def _release() -> str:
    from importlib.metadata import version

    return version("phonenumbers")


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
