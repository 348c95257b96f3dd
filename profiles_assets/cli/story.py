"""What a demo tells at its end: numbers read back from the lake, against the simulated truth."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import duckdb

from profiles_assets.cli.execution import RunOutcome
from profiles_assets.profiles.rows import rows_table
from profiles_assets.profiles.table import view_name
from profiles_assets.project.funnels import REPORT
from profiles_assets.project.project import Project
from profiles_assets.simulator import score_pairs
from resources.lake import Lake
from resources.tables import exists, quote

Con = duckdb.DuckDBPyConnection
Facts = dict[str, Any]
WRITING = ("inserted", "updated", "deleted", "entered", "left")
COUNTS = ("records", "loaded", "rejected", "duplicates")
BACKTEST = """
    SELECT metric, avg(value) FROM ops.backtests
    WHERE prediction = ? AND model_id = ? AND model = ? GROUP BY 1 ORDER BY 1"""
SOMEONE = """
    SELECT ids['email'][1] FROM {} WHERE len(ids['email']) > 0
    ORDER BY cardinality(ids) DESC, len(flatten(map_values(ids))) DESC, profile_id LIMIT 1"""


def gather(lake: Lake, project: Project, outcomes: list[RunOutcome]) -> Facts:
    """Facts of a demo run, read from the lake and from what the runs reported."""
    truth, entity = project.root / "truth", next(iter(project.entities))
    with lake.get_connection() as con:
        return {
            "events": event_counts(con, truth),
            "people": people_found(con, truth),
            "predictions": backtests(con, project),
            "changes": changes(con, project, outcomes),
            "warnings": [warning for outcome in outcomes for warning in outcome.warnings],
            "someone": str(_one(con, SOMEONE.format(view_name(entity, personal=True)))[0]),
        }


def event_counts(con: Con, truth: Path) -> Facts:
    """Totals over all files, rejects by reason, and whether they equal what the simulator planted."""
    totals = {
        source: dict(zip(COUNTS, counts, strict=True))
        for source, *counts in con.execute(
            f"SELECT source, {', '.join(f'sum({name})::BIGINT' for name in COUNTS)} FROM ops.files GROUP BY source"
        ).fetchall()
    }
    reasons = con.execute("SELECT reason, count(*) FROM ops.rejects GROUP BY 1 ORDER BY 2 DESC, 1").fetchall()
    planted = json.loads((truth / "counts.json").read_text())["totals"]
    totals = {source: counts for source, counts in totals.items() if source in planted}
    summed = {name: sum(counts[name] for counts in totals.values()) for name in COUNTS}
    as_planted = totals == {source: _planted(counts) for source, counts in planted.items()}
    return summed | {"reasons": dict(reasons), "as_planted": as_planted}


def people_found(con: Con, truth: Path) -> Facts:
    """Profiles, ids and how well they agree with who is who."""
    score = score_pairs(con.sql("SELECT id_type, value, profile_id FROM identity.stitched_ids").to_arrow_table(), truth)
    names = ("profiles", "ids", "quarantined")
    counts = _one(
        con,
        "SELECT count(DISTINCT profile_id), count(*), count(*) FILTER (status IN ('hub', 'bridge')) "
        "FROM identity.stitched_ids",
    )
    return dict(zip(names, counts, strict=True)) | asdict(score)


def backtests(con: Con, project: Project) -> Facts:
    """Champion of each prediction and its mean metrics over the backtest's dates."""
    if not exists(con, "ops.models"):
        return {}
    rows = con.execute("SELECT prediction, model_id, champion FROM ops.models WHERE current AND champion IS NOT NULL")
    return {
        name: {"champion": champion, "metrics": dict(con.execute(BACKTEST, [name, model, champion]).fetchall())}
        for name, model, champion in rows.fetchall()
        if name in project.predictions
    }


def changes(con: Con, project: Project, outcomes: list[RunOutcome]) -> Facts:
    """Rows that the runs wrote, of all rows, for each table along the path."""
    written: dict[str, int] = {}
    for outcome in outcomes:
        for asset, numbers in outcome.changes.items():
            written[asset] = written.get(asset, 0) + _written(numbers)
    return {
        asset: {"written": count, "rows": _one(con, f"SELECT count(*) FROM {table}")[0]}
        for asset, count in written.items()
        if (table := _table(project, asset))
    }


def _planted(counts: dict[str, int]) -> dict[str, int]:
    rejected = counts["malformed"] + counts["dated_1970"] + counts["dated_2090"]
    sums = (counts["lines"], counts["lines"] - rejected, rejected, counts["duplicates"])
    return dict(zip(COUNTS, sums, strict=True))


def _written(numbers: dict[str, int]) -> int:
    changed = sum(n for name, n in numbers.items() if name.rpartition("/")[2] in WRITING)
    return changed or numbers.get("loaded", 0) or numbers.get("tuples", 0)


def _table(project: Project, asset: str) -> str:
    stage, _, name = asset.partition("/")
    if stage in ("id_edges", "stitched_ids"):
        return f"identity.{stage}"
    if (
        not name
        or stage == "functions"
        or asset.endswith(REPORT)
        or (stage == "predictions" and name not in project.predictions)
    ):
        return ""
    return rows_table(name) if stage == "profiles" else f"{stage}.{quote(name)}"


def _one(con: Con, query: str) -> tuple[Any, ...]:
    return con.execute(query).fetchone() or (None,)
