"""A small world for tests: raw events in an in-memory database, and the identity stages run on it."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa

from profiles_assets.identity import evidence
from profiles_assets.identity.erasure_evidence import advance_evidence, stage_evidence, write_evidence, write_records
from profiles_assets.identity.evidence import EvidenceReport, compute_evidence
from profiles_assets.identity.schema import create_tables
from profiles_assets.identity.stitch import StitchReport, compute_stitched, write_stitched
from profiles_assets.project.entities import Entity
from profiles_assets.project.project import Project
from profiles_assets.project.rules import Ruling
from profiles_assets.project.sources import Source
from resources import progress
from resources.lake import create_foundations, transaction
from tests.oracles.identity import Guards, Node, Row, node_key, tuple_key, with_ends

Con = duckdb.DuckDBPyConnection
START = date(2024, 1, 1)
SOURCES = ("web", "app")
RECORDS = "crm"
TYPES = ("user_id", "email", "device_id", "anonymous_id")


def day(number: int) -> date:
    """The n-th load day."""
    return START + timedelta(days=number)


def row(
    number: int,
    *ids: str,
    source: str = "web",
    late: int = 0,
    minute: int = 0,
    duplicate: bool = False,
    key: str = "",
) -> Row:
    """Row of load day `number` with ids such as `email:a@x`, of an event `late` days after (or before) it.

    With a `key` it is a version of that record.
    """
    source = RECORDS if key else source
    nodes = sorted((tuple(i.split(":", 1)) for i in ids), key=lambda n: TYPES.index(n[0]))
    event_day = day(number + late)
    time = datetime.combine(event_day, datetime.min.time()) + timedelta(minutes=minute)
    return Row(source, day(number), event_day, time, tuple((t, v) for t, v in nodes), duplicate, key)


Told = tuple[str, tuple[Node, ...]]


def make_project(entity: Entity, sources: Iterable[str] = (*SOURCES, RECORDS), rules: Iterable[Told] = ()) -> Project:
    """Project with one entity, sources that have all its ids, and manual rules."""
    common = {"files": "x/{day}/*.jsonl", "time": "t", "event_is": "e", "ids": {t: t for t in entity.ids}}
    kinds = {s: {"kind": "records", "key": "k"} if s == RECORDS else {} for s in sources}
    made = {s: Source.model_validate(common | kind) for s, kind in kinds.items()}
    rulings = [Ruling("user", action, *ids) for action, ids in rules]  # type: ignore[arg-type]
    return Project(root=Path(), name="test", entities={"user": entity}, sources=made, rules=rulings)


def guards_of(entity: Entity, rules: Iterable[Told] = ()) -> Guards:
    """The entity's rules in the words of the oracle."""
    caps = {t: entity.max_per_profile(t) for t in entity.ids}
    bridged = {t: entity.max_bridged(t) for t in entity.ids}
    return Guards(
        tuple(entity.ids),
        frozenset(t for t in entity.ids if entity.is_weak(t)),
        {t: cap for t, cap in caps.items() if cap is not None},
        {(t, other): n for t in entity.ids for other, n in entity.max_linked(t).items()},
        {t: n for t, n in bridged.items() if n is not None},
        frozenset((t, v) for t, spec in entity.ids.items() for v in spec.block),
        frozenset(t for t, spec in entity.ids.items() if spec.block_shared_mailboxes),
        {t: period for t in entity.ids if (period := entity.period(t)) != "ever"},
        tuple(rules),
    )


