"""Checks on audiences: the tables say the same as the profiles."""

from typing import Any

import duckdb

from profiles_assets.profiles.audiences import LOG, members_table, step_name
from profiles_assets.profiles.publication import MADE_FROM, profiles_note
from profiles_assets.profiles.table import view_name
from profiles_assets.project.project import Project
from resources import progress
from resources.tables import quote

Con = duckdb.DuckDBPyConnection


def members_are_current(con: Con, project: Project, name: str) -> tuple[bool, dict[str, Any]]:
    """Whether the members are the people whose column is true, and the log adds up to them.

    Passes without looking while the profiles are newer than the audience.
    """
    entity = project.audiences[name].entity
    version = profiles_note(con, entity)
    if version is None or progress.applied(con, step_name(name)).get(MADE_FROM) != version:
        return True, {}
    row = con.execute(
        f"""WITH wanted AS (SELECT profile_id FROM {view_name(entity)} WHERE {quote(name)}),
            logged AS (
                SELECT profile_id FROM {LOG} WHERE audience = ? GROUP BY profile_id
                HAVING sum(CASE change WHEN 'entered' THEN 1 ELSE -1 END) = 1)
        SELECT (SELECT count(*) FROM wanted ANTI JOIN {members_table(name)} USING (profile_id)),
            (SELECT count(*) FROM {members_table(name)} ANTI JOIN wanted USING (profile_id)),
            (SELECT count(*) FROM logged ANTI JOIN wanted USING (profile_id))
                + (SELECT count(*) FROM wanted ANTI JOIN logged USING (profile_id))""",
        [name],
    ).fetchone()
    assert row is not None
    return not any(row), dict(zip(("missing", "strangers", "not_as_logged"), row, strict=True))
