"""What happened to a profile: the entries of `identity_log` about it and about the ids it has absorbed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import duckdb

from profiles_assets.identity import schema
from profiles_assets.identity.aliases import VIEW
from resources.tables import exists, literal

Con = duckdb.DuckDBPyConnection
Shown = Callable[[str, str], str]


@dataclass(frozen=True)
class Entry:
    """One change of one profile; `because` are the two ids whose link decided a merge."""

    as_of: date
    change: str
    profile_id: str
    other_profile_id: str | None
    because: tuple[str, str] | None


def read_log(con: Con, entity: str, profile_id: str, shown: Shown) -> list[Entry]:
    """Entries about a profile and the ids that became it, oldest first; `shown` is the SQL of an id as it is shown."""
    log, ids = schema.view(con, "identity_log"), schema.view(con, "stitched_ids")
    mine, values = f"entity = {literal(entity)}", shown("id_type", "value")
    aliases = f"UNION SELECT alias FROM {VIEW} WHERE {mine} AND profile_id = $id" if exists(con, VIEW) else ""
    rows = con.execute(
        f"""WITH about AS (SELECT $id AS profile_id {aliases}),
            names AS (SELECT key, id_type || ':' || {values} AS name FROM {ids} WHERE {mine})
        SELECT l.as_of, l.change, l.profile_id, l.other_profile_id, l.edge_from IS NOT NULL,
            coalesce(a.name, 'an id that is gone'), coalesce(b.name, 'an id that is gone')
        FROM {log} l LEFT JOIN names a ON a.key = l.edge_from LEFT JOIN names b ON b.key = l.edge_to
        WHERE {mine.replace("entity", "l.entity")}
            AND (l.profile_id IN (FROM about) OR l.other_profile_id IN (FROM about))
        ORDER BY l.seq""",
        {"id": profile_id},
    ).fetchall()
    return [
        Entry(day, change, mine_id, other_id, (a, b) if decided else None)
        for day, change, mine_id, other_id, decided, a, b in rows
    ]
