"""Audiences as tables: who belongs to each and since when, and a log of who came and went."""

from dataclasses import dataclass
from datetime import date

import duckdb

from profiles_assets.profiles.publication import MADE_FROM, profiles_note, publish_complete, unpublish
from profiles_assets.profiles.table import view_name
from profiles_assets.project.project import Project
from resources import progress
from resources.lake import Lake
from resources.tables import Merge, columns, exists, literal, quote, stage_merge, write_merge

Con = duckdb.DuckDBPyConnection

LOG = "audiences.log"
LOG_COLUMNS = {"audience": "VARCHAR", "profile_id": "VARCHAR", "change": "VARCHAR", "as_of": "DATE"}


@dataclass(frozen=True)
class AudienceReport:
    """How many people belong to an audience as of a day, and how many this run let in and out."""

    as_of: date | None
    size: int = 0
    entered: int = 0
    left: int = 0


@dataclass(frozen=True)
class Staged:
    """Changes of an audience in temporary tables, ready to be written."""

    report: AudienceReport
    version: str = ""
    merge: Merge | None = None


def update_audience(lake: Lake, project: Project, name: str) -> AudienceReport:
    """Bring the members of an audience up to its profiles and publish them; only differences are written."""
    entity = project.audiences[name].entity
    staged = lake.step(
        lambda con: compute_audience(con, project, name),
        lambda con, staged: write_audience(con, project, name, staged),
        [f"profiles/{entity}", step_name(name)],
    )
    publish_complete(lake, project, entity)
    return staged.report


def compute_audience(con: Con, project: Project, name: str) -> Staged:
    """Stage who is in, and who entered and left, unless the profiles are those of the last time."""
    entity = project.audiences[name].entity
    version, view = profiles_note(con, entity), view_name(entity)
    as_of = _as_of(con, entity)
    unchanged = progress.applied(con, step_name(name)).get(MADE_FROM) == version
    if as_of is None or version is None or unchanged or name not in columns(con, view):
        return Staged(AudienceReport(as_of, _size(con, name)))
    before = _view_before(con, name)
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE staged_members AS SELECT profile_id, coalesce(since, DATE '{as_of}') AS since "
        f"FROM (SELECT profile_id FROM {view} WHERE {quote(name)}) LEFT JOIN {before} USING (profile_id)"
    )
    merge = stage_merge(con, members_table(name), "staged_members", ["profile_id"])
    return Staged(_stage_log(con, name, before, as_of), version, merge)


def write_audience(con: Con, project: Project, name: str, staged: Staged) -> None:
    """Write what was staged and note it, in the caller's transaction."""
    if staged.merge is None:
        return
    write_merge(con, staged.merge)
    con.execute(f"CREATE TABLE IF NOT EXISTS {LOG} ({', '.join(f'{c} {t}' for c, t in LOG_COLUMNS.items())})")
    if staged.report.entered or staged.report.left:
        con.execute(f"INSERT INTO {LOG} BY NAME FROM staged_changes")
    if staged.merge.whole or staged.merge.change.total:
        unpublish(con, project.audiences[name].entity)
    progress.record(con, step_name(name), {MADE_FROM: staged.version})


def step_name(name: str) -> str:
    """Step of an audience in the notes of progress."""
    return f"audiences/{name}"


def members_table(name: str) -> str:
    """Table (profile_id, since) of the members of an audience."""
    return f"audiences.{quote(name)}"


def sizes(con: Con, name: str) -> list[tuple[date, int]]:
    """Size of an audience at the end of each day on which it changed, from the log."""
    if not exists(con, LOG):
        return []
    return con.execute(
        f"""SELECT as_of, (sum(sum(CASE change WHEN 'entered' THEN 1 ELSE -1 END)) OVER (ORDER BY as_of))::BIGINT
        FROM {LOG} WHERE audience = ? GROUP BY as_of ORDER BY as_of""",
        [name],
    ).fetchall()


def _view_before(con: Con, name: str) -> str:
    table = members_table(name)
    body = f"FROM {table}" if exists(con, table) else "SELECT '' AS profile_id, NULL::DATE AS since WHERE false"
    con.execute(f"CREATE OR REPLACE TEMP VIEW members_before AS {body}")
    return "members_before"


def _stage_log(con: Con, name: str, before: str, as_of: date) -> AudienceReport:
    row = f"{literal(name)} AS audience, profile_id, '{{}}' AS change, DATE '{as_of}' AS as_of"
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE staged_changes AS "
        f"SELECT {row.format('entered')} FROM staged_members ANTI JOIN {before} USING (profile_id) "
        f"UNION ALL SELECT {row.format('left')} FROM {before} ANTI JOIN staged_members USING (profile_id)"
    )
    counts = dict(con.execute("SELECT change, count(*) FROM staged_changes GROUP BY change").fetchall())
    return AudienceReport(as_of, _count(con, "staged_members"), counts.get("entered", 0), counts.get("left", 0))


def _as_of(con: Con, entity: str) -> date | None:
    row = con.execute("SELECT as_of FROM ops.as_of WHERE entity = ?", [entity]).fetchone()
    return row[0] if row else None


def _size(con: Con, name: str) -> int:
    return _count(con, members_table(name)) if exists(con, members_table(name)) else 0


def _count(con: Con, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(row[0])
