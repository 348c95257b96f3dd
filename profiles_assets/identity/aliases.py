"""Profile ids that ended, and the living profiles they have become."""

import duckdb

from resources.tables import exists

Con = duckdb.DuckDBPyConnection
VIEW = "identity.profile_aliases"

# UNION instead of UNION ALL, since ids that have merged into each other in turn would never end
SELECT = """WITH RECURSIVE living AS (
        SELECT DISTINCT entity, profile_id FROM identity.stitched_ids WHERE profile_id IS NOT NULL),
    hops AS (
        SELECT entity, profile_id AS alias, arg_max(other_profile_id, seq) AS target
        FROM identity.identity_log WHERE change = 'merged' GROUP BY ALL),
    ended AS (FROM hops ANTI JOIN living l ON l.entity = hops.entity AND l.profile_id = hops.alias),
    reached AS (
        FROM ended UNION
        SELECT r.entity, r.alias, e.target FROM reached r JOIN ended e ON e.entity = r.entity AND e.alias = r.target)
    SELECT r.entity, r.alias, r.target AS profile_id FROM reached r
    SEMI JOIN living l ON l.entity = r.entity AND l.profile_id = r.target"""


def create_view(con: Con) -> None:
    """Create the view (entity, alias, profile_id) of ids that ended and what they are now, unless it exists."""
    con.execute(f"CREATE VIEW IF NOT EXISTS {VIEW} AS {SELECT}")


def current_id(con: Con, profile_id: str, stitched: str = "identity.stitched_ids") -> tuple[str, str] | None:
    """Entity and living id of a profile id that may have ended; None for one that never was, or is gone."""
    if not exists(con, stitched):
        return None
    found = con.execute(f"SELECT entity, profile_id FROM {stitched} WHERE profile_id = ?", [profile_id]).fetchone()
    if found is None and exists(con, VIEW):
        found = con.execute(f"SELECT entity, profile_id FROM {VIEW} WHERE alias = ?", [profile_id]).fetchone()
    return (str(found[0]), str(found[1])) if found else None
