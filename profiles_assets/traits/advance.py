"""Rows of a section, made from all events or moved on from the stored ones by what has changed."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from profiles_assets.identity.attribution import create_attribution
from profiles_assets.identity.keys import profile_id
from profiles_assets.identity.owners import is_current
from profiles_assets.identity.transfers import stage_transfers
from profiles_assets.project.expressions import AS_OF, expression_uses
from profiles_assets.project.project import Project
from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import EventColumns
from profiles_assets.traits.compile import aggregated, base_traits, finished_rows, readers
from profiles_assets.traits.running import STATES, Read, stage_moved, stage_whole, states_table
from profiles_assets.traits.span import Step, Whole
from profiles_assets.traits.states import states_of
from resources.feed import Feed, changes_since, tells
from resources.tables import exists, literal, quote

Con = duckdb.DuckDBPyConnection
ROWS = "staged_section"


@dataclass(frozen=True)
class Moment:
    """What a section is made from: its project, its columns of events, and the day."""

    project: Project
    section: str
    events: EventColumns
    as_of: date

    @property
    def entity(self) -> str:
        """Whose traits they are."""
        return self.project.sections[self.section].entity

    @property
    def base(self) -> dict[str, Trait]:
        """Traits made from events."""
        return base_traits(self.project, self.section)

    @property
    def read(self) -> Read:
        """What states are made from."""
        return Read(self.base, self.events, self.entity)

    @property
    def sources(self) -> list[str]:
        """Loaded sources that they read."""
        return list(readers(self.base, self.events))

    @property
    def shape(self) -> str:
        """Hash of what decides what the states of the same events are."""
        tables = [f"{name}: {self.events.tables[name]}" for name in self.sources]
        traits = [f"{name}: {trait.model_dump_json()}" for name, trait in self.base.items()]
        text = "\n".join([duckdb.__version__, *tables, *traits])
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def feed_from(con: Con, now: Moment, notes: Mapping[str, str]) -> Feed | None:
    """What changed since the stored rows were made; None where they must be made from all events."""
    tables = f"entity_vars.{quote(now.section)}", states_table(now.section)
    if notes.get("shape") != now.shape or not now.sources or not all(exists(con, table) for table in tables):
        return None
    if notes["as_of"] > now.as_of.isoformat() or not is_current(con, now.project, now.entity):
        return None
    if notes["as_of"] < now.as_of.isoformat() and any(_moves(trait) for trait in now.base.values()):
        return None
    feed = changes_since(con, notes.get("snapshot"))
    read = [("identity", "tuple_owners"), ("identity", "stitched_ids"), *(("raw_events", s) for s in now.sources)]
    return feed if feed and all(tells(con, feed, *table) for table in read) else None


def _moves(trait: Trait) -> bool:
    """True for sql whose value moves with as_of, whatever happens to a person."""
    return bool(trait.sql) and any(path == AS_OF for path, _ in expression_uses(str(trait.sql)))


def stage_all(con: Con, now: Moment) -> None:
    """Temporary tables of the states and rows of everybody, from all events."""
    if is_current(con, now.project, now.entity):
        con.execute(
            f"""CREATE OR REPLACE TEMP VIEW owners AS SELECT tuple_key, profile_key FROM identity.tuple_owners
            WHERE entity = {literal(now.entity)} AND profile_key IS NOT NULL"""
        )
    else:
        create_attribution(con, now.project, now.entity)
        con.execute("CREATE OR REPLACE TEMP VIEW owners AS SELECT tuple_key, profile_key FROM attribution")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE people AS SELECT DISTINCT profile_id, profile_key FROM identity.stitched_ids
        WHERE entity = {literal(now.entity)} AND profile_id IS NOT NULL"""
    )
    stage_whole(con, now.read, f"DATE '{now.as_of}'", "owners")
    _stage_rows(con, now, "owners")


def stage_changed(con: Con, now: Moment, before: date, feed: Feed) -> None:
    """Temporary tables of the states and rows that may be others now; the people concerned are in `concerned`."""
    stage_transfers(con, now.entity, feed)
    stage_moved(con, now.read, Step(before, now.as_of), feed, states_table(now.section))
    mine = f"entity = {literal(now.entity)} AND profile_key IS NOT NULL"
    came, went = (
        f"SELECT profile_key FROM {of('identity', 'stitched_ids')} WHERE {mine}" for of in (feed.came, feed.went)
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE concerned AS
        SELECT profile_key, {profile_id("profile_key")} AS profile_id FROM (FROM scope UNION {came} UNION {went})"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE people AS SELECT profile_id, profile_key FROM concerned
        SEMI JOIN (SELECT profile_key FROM identity.stitched_ids WHERE {mine}) USING (profile_key)"""
    )
    con.execute(
        f"""INSERT INTO {STATES} BY NAME FROM {states_table(now.section)}
        SEMI JOIN people USING (profile_key) ANTI JOIN scope USING (profile_key)"""
    )
    con.execute("CREATE OR REPLACE TEMP TABLE their_owners AS FROM owners SEMI JOIN people USING (profile_key)")
    _stage_rows(con, now, "their_owners")


def _stage_rows(con: Con, now: Moment, owners: str) -> None:
    """Temporary table with a row for each of the people, from the staged states and the events that `sql:` reads."""
    as_of = f"DATE '{now.as_of}'"
    values = {s.name: s.result() for s in states_of(now.base, now.events, Whole(as_of))}
    by_sql = {name: trait for name, trait in now.base.items() if trait.sql}
    steps, joins = aggregated(by_sql, now.events, as_of, owners, now.entity) if by_sql else ([], "")
    values |= {name: quote(name) if steps else "NULL" for name in by_sql}
    people = f"people LEFT JOIN {STATES} USING (profile_key){joins}"
    rows = finished_rows(now.project, now.section, values, people, events=now.events, as_of=as_of)
    with_ = f"WITH {', '.join(steps)}\n" if steps else ""
    con.execute(f"CREATE OR REPLACE TEMP TABLE {ROWS} AS {with_}{rows}")
