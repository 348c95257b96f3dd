"""A small project with profile functions, and the lake they run in."""

import json
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from profiles_assets.events.load import load_events
from profiles_assets.functions.run import FunctionReport, update_function
from profiles_assets.functions.versions import publish
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from resources.lake import Lake
from tests.events.shop import OpenLake

START = date(2025, 1, 1)
FILES = {
    "project.yml": """\
name: world
entities:
  user:
    ids: {user_id: {}, email: {normalise: email, pii: mask}, anonymous_id: {}}
""",
    "sources.yml": """\
sources:
  web:
    files: landing/{day}/*.jsonl
    time: at
    event: event
    event_id: id
    ids: {user_id: userId, email: mail, anonymous_id: anonymousId}
    identify_traits: traits
  orders:
    files: orders/{day}/*.csv
    time: at
    event_is: order_completed
    event_id: id
    ids: {user_id: user}
""",
}
COUNTS = """\
def profile(events, user, context):
    counts = {}
    for event in events:
        counts[event["event"]] = counts.get(event["event"], 0) + 1
    return {"traits": counts}
"""


@dataclass
class World:
    """The project folder and its lake; `open` keeps one connection for speed."""

    root: Path
    open: bool = True
    lake: Lake = field(init=False)

    def __post_init__(self) -> None:
        self.reopen()
        for name, text in FILES.items():
            self.write(name, text)

    @property
    def project(self) -> Project:
        return load_project(self.root)

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def function(self, name: str, code: str) -> None:
        self.write(f"functions/{name}.py", code)

    def land(self, day: int, *events: dict[str, Any]) -> None:
        """Put events into the file of a day, and bring people up to them."""
        folder = f"landing/{(START + timedelta(days=day)).isoformat()}/a.jsonl"
        self.write(folder, "".join(json.dumps(event) + "\n" for event in events))

    def land_orders(self, day: int, *rows: Sequence[object]) -> None:
        lines = ["id,at,user,total", *(",".join(map(str, row)) for row in rows)]
        self.write(f"orders/{(START + timedelta(days=day)).isoformat()}/a.csv", "\n".join(lines) + "\n")

    def stitch(self) -> None:
        self.reopen()
        project = self.project
        for source in project.sources:
            load_events(self.lake, project, source)
        update_evidence(self.lake, project)
        update_stitched(self.lake, project, "user")

    def publish(self, name: str, version: int | None = None) -> int:
        return publish(self.lake, self.project, name, version)

    def run(self, name: str, **options: Any) -> FunctionReport:
        # one connection cannot commit while it streams
        with patch("profiles_assets.functions.run.SECONDS_OF_COMMIT", 1e9) if self.open else nullcontext():
            return update_function(self.lake, self.project, name, **{"workers": 1, **options})

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.lake.get_connection() as con:
            return con.execute(sql).fetchall()

    def rows(self, name: str) -> dict[str, Any]:
        """Traits of a function by user id (or profile id where there is none)."""
        found = self.query(
            f"SELECT coalesce(u.value, f._person), f.traits FROM functions.{name} f LEFT JOIN identity.stitched_ids u "
            "ON u.profile_id = f._person AND u.id_type = 'user_id'"
        )
        return {who: json.loads(traits) for who, traits in sorted(found)}

    def errors(self, name: str) -> dict[str, tuple[str, str]]:
        """Kind and text of the errors of a function by user id."""
        found = self.query(
            "SELECT u.value, e.kind, e.error FROM ops.function_errors e JOIN identity.stitched_ids u "
            f"ON u.profile_id = e._person AND u.id_type = 'user_id' WHERE e.function = '{name}'"
        )
        return {who: (kind, error) for who, kind, error in sorted(found)}

    def reopen(self) -> None:
        """A fresh connection, without the temporary tables of what ran before."""
        if hasattr(self, "lake"):
            self.close()
        self.lake = (OpenLake if self.open else Lake)(root=str(self.root / ".lake"), threads=1)

    def close(self) -> None:
        if isinstance(self.lake, OpenLake):
            self.lake.close()


def event(day: int, number: int, user: str | None, name: str = "viewed", **more: Any) -> dict[str, Any]:
    """An event of a user in a minute of a day."""
    at = datetime.combine(START, datetime.min.time()) + timedelta(days=day, minutes=number)
    who = {"userId": user} if user else {}
    return {"id": f"{day}-{number}-{user}", "at": at.isoformat() + "Z", "event": name} | who | more
