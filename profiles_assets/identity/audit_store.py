"""Audits that were made: one row of numbers for every state of the stitched ids, and what changed between two."""

from dataclasses import dataclass, field
from datetime import date

import duckdb

from profiles_assets.identity import schema
from profiles_assets.identity.audit import Audit, compute_audit
from profiles_assets.identity.explain_read import Shown
from profiles_assets.identity.plan import step_name
from profiles_assets.project.project import Project
from resources import progress
from resources.lake import Lake
from resources.tables import columns, literal

Con = duckdb.DuckDBPyConnection
TABLE = "identity.audits"
NUMBERS = (
    *("ids", "stitched", "components", "blocked", "quarantined", "yielded"),
    *("profiles", "singletons", "largest", "conflicting"),
)
COLUMNS = {
    "entity": "VARCHAR",
    "seq": "BIGINT",
    "version": "VARCHAR",
    "as_of": "DATE",
    "logged": "BIGINT",
    **dict.fromkeys(NUMBERS, "BIGINT"),
}


@dataclass(frozen=True)
class AuditChange:
    """What changed since an earlier audit: its numbers, and the profiles created, merged, split and so on since."""

    as_of: date
    numbers: dict[str, int]
    logged: dict[str, int] = field(default_factory=dict)


def update_audit(lake: Lake, project: Project, entity: str, shown: Shown) -> tuple[Audit, AuditChange | None]:
    """Audit the ids as they are stitched now, and keep its numbers, once for each state of the ids."""
    step = f"identity_audit/{entity}"

    def compute(con: Con) -> tuple[Audit, AuditChange | None, bool]:
        audit = compute_audit(con, project, entity, shown)
        known = audit.as_of is None or progress.applied(con, step).get("all") == audit.version
        return audit, change_since(con, audit), known

    def write(con: Con, value: tuple[Audit, AuditChange | None, bool]) -> None:
        audit, _, known = value
        if not known:
            write_audit(con, audit)
            progress.record(con, step, {"all": audit.version})

    return lake.step(compute, write, [step_name(entity), step])[:2]


def write_audit(con: Con, audit: Audit) -> None:
    """Append the numbers of an audit, in the caller's transaction."""
    listed = ", ".join(f"{name} {type_}" for name, type_ in COLUMNS.items())
    con.execute(f"CREATE TABLE IF NOT EXISTS {TABLE} ({listed})")
    numbers = ", ".join(str(audit.numbers[name]) for name in NUMBERS)
    con.execute(
        f"INSERT INTO {TABLE} SELECT ?, coalesce(max(seq), 0) + 1, ?, ?, ?, {numbers} FROM {TABLE} WHERE entity = ?",
        [audit.entity, audit.version, audit.as_of, audit.logged, audit.entity],
    )


def change_since(con: Con, audit: Audit) -> AuditChange | None:
    """What changed since the newest audit of another state; None where there is none."""
    if not columns(con, TABLE):
        return None
    row = con.execute(
        f"SELECT as_of, logged, {', '.join(NUMBERS)} FROM {TABLE} WHERE entity = ? AND version <> ? "
        "ORDER BY seq DESC LIMIT 1",
        [audit.entity, audit.version],
    ).fetchone()
    if row is None:
        return None
    logged = con.execute(
        f"SELECT change, count(*) FROM {schema.view(con, 'identity_log')} WHERE entity = {literal(audit.entity)} "
        f"AND seq > {row[1]} GROUP BY change ORDER BY change"
    ).fetchall()
    return AuditChange(row[0], dict(zip(NUMBERS, row[2:], strict=True)), dict(logged))
