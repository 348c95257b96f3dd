"""The steps of an erasure after it has begun, each of which may be cut short and done again."""

import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from profiles_assets.events.cleaning import TELLING
from profiles_assets.identity import erasure
from profiles_assets.identity.erasure import DONE, PURGING, UPDATING, Erasure
from profiles_assets.identity.erasure_person import ErasureError
from profiles_assets.identity.erasure_tables import left_over
from profiles_assets.path import refresh
from profiles_assets.project.project import Project
from resources.lake import Lake
from resources.purge import expire_snapshots, purge
from resources.purge_scan import byte_pattern, in_bytes, scan_for

FOLDER = "erasures"
Report = dict[str, Any]
OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Erasing:
    """Where erasures happen, and whether to search everything for the values before and after."""

    lake: Lake
    project: Project
    dagster_home: Path
    verify: bool = False

    def run(self, who: Sequence[str], mode: str, day: date, on_step: OnStep = lambda _: None) -> Report:
        """Erase people from beginning to end. Raises ErasureError."""
        before = None
        if self.verify:
            on_step("searching for the values")
            found = erasure.find(self.lake, self.project, who, mode)
            before = len(scan_for(self.lake, sought(found.values), also=[self.dagster_home]))
        on_step("deleting")
        made, found = erasure.begin(self.lake, self.project, who, mode, day)
        report = self.finish(made, on_step, found.values, found.keys)
        report["elsewhere"] = self.elsewhere(found.values)
        if before is not None:
            on_step("searching for the values again")
            after = scan_for(self.lake, sought(found.values), also=[self.dagster_home])
            report["verified"] = {"before": before, "after": [asdict(place) for place in after]}
        return report

    def finish(self, one: Erasure, on_step: OnStep, values: Collection[str] = (), keys: Collection[int] = ()) -> Report:
        """Do what is left of an erasure. Raises ErasureError where a table still tells one of the values."""
        report = dict(one.report)
        if one.status == UPDATING:
            refresh(self.lake, self.project, lambda step: on_step(f"updating {step}"))
            self._require_gone(values, keys)
            one = erasure.set_status(self.lake, one, PURGING, report)
        report["purge"] = purge(self.lake, on_step).to_json()
        erasure.set_status(self.lake, one, DONE, report)
        expire_snapshots(self.lake)  # readers see that it is done
        return report | {"number": one.number, "day": one.day.isoformat(), "mode": one.mode, "elsewhere": []}

    def _require_gone(self, values: Collection[str], keys: Collection[int]) -> None:
        with self.lake.get_connection() as con:
            left = left_over(con, values, keys)
        if left:
            places = "; ".join(f"{one.table}, column {one.column}: {one.rows} rows" for one in left)
            raise ErasureError(
                f"not finished: these still tell the person, and nothing known makes them from events: {places}. "
                "Delete them, then run: profiles erase"
            )

    def elsewhere(self, values: Collection[str]) -> list[str]:
        """Places beside the lake that tell one of the values: manual rules of the project, Dagster's own records."""
        pattern = byte_pattern(sought(values))
        rules = [path for path in sorted(self.project.root.glob("rules*")) if path.is_file()]
        found = [f"{path.name} of the project names an id; take it out" for path in rules if in_bytes(path, pattern)]
        home = [path for path in sorted(self.dagster_home.rglob("*")) if path.is_file()]
        told = [path for path in home if in_bytes(path, pattern)]
        return found + [f"Dagster's {path.relative_to(self.dagster_home)} tells a value" for path in told]


def sought(values: Collection[str]) -> list[str]:
    """Values long enough to tell a person when they turn up somewhere."""
    return sorted(value for value in values if len(value) >= TELLING)


def save(lake: Lake, report: Report) -> Report:
    """Write a report, which has no values, into the lake's folder; returns it with the name of the file."""
    folder = Path(lake.root) / FOLDER
    folder.mkdir(exist_ok=True)
    file = folder / f"{report['day']}-{report['number']}.json"
    file.write_text(json.dumps(report, indent=2, ensure_ascii=False))
    return report | {"file": str(file)}
