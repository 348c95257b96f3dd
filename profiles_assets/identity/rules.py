"""Manual rules: those of the project's files and those added by command, as keys that resolution understands.

Of several rules about the same pair of ids, or about the same id, the last one holds; rules added by command
come after those of files. A rule about an id that was never seen waits for it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from profiles_assets.events.ids import normalised_sql
from profiles_assets.events.normalisers import register_normalisers
from profiles_assets.identity import schema
from profiles_assets.identity.keys import COLLISION, OK, QUARANTINED, node_key
from profiles_assets.project.project import Project
from profiles_assets.project.rules import PAIRS, Ruling
from resources import progress
from resources.lake import Lake
from resources.tables import literal

Con = duckdb.DuckDBPyConnection
STAGED = pa.schema(
    [("seq", pa.int64())]
    + [(name, pa.string()) for name in ("action", "id_type", "value", "other_type", "other_value")]
    + [(name, pa.string()) for name in ("who", "why", "origin")]
)


OTHER = "CASE WHEN b IS NOT NULL THEN greatest(a, b) END"
IN_FORCE, NOT_YET, WAITS, OVERRULED, BARRED = (
    "in force",
    "applied by the next run",
    "waits: an id of it was never seen",
    "overruled by a later rule",
    "has no effect: an id of it identifies nobody",
)


@dataclass(frozen=True)
class Listed:
    """A manual rule with the ids as they may be shown, and what has become of it."""

    entity: str
    origin: str
    action: str
    id: str
    other: str | None
    who: str
    why: str
    state: str


def step_name(entity: str) -> str:
    """Step that moves whenever a rule is added or removed by command."""
    return f"rules/{entity}"


def stage_rulings(con: Con, project: Project, entity: str) -> str:
    """Temporary tables `told_keys` (all rules), `rules_now` and `rulings` (those in force); returns a hash of these.

    `rules_now` (action, key, other_key, who, why, origin) has pairs with the smaller key first; `rulings` (key,
    action) those of them about one id.
    """
    register_normalisers(con, project)
    rows = _rows(con, project, entity)
    con.register("told_rules", pa.table({f.name: [row[i] for row in rows] for i, f in enumerate(STAGED)}, STAGED))
    key, other = _key(project, entity, "id_type", "value"), _key(project, entity, "other_type", "other_value")
    con.execute(f"CREATE OR REPLACE TEMP TABLE told_keys AS SELECT *, {key} AS a, {other} AS b FROM told_rules")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE rules_now AS
        SELECT action, least(a, b) AS key, {OTHER} AS other_key, who, why, origin FROM told_keys
        WHERE a IS NOT NULL AND (action IN ({", ".join(map(literal, PAIRS))})) = (b IS NOT NULL)
            AND a IS DISTINCT FROM b
        QUALIFY row_number() OVER (PARTITION BY least(a, b), greatest(a, b), b IS NULL ORDER BY seq DESC) = 1"""
    )
    con.unregister("told_rules")
    con.execute("CREATE OR REPLACE TEMP TABLE rulings AS SELECT key, action FROM rules_now WHERE other_key IS NULL")
    return _hash(con)


def stage_changed(con: Con, entity: str) -> None:
    """Temporary table `ruled_keys` with the ids whose rules are not those of the last stitch."""
    now = "SELECT action, key, other_key FROM rules_now"
    before = f"SELECT action, key, other_key FROM {schema.view(con, 'applied_rules')} WHERE entity = {literal(entity)}"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE ruled_keys AS
        WITH changed AS (({now} EXCEPT {before}) UNION ALL ({before} EXCEPT {now}))
        SELECT key FROM changed UNION SELECT other_key FROM changed WHERE other_key IS NOT NULL"""
    )


def write_applied(con: Con, entity: str) -> None:
    """Note the rules in force as applied, in the caller's transaction."""
    con.execute("DELETE FROM identity.applied_rules WHERE entity = ?", [entity])
    con.execute("INSERT INTO identity.applied_rules BY NAME SELECT ? AS entity, * FROM rules_now", [entity])


def judge_words(con: Con) -> None:
    """Apply the rules about single ids to the temporary table `words`."""
    con.execute(
        f"""UPDATE words SET barred = CASE r.action WHEN 'allow' THEN {OK} ELSE {QUARANTINED} END
        FROM rulings r WHERE r.key = words.key AND words.barred <> {COLLISION}"""
    )


