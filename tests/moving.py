"""A small project over files that come, change and go, and the lake in which it is refreshed without Dagster."""

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from profiles_assets.events.load import load_events
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.owners import update_owners
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.profiles.table import update_profiles
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from profiles_assets.traits.evaluate import update_section
from resources.lake import Con
from resources.tables import Change, exists
from tests.events.shop import OpenLake

START = date(2025, 1, 1)
PROJECT = """\
name: moving
entities:
  user:
    ids: {user_id: {}, email: {normalise: email}, device_id: {}}
"""
SOURCES = """\
sources:
  web:
    files: landing/{day}/*.jsonl
    time: at
    event: event
    event_id: id
    ids: {user_id: user, email: mail, device_id: device}
    identify_traits: traits
    types: {total: number, city: text}
"""
TRAITS = """\
traits:
  orders: {count: bought}
  orders_2d: {count: bought, within: 2 days}
  spend: {sum: bought.total}
  spend_3d: {sum: bought.total, within: 3 days, where: {city: "is not empty"}}
  average_3d: {average: bought.total, within: 3 days}
  largest: {max: bought.total}
  smallest_2d: {min: bought.total, within: 2 days}
  first_city: {first: bought.city}
  city: {latest: bought.city}
  city_3d: {latest: bought.city, within: 3 days}
  favourite: {most_frequent: bought.city}
  cities_3d: {unique: bought.city, within: 3 days}
  days: {days_with: viewed}
  since: {days_since: viewed}
  seen: {exists: viewed, within: 4 days}
  weekend: {sql: "count(*) filter (where total > 5)", from: bought, type: integer}
  per_order: {ratio: [spend, orders]}
"""
TABLES = (
    "raw_events.web", "identity.stitched_ids", "identity.tuple_owners", "states.facts", "entity_vars.facts",
    "profiles.user_rows",
)  # fmt: skip


@dataclass
class Moving:
    """The project folder and its lake."""

    root: Path
    traits: str = TRAITS
    lake: OpenLake = field(init=False)

    def __post_init__(self) -> None:
        self.lake = OpenLake(root=str(self.root / ".lake"), threads=1)
        self.write(self.traits)

    def write(self, traits: str) -> None:
        """Declare traits."""
        files = {"project.yml": PROJECT, "sources.yml": SOURCES, "traits/facts.yml": traits}
        for name, text in files.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        self.__dict__.pop("project", None)

    @cached_property
    def project(self) -> Project:
        return load_project(self.root)

    def put(self, day: int, file: str, events: list[dict[str, Any]] | None) -> None:
        """Make the content of a landing file; None takes it away."""
        path = self.root / "landing" / (START + timedelta(day)).isoformat() / f"{file}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        if events is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text("".join(json.dumps(event) + "\n" for event in events))

    def refresh(self) -> dict[str, Change]:
        """Load and bring everything up to date; what that changed."""
        load_events(self.lake, self.project, "web", allow_shrink=True)
        update_evidence(self.lake, self.project)
        update_stitched(self.lake, self.project, "user")
        owners = update_owners(self.lake, self.project, "user").change
        traits = update_section(self.lake, self.project, "facts").change
        return {"owners": owners, "traits": traits, "profiles": update_profiles(self.lake, self.project, "user").change}

    def rebuild(self) -> dict[str, Change]:
        """Make owners, states, traits and profiles from all there is, in place; what that changed."""
        self.lake.write(_forget)
        return self.refresh()

    def tables(self) -> dict[str, list[str]]:
        """All rows of the tables, sorted."""
        with self.lake.get_connection() as con:
            there = [name for name in TABLES if exists(con, name)]
            return {name: sorted(map(str, con.execute(f"FROM {name}").fetchall())) for name in there}


def _forget(con: Con) -> None:
    con.execute(
        "DELETE FROM ops.progress WHERE step[:12] IN ('tuple_owners', 'entity_vars/') OR step[:9] = 'profiles/'"
    )


def event(number: int, day: int, kind: str, late: int = 0, **more: Any) -> dict[str, Any]:
    """An event of a load day, some days before it."""
    at = START + timedelta(day - late)
    return {"id": f"e{number}", "at": f"{at}T{number % 24:02}:00:00Z", "event": kind} | more
