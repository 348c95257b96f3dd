"""Rows of a section, made from all events or moved on from the stored ones by what has changed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb

from profiles_assets.identity.attribution import create_attribution
from profiles_assets.identity.keys import profile_id
from profiles_assets.identity.owners import is_current, owned_sql
from profiles_assets.identity.transfers import stage_transfers
from profiles_assets.project.expressions import AS_OF, expression_uses
from profiles_assets.project.project import Project
from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import EventColumns
from profiles_assets.traits.compile import aggregated, base_traits, finished_rows, readers
from profiles_assets.traits.derived import stored_traits
from profiles_assets.traits.running import STATES, Read, some_left, stage_moved, stage_whole, states_table
from profiles_assets.traits.span import Step, Whole
from profiles_assets.traits.states import states_of
from resources.feed import Feed, changes_since, newest_snapshot, tells
from resources.tables import exists, literal, quote

Con = duckdb.DuckDBPyConnection
ROWS = "staged_section"


def rows_table(section: str) -> str:
    """Name of the stored rows of a section."""
    return f"entity_vars.{quote(section)}"


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
        """Hash of what decides, beside the traits, what the states of the same events are."""
        return _hash([duckdb.__version__, *(f"{name}: {self.events.tables[name]}" for name in self.sources)])

    @property
    def definitions(self) -> dict[str, str]:
        """Hash of each stored trait."""
        traits, timezone = self.project.sections[self.section].traits, self.project.timezone
        names = stored_traits(self.project, self.section)
        return {name: _hash([timezone, traits[name].model_dump_json()]) for name in names}


@dataclass(frozen=True)
class Since:
    """What changed since the stored rows were made on a day, and the traits that are defined as they were then."""

    feed: Feed
    before: date
    same: frozenset[str]


def _hash(parts: list[str]) -> str:
    return hashlib.md5("\n".join(parts).encode(), usedforsecurity=False).hexdigest()


def notes_of(con: Con, now: Moment) -> dict[str, str]:
    """What to note about rows made now, for `since`."""
    told = {"as_of": now.as_of.isoformat(), "shape": now.shape, "traits": json.dumps(now.definitions)}
    return told | {"snapshot": str(newest_snapshot(con))}


def since(con: Con, now: Moment, notes: Mapping[str, str]) -> Since | None:
    """What changed since the stored rows were made; None where all must be made from all events."""
    tables = rows_table(now.section), states_table(now.section)
    if notes.get("shape") != now.shape or not now.sources or not all(exists(con, table) for table in tables):
        return None
    if notes["as_of"] > now.as_of.isoformat() or not is_current(con, now.project, now.entity):
        return None
    told = json.loads(notes["traits"])
    same = {name for name in now.base if told.get(name) == now.definitions[name]}
    moving = notes["as_of"] < now.as_of.isoformat() and any(_moves(trait) for trait in now.base.values())
    if moving or all(now.base[name].sql for name in same):
        return None
    feed = changes_since(con, notes.get("snapshot"))
    read = [("identity", "tuple_owners"), ("identity", "stitched_ids"), *(("raw_events", s) for s in now.sources)]
    if feed is None or not all(tells(con, feed, *table) for table in read):
        return None
    return Since(feed, date.fromisoformat(notes["as_of"]), frozenset(same))


def _moves(trait: Trait) -> bool:
    """True for sql whose value moves with as_of, whatever happens to a person."""
    return bool(trait.sql) and any(path == AS_OF for path, _ in expression_uses(str(trait.sql)))


def stage_all(con: Con, now: Moment) -> None:
    """Temporary tables of the states and rows of everybody, from all events."""
    if is_current(con, now.project, now.entity):
        owners = owned_sql(now.entity)
    else:
        create_attribution(con, now.project, now.entity)
        owners = "FROM attribution"
    con.execute(f"CREATE OR REPLACE TEMP VIEW owners AS SELECT tuple_key, profile_key FROM ({owners})")
    _stage_everybody(con, now)
    stage_whole(con, now.read, f"DATE '{now.as_of}'", "owners")
    _stage_rows(con, now, "owners")


def _stage_everybody(con: Con, now: Moment) -> None:
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE people AS SELECT DISTINCT profile_id, profile_key FROM identity.stitched_ids
        WHERE entity = {literal(now.entity)} AND profile_id IS NOT NULL"""
    )


def stage_changed(con: Con, now: Moment, since: Since) -> None:
    """Temporary tables of the states and rows that may be others now; the people concerned are in `concerned`."""
    stage_transfers(con, now.entity, since.feed)
    stage_moved(con, now.read, Step(since.before, now.as_of), since.feed, states_table(now.section))
    _stage_concerned(con, now, since.feed)
    con.execute("CREATE OR REPLACE TEMP TABLE their_owners AS FROM owners SEMI JOIN people USING (profile_key)")
    _stage_rows(con, now, "their_owners")


def stage_edited(con: Con, now: Moment, since: Since) -> None:
    """Temporary tables of the states and rows of everybody; only traits that are new or others now read all events."""
    same, other = ({n: t for n, t in now.base.items() if (n in since.same) is kept} for kept in (True, False))
    states = states_of(same, now.events, Whole(f"DATE '{now.as_of}'"))
    kept = ", ".join(["profile_key", *(column for state in states for column in state.stored())])
    con.execute(
        f"""CREATE OR REPLACE TEMP VIEW states_of_same AS SELECT {kept} FROM {states_table(now.section)}
        WHERE {some_left(states)}"""
    )
    stage_transfers(con, now.entity, since.feed)
    step = Step(since.before, now.as_of)
    stage_moved(con, Read(same, now.events, now.entity), step, since.feed, "states_of_same")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE same_states AS FROM states_of_same ANTI JOIN scope USING (profile_key)
        UNION ALL BY NAME FROM {STATES}"""
    )
    stage_whole(con, Read(other, now.events, now.entity), f"DATE '{now.as_of}'", "owners", "other_states")
    con.execute(f"CREATE OR REPLACE TEMP TABLE {STATES} AS FROM same_states FULL JOIN other_states USING (profile_key)")
    _stage_everybody(con, now)
    _stage_rows(con, now, "owners")


def _stage_concerned(con: Con, now: Moment, feed: Feed) -> None:
    """Temporary tables `concerned`, those whose states or existence may have changed, and `people`, who of them is."""
    mine = f"entity = {literal(now.entity)} AND profile_key IS NOT NULL"
    came, went = (f"SELECT profile_key FROM {of('identity', 'stitched_ids')} WHERE {mine}"
                  for of in (feed.came, feed.went))  # fmt: skip
    there = f"SELECT profile_key FROM identity.stitched_ids WHERE {mine}"
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE concerned AS
        SELECT profile_key, {profile_id("profile_key")} AS profile_id FROM (
            FROM scope UNION (FROM ({went}) ANTI JOIN ({there}) USING (profile_key)) UNION
            (SELECT profile_key FROM (SELECT profile_key, {profile_id("profile_key")} AS profile_id FROM ({came}))
             ANTI JOIN {rows_table(now.section)} USING (profile_id)))"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE people AS SELECT profile_id, profile_key FROM concerned
        SEMI JOIN ({there}) USING (profile_key)"""
    )


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
