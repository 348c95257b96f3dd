"""A small project with metrics, audiences and feature views, and the lake it is built in."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from profiles_assets.events.load import load_events
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.profiles.audiences import AudienceReport, update_audience
from profiles_assets.profiles.table import update_profiles
from profiles_assets.profiles.views import ViewReport, update_view
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from profiles_assets.traits.evaluate import update_section
from profiles_assets.traits.evaluate_metrics import MetricReport, update_metric
from resources.lake import Lake, snapshot_number
from tests.events.shop import OpenLake

START = date(2025, 1, 1)
FILES = {
    "project.yml": """\
name: town
entities:
  user:
    ids: {user_id: {}, email: {normalise: email, pii: mask}, device_id: {}}
""",
    "sources.yml": """\
sources:
  web:
    files: landing/{day}/*.jsonl
    time: at
    event: event
    event_id: id
    events: [bought, viewed, opened]
    ids: {user_id: user, email: mail, device_id: device}
    types: {total: number, city: text}
""",
    "traits/facts.yml": """\
traits:
  spend: {sum: bought.total}
  orders: {count: bought}
  city: {latest: bought.city, pii: true}
  place: {percentile: revenue}
  tier: {bucket: revenue, at: [p50], labels: [light, heavy]}
""",
    "metrics/all.yml": """\
owner: finance
metrics:
  revenue: {sum: bought.total, title: Revenue, unit: EUR}
  visits: {count: viewed, within: 7 days}
  basket: {average: bought.total}
""",
    "audiences/all.yml": """\
audiences:
  buyers: {all: [{spend: "> 0"}]}
  good: {all: [buyers, {tier: heavy}], title: Good customers}
  lookers: {none: [buyers], description: Have bought nothing yet}
""",
    "views/all.yml": """\
views:
  by_email: {key: email}
  by_device: {key: device_id, traits: [spend, city, good], personal: true}
""",
}


def open_lake(root: Path) -> OpenLake:
    """The lake of a folder, on a connection that opens when it is first used."""
    return OpenLake(root=str(root / ".lake"), threads=1)


@dataclass
class Town:
    """The project folder and its lake."""

    root: Path
    lake: OpenLake = field(init=False)

    def __post_init__(self) -> None:
        self.lake = open_lake(self.root)
        for name, text in FILES.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)

    @cached_property
    def project(self) -> Project:
        return load_project(self.root)

    def copy(self, root: Path) -> "Town":
        """The same town and all that was built, in another folder."""
        self.lake.close()
        self.lake = open_lake(self.root)
        return Town(Path(shutil.copytree(self.root, root, dirs_exist_ok=True)))

    def land(self, day: int, *events: dict[str, Any]) -> None:
        """Put events into the file of a day."""
        folder = self.root / "landing" / (START + timedelta(days=day)).isoformat()
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "a.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))

    def build_profiles(self) -> dict[str, MetricReport]:
        """Everything up to the profiles; the reports of metrics."""
        project = self.project
        load_events(self.lake, project, "web")
        update_evidence(self.lake, project)
        update_stitched(self.lake, project, "user")
        for section in project.sections:
            update_section(self.lake, project, section)
        reports = {name: update_metric(self.lake, project, name) for name in project.metrics}
        update_profiles(self.lake, project, "user")
        return reports

    def last_steps(self) -> dict[str, Callable[[Lake, Project, str], AudienceReport | ViewReport]]:
        """Names of audiences and views, each with the function that updates it."""
        project = self.project
        return {**dict.fromkeys(project.audiences, update_audience), **dict.fromkeys(project.views, update_view)}

    def run(self) -> dict[str, MetricReport | AudienceReport | ViewReport]:
        """All steps in order; the reports of metrics, audiences and views."""
        metrics, project = self.build_profiles(), self.project
        return {**metrics, **{name: update(self.lake, project, name) for name, update in self.last_steps().items()}}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.lake.get_connection() as con:
            return con.execute(sql).fetchall()

    def published(self, sql: str) -> list[tuple[Any, ...]]:
        """The same from the published snapshot."""
        with self.lake.read() as con:
            return con.execute(sql).fetchall()

    def snapshot(self) -> int:
        with self.lake.get_connection() as con:
            return snapshot_number(con)


def event(day: int, number: int, name: str, **more: Any) -> dict[str, Any]:
    """An event at an hour of a day, with ids and properties."""
    at = datetime.combine(START, datetime.min.time()) + timedelta(days=day, hours=number)
    return {"id": f"{day}-{number}", "at": at.isoformat() + "Z", "event": name} | more
