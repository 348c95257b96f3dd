"""A small project with everything that an erasure must reach, and the lake it is built in."""

import json
import shutil
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from profiles_assets.cli.erase_steps import Erasing, Report
from profiles_assets.events.load import load_events
from profiles_assets.events.reconcile import reconcile
from profiles_assets.events.suppression import TABLES
from profiles_assets.path import refresh
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from resources.purge_scan import Place, scan_for
from tests.events.shop import OpenLake

TODAY = date(2025, 3, 1)
EMAIL, RAW, USER, PHONE = "eva.hidden@home.example", " Eva.Hidden@Home.example ", "user-eva-77", "device-eva-9"
VALUES = [EMAIL, USER, PHONE]
NAMED = {"profile_id", "profile_key", "retired_id", "component", "known", "model_id", "signature"}
OWN = {"ops.erasures", "ops.progress", "ops.publications", "identity.identity_log", "audiences.log"}
FILES = {
    "project.yml": """\
name: town
entities:
  user:
    ids: {user_id: {}, email: {normalise: email}, device_id: {}}
""",
    "sources.yml": """\
sources:
  web:
    files: landing/web/{day}/*.jsonl
    time: at
    event: event
    event_id: id
    events: [bought, viewed]
    ids: {user_id: user, email: ctx.mail, device_id: device}
    identify_traits: traits
    pii: [note]
    types: {total: number, city: text, friend: text}
  crm:
    kind: records
    key: no
    files: landing/crm/{day}/*.csv
    time: changed
    ids: {user_id: user, email: mail}
    types: {tier: text}
  lines:
    model: lines
    time: time
    event_is: line
    ids: {device_id: device_id}
    types: {mail: text}
""",
    "models/lines.sql": "SELECT time, device_id, email AS mail, total FROM web WHERE event = 'bought'",
    "models/mails.sql": "SELECT email, count(*) AS events FROM web WHERE email IS NOT NULL GROUP BY email",
    "traits/facts.yml": """\
traits:
  spend: {sum: bought.total}
  city: {latest: bought.city}
  friend: {latest: bought.friend}
  tier: {latest: crm.tier}
  mails: {unique: line.mail}
""",
    "metrics/all.yml": "metrics:\n  revenue: {sum: bought.total}\n",
    "funnels/all.yml": "funnels:\n  buying: {steps: [viewed, bought]}\n",
    "audiences/all.yml": 'audiences:\n  buyers: {all: [{spend: "> 0"}]}\n',
    "views/all.yml": "views:\n  by_email: {key: email}\n",
}


def event(number: int, day: int, name: str = "viewed", /, **more: Any) -> dict[str, Any]:
    return {"id": f"e{number}", "at": f"2025-01-{day:02}T10:{number % 60:02}:00Z", "event": name} | more


def web() -> dict[int, list[Any]]:
    """Records of the site by day of January; Eva is in most of them, in several ways."""
    eva: dict[str, Any] = {"user": USER, "ctx": {"mail": RAW, "lang": "de"}}
    others = [event(d * 100 + n, d, "bought", user=f"u{n}", total=n, city="Oslo") for d in (1, 2, 3) for n in range(6)]
    shared = event(31, 2, "bought", user="u3", device="kiosk-1", total=7.5)
    return {
        1: [*others[:6], event(1, 1, **eva), event(2, 1, "bought", **eva, total=20, traits={"name": "Evangelina"})],
        2: [
            *others[6:12],
            event(3, 2, "bought", user=USER, device=PHONE, total=5, city="Rome", note="door code 17"),
            event(2, 2, "bought", user="u2", total=20),  # repeats an event of Eva's
            event(4, 2, device="kiosk-1", user=USER),
            shared,
            event(5, 2, "bought", user="u1", total=3, friend=EMAIL.upper()),  # tells Eva's address
            event(6, 2, "bought", user="u4", total=4, tags=["a", f"x {EMAIL}"]),
            event(7, 2, user="u5", **{EMAIL: 1}),
            {"id": "r1", "at": "tomorrow", "event": "viewed", "user": USER},
            f'{{"id": "r2", "user": "{USER}", "mail": "{EMAIL}',
            '{"id": "r3", broken',
        ],
        3: [*others[12:], event(8, 3, device=PHONE), event(9, 3, user="null", ctx={"mail": RAW})],
    }


