"""Where texts tell a value of an erased person, beside the columns of ids."""

import json
import re
from collections.abc import Iterable, Sequence

import duckdb

from profiles_assets.events.cleaning import AFTER, BEFORE, TELLING, nested
from resources.tables import literal

Con = duckdb.DuckDBPyConnection
FEW = 20
STEP = re.compile(r'\.("(?:[^"\\]|\\.)*"|[^.\[]+)|\[')


def told_sql(text: str, values: Sequence[str]) -> str:
    """SQL condition: a text tells one of these values as a word of its own, in upper or lower case, escaped or not.

    Values shorter than 6 characters are no words to look for.
    """
    forms = sorted({form for value in values if len(value) >= TELLING for form in written(value)})
    if not forms:
        return "false"
    several = "|".join(re.escape(form) for form in forms)
    exact = f"regexp_matches({text}, {literal(f'(?i){BEFORE}({several}){AFTER}')})"
    if len(forms) > FEW:
        return exact
    # finding a plain text is several times as fast
    quick = " OR ".join(f"contains(low, {literal(form.lower())})" for form in forms)
    return f"list_transform([lower({text})], lambda low: CASE WHEN {quick} THEN {exact} ELSE false END)[1]"


def written(value: str) -> Iterable[str]:
    """A value as JSON may write it."""
    plain = json.dumps(value, ensure_ascii=False)[1:-1]
    return value, plain, json.dumps(value)[1:-1], plain.replace("/", "\\/")


def stage_patches(con: Con, values: Sequence[str]) -> None:
    """Temporary table `patches` (file, position, patch): what to take out of the records (payload) in `mentioning`.

    The patch is JSON with null for the fields; it is NULL where the value is told by more than fields.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE places AS SELECT file, position, list_sort(list(DISTINCT fullkey)) AS places
        FROM (SELECT m.file, m.position, t.fullkey, t.type, json_extract_string(t.atom, '$') AS told
            FROM mentioning m, json_tree(m.payload) t)
        WHERE type NOT IN ('OBJECT', 'ARRAY') AND {told_sql("told", values)} GROUP BY ALL"""
    )
    distinct = con.execute("SELECT DISTINCT places FROM places").fetchall()
    con.execute("CREATE OR REPLACE TEMP TABLE patch_of (places VARCHAR[], patch VARCHAR)")
    if distinct:
        con.executemany("INSERT INTO patch_of VALUES (?, ?)", [[p, patch_of(p)] for (p,) in distinct])
    left = told_sql("json_merge_patch(payload, patch)::VARCHAR", values)
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE patches AS
        SELECT file, position, CASE WHEN patch IS NOT NULL AND NOT {left} THEN patch END AS patch
        FROM mentioning LEFT JOIN places USING (file, position) LEFT JOIN patch_of USING (places)"""
    )


def patch_of(places: Sequence[str]) -> str:
    """JSON that takes fields (as json_tree names them) out of a record; a field in a list takes the list with it."""
    paths = {"\0".join(_fields(place)) for place in places}
    return json.dumps(_unjoined(paths), ensure_ascii=False)


def _unjoined(paths: Iterable[str]) -> object:
    tree = nested((path.replace(".", "\1").replace("\0", ".") for path in paths), False, None)
    return json.loads(json.dumps(tree).replace("\\u0001", "."))


def _fields(place: str) -> list[str]:
    fields = []
    for found in STEP.finditer(place):
        if found[1] is None:
            break
        fields.append(json.loads(found[1]) if found[1].startswith('"') else found[1])
    return fields
