"""What the guards and the rules did: ids and links left out, by rule and id type."""

from dataclasses import dataclass

import duckdb

from resources.tables import exists, literal

Con = duckdb.DuckDBPyConnection
NORMALISED = "ops.normalised"
TOP = 10


@dataclass(frozen=True)
class TypeCount:
    """Ids of a type: `alone` in their profile, `nobody` for what identifies nobody.

    `changed` and `filtered` are values normalised and filtered while loading.
    """

    id_type: str
    ids: int
    alone: int
    nobody: int
    changed: int
    filtered: int

    @property
    def share_alone(self) -> float:
        """Share of the ids of this type in profiles that are alone there."""
        return self.alone / max(self.ids - self.nobody, 1)


@dataclass(frozen=True)
class Guard:
    """What a rule left out of the graph: ids or links of an id type, and the events seen with them."""

    rule: str
    id_type: str
    dropped: int
    events: int


@dataclass(frozen=True)
class Hub:
    """An id that identifies nobody since too much was seen with it: how many, and in words."""

    id: str
    rule: str
    number: int
    detail: str


@dataclass(frozen=True)
class Manual:
    """A rule that people gave; idle while an id of it was never seen."""

    action: str
    ids: list[str]
    who: str
    why: str
    origin: str
    idle: bool


def count_types(con: Con, types: list[str]) -> list[TypeCount]:
    """Counts of each id type, in declared order."""
    nothing = "(SELECT NULL::VARCHAR AS id_type, 0 AS changed, 0 AS filtered WHERE false)"
    noted = NORMALISED if exists(con, NORMALISED) else nothing
    rows = con.execute(
        f"""SELECT t.id_type, coalesce(ids, 0), coalesce(alone, 0), coalesce(nobody, 0), coalesce(changed, 0),
            coalesce(filtered, 0)
        FROM (SELECT unnest([{", ".join(map(literal, types))}]) AS id_type) t LEFT JOIN (
            SELECT id_type, count(*) AS ids, count(*) FILTER (p.ids = 1) AS alone,
                count(*) FILTER (i.profile_key IS NULL) AS nobody
            FROM explain_ids i LEFT JOIN audit_profiles p USING (profile_key) GROUP BY id_type) USING (id_type)
        LEFT JOIN (SELECT id_type, sum(changed)::BIGINT AS changed, sum(filtered)::BIGINT AS filtered
            FROM {noted} GROUP BY id_type) USING (id_type)"""
    ).fetchall()
    found = {row[0]: TypeCount(*row) for row in rows}
    return [found[name] for name in types]


def count_guards(con: Con) -> list[Guard]:
    """What each rule left out, by id type; of a link it is the later id's."""
    rows = con.execute(
        """SELECT rule, id_type, count(*), sum(events)::BIGINT FROM (
            SELECT rule, r.id_type, r.key, other_key,
                any_value(CASE WHEN other_key IS NULL THEN i.count ELSE r.count END) AS events
            FROM explain_reasons r LEFT JOIN explain_ids i USING (key) GROUP BY ALL)
        GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    return [Guard(*row) for row in rows]


def top_hubs(con: Con) -> list[Hub]:
    """The ids that most was seen with, of those the guards quarantined."""
    rows = con.execute(
        f"""SELECT i.id_type || ':' || i.value, rule, r.count, r.detail
        FROM explain_reasons r JOIN explain_ids i USING (key)
        WHERE rule IN ('hub', 'bridge') ORDER BY r.count DESC, key, r.detail LIMIT {TOP}"""
    ).fetchall()
    return [Hub(*row) for row in rows]


def list_rules(con: Con) -> list[Manual]:
    """The rules that people gave, as the last stitch applied them."""
    rows = con.execute(
        """SELECT action,
            list_filter([a.id_type || ':' || a.value, b.id_type || ':' || b.value], lambda x: x IS NOT NULL),
            coalesce(who, ''), coalesce(why, ''), coalesce(origin, ''),
            a.key IS NULL OR (r.other_key IS NOT NULL AND b.key IS NULL)
        FROM explain_rules r LEFT JOIN explain_ids a ON a.key = r.key LEFT JOIN explain_ids b ON b.key = r.other_key
        ORDER BY action, r.key, r.other_key, origin"""
    ).fetchall()
    return [Manual(*row) for row in rows]
