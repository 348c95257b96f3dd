"""What a demo tells at its end: numbers read back from the lake, against the simulated truth."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import duckdb

from profiles_assets.cli.execution import RunOutcome
from profiles_assets.profiles.table import view_name
from profiles_assets.project.project import Project
from profiles_assets.simulator import score_pairs
from resources.lake import Lake
from resources.tables import exists

Con = duckdb.DuckDBPyConnection
COUNTS = ("records", "loaded", "rejected", "duplicates")


@dataclass(frozen=True)
class Story:
    """Facts of a demo run, and how to say them."""

    facts: dict[str, Any]

    def lines(self, day_after: bool) -> list[str]:
        """The story in a few lines of text."""
        parts = [self._events(), self._people(), self._predictions(), self._checks()]
        if day_after:
            parts.insert(0, self._changes())
        return [line for part in parts for line in part] + self._next()

    def _events(self) -> list[str]:
        e = self.facts["events"]
        true = "as planted" if e["agrees_with_truth"] else "[red]NOT as planted[/red]"
        return [
            f"[bold]Events[/bold]       {e['records']:,} records: {e['loaded']:,} loaded ({e['duplicates']:,} of them duplicates), "
            f"{e['rejected']:,} rejected; every one accounted for, {true}",
            *(f"             rejected: {count:,} × {reason}" for reason, count in e["reasons"].items()),
        ]

    def _people(self) -> list[str]:
        p = self.facts["people"]
        return [
            f"[bold]People[/bold]       {p['profiles']:,} profiles from {p['ids']:,} ids, {p['quarantined']:,} ids quarantined as shared",
            f"             pairwise precision {p['precision']:.5f}, recall {p['recall_connected']:.5f} over ids that evidence "
            f"connects without a shared device ({p['recall_raw']:.5f} raw)",
        ]

    def _predictions(self) -> list[str]:
        return [
            f"[bold]{name:<12}[/bold] {p['champion']}, backtest: "
            + ", ".join(f"{m} {v:,.4g}" for m, v in p["metrics"].items())
            for name, p in self.facts["predictions"].items()
        ]

    def _changes(self) -> list[str]:
        return [
            "[bold]One more day[/bold] rows rewritten, of all:",
            *(
                f"             {name:<28} {c['changed']:>9,} of {c['rows']:>9,}"
                for name, c in self.facts["changes"].items()
            ),
        ]

    def _checks(self) -> list[str]:
        warned = self.facts["warnings"]
        return [f"[bold]Checks[/bold]       {'all hold' if not warned else '; '.join(warned)}"]

    def _next(self) -> list[str]:
        return [
            "",
            "Look next:   [bold]make ui[/bold] for the asset graph",
            f"             [bold].venv/bin/profiles show email:{self.facts['someone']}[/bold]",
        ]


def tell(lake: Lake, project: Project, outcomes: list[RunOutcome]) -> Story:
    """Read the facts of the story from the published lake."""
    with lake.get_connection() as con:
        facts = {
            "events": event_counts(con, project.root / "truth"),
            "people": people_found(con, project.root / "truth"),
            "predictions": backtests(con, project),
            "changes": {},
            "warnings": [w for outcome in outcomes for w in outcome.warnings],
            "someone": someone(con, next(iter(project.entities))),
        }
    return Story(facts)


def event_counts(con: Con, truth: Path) -> dict[str, Any]:
    """Totals over all files, rejects by reason, and whether they equal what the simulator planted."""
    sums = ", ".join(f"sum({name})::BIGINT" for name in COUNTS)
    totals = dict(zip(COUNTS, _one(con, f"SELECT {sums} FROM ops.files"), strict=True))
    reasons = con.execute("SELECT reason, count(*) FROM ops.rejects GROUP BY 1 ORDER BY 2 DESC, 1").fetchall()
    planted = json.loads((truth / "counts.json").read_text())["totals"]
    expected = sum(source["lines"] for source in planted.values())
    return totals | {"reasons": dict(reasons), "agrees_with_truth": expected == totals["records"]}


def people_found(con: Con, truth: Path) -> dict[str, Any]:
    """Profiles, ids and how well they agree with who is who."""
    score = score_pairs(con.sql("SELECT id_type, value, profile_id FROM identity.stitched_ids").to_arrow_table(), truth)
    profiles, ids, quarantined = _one(
        con,
        "SELECT count(DISTINCT profile_id), count(*), count(*) FILTER (status IN ('hub', 'bridge')) FROM identity.stitched_ids",
    )
    return {"profiles": profiles, "ids": ids, "quarantined": quarantined} | asdict(score)


def backtests(con: Con, project: Project) -> dict[str, Any]:
    """Champion of each prediction and its mean backtest metrics."""
    found = {}
    for name in project.predictions:
        if not exists(con, "predictions.models"):
            continue
        row = con.execute(
            "SELECT champion, model_id FROM predictions.models WHERE prediction = ? ORDER BY as_of DESC",
            [name],
        ).fetchone()
        if row:
            metrics = con.execute(
                "SELECT metric, avg(value) FROM predictions.backtests WHERE prediction = ? AND model_id = ? AND model = ? GROUP BY 1 ORDER BY 1",
                [name, row[1], row[0]],
            ).fetchall()
            found[name] = {"champion": row[0], "metrics": dict(metrics)}
    return found


def someone(con: Con, entity: str) -> str:
    """E-mail address of a person worth looking at: a busy one with several ids."""
    row = con.execute(
        f"SELECT ids['email'][1] FROM {view_name(entity)} WHERE len(ids['email']) > 0 "
        "ORDER BY cardinality(ids) DESC, len(map_values(ids)) DESC, last_seen DESC, profile_id LIMIT 1"
    ).fetchone()
    return str(row[0]) if row else "…"


def _one(con: Con, query: str) -> tuple[Any, ...]:
    row = con.execute(query).fetchone()
    assert row is not None
    return row