@dataclass
class Town:
    """The project folder and its lake."""

    root: Path
    lake: OpenLake = field(init=False)

    def __post_init__(self) -> None:
        self.lake = OpenLake(root=str(self.root / ".lake"), threads=1)

    @cached_property
    def project(self) -> Project:
        return load_project(self.root)

    def copy(self, root: Path) -> "Town":
        self.lake.close()
        self.lake = OpenLake(root=str(self.root / ".lake"), threads=1)
        return Town(Path(shutil.copytree(self.root, root)))

    def build(self) -> None:
        """Load all files, and all that follows."""
        for name, source in self.project.sources.items():
            if source.files:
                load_events(self.lake, self.project, name)
        refresh(self.lake, self.project)

    def erase(self, *who: str, mode: str = "erase", verify: bool = False) -> Report:
        erasing = Erasing(self.lake, self.project, self.root / ".dagster", verify)
        return erasing.run(who, mode, TODAY)

    def scan(self, *values: str) -> list[Place]:
        return scan_for(self.lake, values or VALUES)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.lake.get_connection() as con:
            return con.execute(sql).fetchall()

    def contents(self) -> dict[str, list[str]]:
        """Sorted rows of every table, without the names of profiles and what only an erasure notes."""
        names = self.query(
            "SELECT schema_name || '.' || table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() "
            "JOIN duckdb_tables() t USING (database_name, schema_name, table_name) "
            "WHERE database_name = 'lake' GROUP BY 1"
        )
        found = {}
        for table, columns in names:
            schema, _, name = table.partition(".")
            kept = ", ".join(f'"{c}"' for c in columns if c not in NAMED)
            if table not in OWN and kept:
                rows = self.query(f'SELECT {kept} FROM "{schema}"."{name}" ORDER BY ALL')
                found[table] = [str(row) for row in rows]
        return found

    def reconciles(self) -> bool:
        with self.lake.get_connection() as con:
            sums = [reconcile(con, name) for name in self.project.sources]
        noted = all(n["records"] == n["rows"] + n["rejects"] + n["suppressed"] for n in sums)
        return noted and all((n["loaded"], n["duplicates"]) == (n["rows"], n["flagged"]) for n in sums)


def land(root: Path) -> Town:
    """Write the project and its landing files."""
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    for day, records in web().items():
        folder = root / f"landing/web/2025-01-{day:02}"
        folder.mkdir(parents=True)
        lines = [one if isinstance(one, str) else json.dumps(one) for one in records]
        (folder / "a.jsonl").write_text("".join(line + "\n" for line in lines))
        crm = [f"{n},u{n},,gold,2025-01-{day:02}" for n in range(day, 4)] + [f"77,{USER},{EMAIL},gold,2025-01-{day:02}"]
        (root / f"landing/crm/2025-01-{day:02}").mkdir(parents=True)
        (root / f"landing/crm/2025-01-{day:02}/a.csv").write_text("no,user,mail,tier,changed\n" + "\n".join(crm) + "\n")
    return Town(root)


def replayed(place: Town, root: Path) -> Town:
    """The same files loaded into a new lake that knows who was erased, and nothing else."""
    fresh = Town(Path(shutil.copytree(place.root, root, ignore=shutil.ignore_patterns(".lake"))))
    known = {t: place.query(f"FROM {t}") for t in ("ops.salt", "identity.suppressions", "identity.suppressed_records")}

    def write(con: Any) -> None:
        for table, columns in TABLES.items():
            con.execute(f"CREATE TABLE {table} ({columns})")
            for row in known[table]:
                con.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", list(row))

    fresh.lake.write(write)
    fresh.build()
    return fresh
