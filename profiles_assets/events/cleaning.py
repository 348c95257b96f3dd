"""Records without what tells who they are about, as SQL: the same at load and when a person is erased later."""

import json
from collections.abc import Iterable
from typing import Any

from profiles_assets.events.columns import candidates
from profiles_assets.events.derive import extraction_of, json_pointer, record_sql
from profiles_assets.project.sources import Source
from resources.tables import literal, quote

TELLING = 6
BEFORE, AFTER = r"(^|[^\pL\pN._%+@-])", r"($|[^\pL\pN._%+@-]|[.]($|[^\pL\pN]))"
Tree = dict[str, Any]


def mentions(text: str, value: str) -> str:
    """SQL condition: a text has a value in it, in upper or lower case, and not as a part of a longer word."""
    return f"regexp_matches({text}, '(?i){BEFORE}' || regexp_escape({value}) || '{AFTER}')"


def cleaned_sql(source: Source, paths: Iterable[str], text: str) -> str:
    """SQL of a record without its ids, its identify traits and what is declared personal.

    Where one of its ids is told elsewhere too, only the fields are left that definitions use and that don't tell it.
    The columns `own_ids` has the texts of its ids, as written and as normalised.
    """
    patch = literal(json.dumps(nested(personal_paths(source), flat(source), None)))
    stripped = f"json_merge_patch({text}, {patch})::VARCHAR"
    told = f"len(list_filter(own_ids, lambda o: {mentions(stripped, 'o')})) > 0"
    return f"CASE WHEN {told} THEN {kept_sql(source, paths, text)} ELSE {stripped} END"


def own_ids_sql(source: Source, row: str) -> str:
    """SELECT of the rows of a relation (with `text` and the ids), and `own_ids`, the texts of the ids in each."""
    extraction = extraction_of(source)
    raw = [extraction.take(path) for path in source.ids.values()]
    listed = ", ".join([*(f"trim({one})" for one in raw), *(quote(f"id_{id_type}") for id_type in source.ids)])
    own = f"list_distinct(list_filter([{listed}]::VARCHAR[], lambda o: o <> ''))"
    return f"SELECT * EXCLUDE (v), {own} AS own_ids FROM (SELECT *, {extraction.sql} AS v FROM {row})"


def kept_sql(source: Source, paths: Iterable[str], text: str) -> str:
    """SQL of a record of only the time, the event and the properties in use, without those that tell an id."""
    personal = set(personal_paths(source))
    wanted = [source.time, source.received, source.event, source.event_id]
    used = [one for path in paths if path not in source.pii for one in candidates(source, path)]
    singles = [one for path in [*wanted, *used] if path for one in path.split("|")]
    kept = [one for one in dict.fromkeys(singles) if not any(one == p or one.startswith(f"{p}.") for p in personal)]
    record = record_sql(source, text)
    return _object(nested(kept, flat(source), ""), record, "")


def personal_paths(source: Source) -> list[str]:
    """Paths in a record of ids, identify traits and properties declared personal."""
    declared = [*source.ids.values(), *([source.identify_traits] if source.identify_traits else [])]
    personal = [*source.pii, *(one for path in source.pii for one in candidates(source, path))]
    return list(dict.fromkeys(one for path in [*declared, *personal] for one in path.split("|")))


def flat(source: Source) -> bool:
    """True where the dots in a path are part of a column's name."""
    return extraction_of(source).flat


def nested(paths: Iterable[str], is_flat: bool, leaf: Any) -> Tree:
    """Paths as objects in each other with a leaf at each end; a path through another's end stops there."""
    tree: Tree = {}
    for path in sorted(paths, key=lambda p: p.count(".")):
        *above, last = [path] if is_flat else path.split(".")
        at: Any = tree
        for part in above:
            at = at.setdefault(part, {}) if isinstance(at, dict) else at
        if isinstance(at, dict):
            at.setdefault(last, leaf)
    return tree


def _object(tree: Tree, record: str, above: str) -> str:
    fields = []
    for name, inner in tree.items():
        pointer = above + json_pointer(name, flat=True)
        fields += [literal(name), _object(inner, record, pointer) if inner else _field(record, pointer)]
    return f"json_object({', '.join(fields)})"


def _field(record: str, pointer: str) -> str:
    value = f"json_extract({record}, {literal(pointer)})"
    telling = f"len(o) >= {TELLING} AND {mentions(f'{value}::VARCHAR', 'o')}"
    return f"CASE WHEN len(list_filter(own_ids, lambda o: {telling})) = 0 THEN {value} END"