def write_raw(con: Con, source: str, rows: list[Row]) -> None:
    """Append rows to the raw events of a source."""
    ids = {f"id_{t}": [dict(r.ids).get(t) for r in rows] for t in TYPES}
    table = pa.table(
        {
            "day": pa.array([r.day for r in rows], pa.date32()),
            "event_day": pa.array([r.event_day for r in rows], pa.date32()),
            "time": pa.array([r.time for r in rows], pa.timestamp("us")),
            "received": pa.array([r.time for r in rows], pa.timestamp("us")),
            "duplicate": pa.array([r.duplicate for r in rows], pa.bool_()),
            "tuple_user": pa.array([tuple_key(r.ids) if r.ids else None for r in rows], pa.int64()),
            **{name: pa.array(values, pa.string()) for name, values in ids.items()},
            **({"superseded": pa.array([r.until for r in rows], pa.date32())} if source == RECORDS else {}),
        }
    )
    con.register("raw_rows", table)
    con.execute(f"CREATE TABLE IF NOT EXISTS raw_events.{source} AS FROM raw_rows LIMIT 0")
    con.execute(f"INSERT INTO raw_events.{source} BY NAME FROM raw_rows")
    con.unregister("raw_rows")


def by_day(rows: list[Row]) -> dict[tuple[str, date], list[Row]]:
    """Rows of each source and load day."""
    found: dict[tuple[str, date], list[Row]] = {}
    for one in rows:
        found.setdefault((one.source, one.day), []).append(one)
    return found