def add_rule(lake: Lake, ruling: Ruling, today: date) -> int:
    """Add a rule to the lake; returns its number, counted from 1 within its entity."""
    found = 0

    def action(con: Con) -> None:
        nonlocal found
        schema.create_tables(con)
        found = _last(con, ruling.entity) + 1
        other = ruling.other or (None, None)
        con.execute(
            "INSERT INTO identity.rules VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, false)",
            [ruling.entity, found, ruling.action, *ruling.id, *other, ruling.who, ruling.why, today],
        )
        _move(con, ruling.entity)

    lake.write(action)
    return found


def remove_rule(lake: Lake, entity: str, seq: int) -> bool:
    """Take back a rule that was added by command; False where there is none of this number."""
    with lake.get_connection() as con:
        mine = f"entity = {literal(entity)} AND seq = {int(seq)} AND NOT removed"
        if not con.execute(f"FROM {schema.view(con, 'rules')} WHERE {mine}").fetchone():
            return False

    def action(con: Con) -> None:
        con.execute("UPDATE identity.rules SET removed = true WHERE entity = ? AND seq = ?", [entity, seq])
        _move(con, entity)

    lake.write(action)
    return True


def listed(con: Con, project: Project, entity: str, shown: Callable[[str, str], str]) -> list[Listed]:
    """All rules about an entity in their order; `shown` is the SQL of an id as it may be shown."""
    stage_rulings(con, project, entity)
    ids, applied = schema.view(con, "stitched_ids"), schema.view(con, "applied_rules")
    mine = f"entity = {literal(entity)}"
    rows = con.execute(
        f"""WITH seen AS (SELECT key, status FROM {ids} WHERE {mine}),
            force AS (SELECT action, key, other_key, origin FROM rules_now),
            done AS (SELECT action, key, other_key FROM {applied} WHERE {mine})
        SELECT {literal(entity)}, t.origin, t.action, id_type || ':' || {shown("id_type", "value")},
            other_type || ':' || {shown("other_type", "other_value")}, t.who, t.why, CASE
            WHEN f.origin IS NULL THEN {literal(OVERRULED)}
            WHEN a.status IS NULL OR (b IS NOT NULL AND o.status IS NULL) THEN {literal(WAITS)}
            WHEN d.action IS NULL THEN {literal(NOT_YET)}
            WHEN t.action = 'link' AND (a.status <> 'ok' OR o.status <> 'ok') THEN {literal(BARRED)}
            ELSE {literal(IN_FORCE)} END
        FROM told_keys t LEFT JOIN force f ON f.origin = t.origin AND f.action = t.action
                AND f.key = least(t.a, t.b) AND f.other_key IS NOT DISTINCT FROM {OTHER}
            LEFT JOIN done d ON d.action = t.action AND d.key = least(t.a, t.b)
                AND d.other_key IS NOT DISTINCT FROM {OTHER}
            LEFT JOIN seen a ON a.key = t.a LEFT JOIN seen o ON o.key = t.b ORDER BY t.seq"""
    ).fetchall()
    return [Listed(*row) for row in rows]


def _rows(con: Con, project: Project, entity: str) -> list[tuple[object, ...]]:
    found: list[tuple[object, ...]] = [
        (0, r.action, *r.id, *(r.other or (None, None)), r.who, r.why, r.origin)
        for r in project.rules
        if r.entity == entity
    ]
    found += con.execute(
        f"""SELECT seq, action, id_type, value, other_type, other_value, who, why, 'rule ' || seq
        FROM {schema.view(con, "rules")} WHERE entity = ? AND NOT removed ORDER BY seq""",
        [entity],
    ).fetchall()
    return [(place, *row[1:]) for place, row in enumerate(found)]


def _key(project: Project, entity: str, id_type: str, value: str) -> str:
    """SQL key of an id of whatever type the entity has; NULL for other types."""
    ids = project.entities[entity].ids.items()
    cases = (f"WHEN {literal(name)} THEN {node_key(name, normalised_sql(spec, value))}" for name, spec in ids)
    return f"CASE {id_type} {' '.join(cases)} END"


def _hash(con: Con) -> str:
    row = con.execute(
        "SELECT coalesce(md5(string_agg(concat_ws('|', action, key, other_key), ';' ORDER BY action, key, other_key)),"
        " '') FROM rules_now"
    ).fetchone()
    assert row is not None
    return str(row[0])


def _last(con: Con, entity: str) -> int:
    row = con.execute("SELECT coalesce(max(seq), 0) FROM identity.rules WHERE entity = ?", [entity]).fetchone()
    assert row is not None
    return int(row[0])


def _move(con: Con, entity: str) -> None:
    row = con.execute("SELECT count(*), count(*) FILTER (removed) FROM identity.rules WHERE entity = ?", [entity])
    progress.record(con, step_name(entity), {"all": "-".join(map(str, row.fetchone() or ()))})
