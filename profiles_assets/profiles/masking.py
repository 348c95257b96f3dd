"""Stand-ins for personal data, as SQL: hidden, hashed or masked."""

from collections.abc import Mapping

from profiles_assets.project.base import Pii
from resources.tables import literal

HIDDEN = "***"


def masked_sql(value: str, how: Pii) -> str:
    """SQL of the stand-in (text) for a value; missing values stay missing.

    True hides it, `hash` gives the hex SHA-256 of its text, `mask` the first letter, and the domain of an e-mail.
    """
    text = f"({value})::VARCHAR"
    if how == "hash":
        return f"sha256({text})"
    if how == "mask":
        domain = f"CASE WHEN contains({text}, '@') THEN '@' || split_part({text}, '@', -1) ELSE '' END"
        return f"(left({text}, 1) || {literal(HIDDEN)} || {domain})"
    return f"CASE WHEN ({value}) IS NOT NULL THEN {literal(HIDDEN)} END" if how else value


def masked_map_sql(column: str, keys: Mapping[str, Pii], *, of_lists: bool = False) -> str:
    """SQL of a map with stand-ins for the values of some keys; values are texts, or lists of texts."""
    if of_lists:
        cases = [
            f"WHEN {literal(key)} THEN list_transform(e.value, lambda v: {masked_sql('v', how)})"
            for key, how in keys.items()
        ]
    else:
        cases = [f"WHEN {literal(key)} THEN {masked_sql('e.value', how)}" for key, how in keys.items()]
    value = f"CASE e.key {' '.join(cases)} ELSE e.value END"
    entries = f"list_transform(map_entries({column}), lambda e: {{'key': e.key, 'value': {value}}})"
    return f"CASE WHEN {column} IS NOT NULL THEN map_from_entries({entries}) END"