@dataclass
class World:
    """Raw events that change day by day; `rows` are all that are there now."""

    entity: Entity
    con: Con = field(default_factory=lambda: duckdb.connect(config={"threads": 1}))
    rows: list[Row] = field(default_factory=list)
    rules: list[Told] = field(default_factory=list)
    erased: set[Node] = field(default_factory=set)

    def __post_init__(self) -> None:
        create_foundations(self.con)
        for source in (*SOURCES, RECORDS):
            write_raw(self.con, source, [])

    @property
    def project(self) -> Project:
        return make_project(self.entity, rules=self.rules)

    @property
    def guards(self) -> Guards:
        return guards_of(self.entity, self.rules)

    def rule(self, action: str, *ids: str) -> None:
        """Add a rule about ids such as `email:a@x`."""
        self.rules.append((action, tuple(tuple(i.split(":", 1)) for i in ids)))  # type: ignore[misc]

    def put(self, *rows: Row) -> None:
        """Replace the days of these rows by them, but for rows of who was erased."""
        places = {(r.source, r.day) for r in rows}
        kept = [r for r in rows if not self.erased & set(r.ids)]
        self._become([*(r for r in self.rows if (r.source, r.day) not in places), *kept])

    def remove(self, number: int, source: str = "web") -> None:
        """Remove a day."""
        self._become([r for r in self.rows if (r.source, r.day) != (source, day(number))])

    def erase(self, node: Node) -> tuple[set[Node], set[str]]:
        """Erase the person of an id, or only the id where it is nobody's; returns the ids and the profile ids."""
        names = self.names() if self.table("stitched_ids") else {}
        profile = names.get(node)
        ids = {n for n, label in names.items() if label == profile} if profile else {node}
        self.erased |= ids
        ended = {alias for alias, now in self.aliases().items() if now == profile} if profile else set()
        profiles = sorted(ended | ({profile} if profile else set()))
        text, number = pa.string(), pa.int64()
        known = pa.table({"entity": pa.array(["user"] * len(ids), text), "key": pa.array(map(node_key, ids), number)})
        gone = pa.table({"entity": pa.array(["user"] * len(profiles), text), "profile_id": pa.array(profiles, text)})
        for name, table in (("erased_ids", known), ("erased_profiles", gone)):
            self.con.register("given", table)
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS FROM given")
            self.con.unregister("given")
        create_tables(self.con)
        stage_evidence(self.con)
        before, rows = self._versions(), by_day(self.rows)
        self._become([r for r in self.rows if not ids & set(r.ids)])
        only = {p for p, mine in rows.items() if by_day(self.rows).get(p) == [r for r in mine if not ids & set(r.ids)]}
        after = {name: v for name, v in self._versions().items() if v != before[name]}
        with transaction(self.con):
            write_evidence(self.con)
            advance_evidence(self.con, before, {f"{s}/{d}": after[f"{s}/{d}"] for s, d in only if f"{s}/{d}" in after})
            write_records(self.con, self.project)
        return ids, set(profiles)

    def aliases(self) -> dict[str, str]:
        """Profile ids that ended, and the living ones they are now."""
        return dict(self.con.execute("SELECT alias, profile_id FROM identity.profile_aliases").fetchall())

    def _versions(self) -> dict[str, str]:
        return {
            f"{source}/{load_day}": version
            for source in (*SOURCES, RECORDS)
            for load_day, version in progress.applied(self.con, f"raw_events/{source}").items()
        }

    def _become(self, rows: list[Row]) -> None:
        """Rewrite the days that are not what they were; new versions of records end older ones of any day."""
        records = with_ends([r for r in rows if r.source == RECORDS])
        before, after = by_day(self.rows), by_day([*(r for r in rows if r.source != RECORDS), *records])
        self.rows = [r for mine in after.values() for r in mine]
        for source, load_day in {place for place in before.keys() | after if before.get(place) != after.get(place)}:
            mine = after.get((source, load_day), [])
            self.con.execute(f"DELETE FROM raw_events.{source} WHERE day = ?", [load_day])
            write_raw(self.con, source, mine)
            version = {load_day.isoformat(): hashlib.md5(repr(mine).encode()).hexdigest()} if mine else {}
            progress.record(self.con, f"raw_events/{source}", version, [] if mine else [load_day.isoformat()])

    def gather(self) -> EvidenceReport:
        """Update the evidence."""
        with transaction(self.con):
            report, pending = compute_evidence(self.con, self.project)
        with transaction(self.con):
            evidence.write_evidence(self.con, pending)
        return report

    def stitch(self, as_of: date | None = None, rebuild: bool = False) -> StitchReport:
        """Update the stitched ids."""
        with transaction(self.con):
            staged = compute_stitched(self.con, self.project, "user", as_of, rebuild)
        with transaction(self.con):
            write_stitched(self.con, staged)
        return staged.report

    def run(self, as_of: date | None = None) -> StitchReport:
        """Update both."""
        self.gather()
        return self.stitch(as_of)

    def rebuilt(self, as_of: date | None = None) -> tuple[list[tuple], list[tuple], list[tuple]]:
        """Ids, violations and log as a full rebuild would leave them; nothing is written."""
        logged = self.table("identity_log")
        with transaction(self.con):
            compute_stitched(self.con, self.project, "user", as_of, rebuild=True)
        staged = [self._sorted(f"staged_{name}") for name in ("ids", "violations", "log")]
        return staged[0], staged[1], sorted([*logged, *staged[2]], key=repr)

    def tables(self) -> tuple[list[tuple], list[tuple], list[tuple]]:
        """Ids, violations and log as they are."""
        return self.table("stitched_ids"), self.table("identity_violations"), self.table("identity_log")

    def table(self, name: str) -> list[tuple]:
        """Rows of an identity table in any fixed order."""
        known = self.con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = ?", [name]).fetchone()
        return self._sorted(f"identity.{name}") if known and known[0] else []

    def _sorted(self, table: str) -> list[tuple]:
        return sorted(self.con.execute(f"FROM {table}").fetchall(), key=repr)

    def statuses(self, prefix: str = "") -> dict[Node, str]:
        """Status of each node whose value has a prefix."""
        return self.names("status", prefix)

    def groups(self, column: str = "profile_id", prefix: str = "") -> set[frozenset[Node]]:
        """Sets of nodes that share a profile or a component."""
        found: dict[str, set[Node]] = {}
        for node, label in self.names(column, prefix).items():
            found.setdefault(label, set()).add(node)
        return {frozenset(group) for group in found.values()}

    def names(self, column: str = "profile_id", prefix: str = "") -> dict[Node, str]:
        """Profile id (or another column) of each node that has one."""
        found = self.con.execute(
            f"SELECT id_type, value, {column} FROM identity.stitched_ids WHERE {column} IS NOT NULL "
            "AND starts_with(value, ?)",
            [prefix],
        )
        return {(t, v): label for t, v, label in found.fetchall()}

    def profile(self, node: str) -> str | None:
        """Profile id of a node such as `email:a@x`."""
        id_type, value = node.split(":", 1)
        return self.names().get((id_type, value))
