"""The states of a section: made from all events, or moved on from what they were by what has changed."""

from collections.abc import Iterable
from dataclasses import dataclass

import duckdb

from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import EventColumns
from profiles_assets.traits.compile import in_order, scans
from profiles_assets.traits.signed import Signed, signed_sql
from profiles_assets.traits.span import Step, Whole
from profiles_assets.traits.states import State, grouped, states_of
from resources.feed import Feed
from resources.tables import literal, quote

Con = duckdb.DuckDBPyConnection
STATES = "staged_states"


def states_table(section: str) -> str:
    """Name of the stored states of a section."""
    return f"states.{quote(section)}"


@dataclass(frozen=True)
class Read:
    """The traits that are made from events, where the events stand, and whose ids count."""

    traits: dict[str, Trait]
    events: EventColumns
    entity: str


def stage_whole(con: Con, read: Read, as_of: str, owners: str, table: str = STATES) -> None:
    """Temporary table of the states of everybody in a table of owners, from all events as of a day (a SQL date)."""
    states = states_of(read.traits, read.events, Whole(as_of))
    made = {state.name: state.trait for state in states}
    scanned = scans(made, read.events, as_of, owners, read.entity)
    if not scanned:
        con.execute(f"CREATE OR REPLACE TEMP TABLE {table} (profile_key BIGINT)")
        return
    scanned = in_order(scanned, made, read.events, as_of)
    kept = ", ".join(["profile_key", *(column for state in states for column in state.stored())])
    select = f"SELECT {kept} FROM ({from_events(states, scanned)}) WHERE {some_left(states)}"
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {select}")


def stage_moved(con: Con, read: Read, span: Step, feed: Feed, stored: str) -> None:
    """Temporary table `staged_states` of those whose states may be others now, who are in `scope`.

    Needs `joined`, `torn` and `owners` of the same feed. States that cannot be told from what has changed, since an
    extreme may be gone, are made from all events again.
    """
    states = states_of(read.traits, read.events, span)
    events = signed_sql(read.traits, Signed(read.events, span, feed, "owners", read.entity))
    con.execute(f"CREATE OR REPLACE TEMP TABLE signed AS {events}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE changes AS {from_events(states, 'FROM signed')}")
    con.execute(
        """CREATE OR REPLACE TEMP TABLE scope AS SELECT DISTINCT profile_key FROM signed
        UNION FROM torn UNION SELECT unnest([profile_key, new_key]) FROM joined"""
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE old AS SELECT coalesce(new_key, profile_key) AS profile_key,
        s.* EXCLUDE (profile_key) FROM {stored} s LEFT JOIN joined USING (profile_key)
        WHERE profile_key IN (FROM scope)"""
    )
    con.execute(f"CREATE OR REPLACE TEMP TABLE moved AS {_joined(states)}")
    con.execute("CREATE OR REPLACE TEMP TABLE anew AS FROM torn UNION SELECT profile_key FROM moved WHERE broken")
    con.execute("CREATE OR REPLACE TEMP TABLE owners_anew AS FROM owners SEMI JOIN anew USING (profile_key)")
    stage_whole(con, read, span.as_of, "owners_anew")
    con.execute(
        f"INSERT INTO {STATES} BY NAME SELECT * EXCLUDE (broken) FROM moved "
        f"ANTI JOIN anew USING (profile_key) WHERE {some_left(states)}"
    )


def from_events(states: list[State], scanned: str) -> str:
    """SELECT of the states of people from a scan of their events, with what is lost of them."""
    steps = {}
    for number, (event, some) in enumerate(grouped(_plain(states), lambda s: s.trait.event).items()):
        values = ", ".join(f"{sql} AS {column}" for state in some for column, sql in state.from_events().items())
        rows = f"FROM events WHERE event = {literal(event)} GROUP BY profile_key"
        steps[f"events_{number}"] = f"SELECT profile_key, {values} {rows}"
    for number, (value, some) in enumerate(grouped(_of_values(states), lambda s: s.value).items()):
        seen = ", ".join(f"{sql} AS {column}" for state in some for column, sql in state.seen().items())
        rows = f"SELECT profile_key, {value} AS value, {seen} FROM events WHERE {value} IS NOT NULL GROUP BY 1, 2"
        listed = ", ".join(state.listed() for state in some)
        steps[f"values_{number}"] = f"SELECT profile_key, {listed} FROM ({rows}) GROUP BY profile_key"
    named = "".join(f",\n{step} AS ({sql})" for step, sql in steps.items())
    joins = "".join(f"\nLEFT JOIN {step} USING (profile_key)" for step in steps)
    return (
        f"WITH events AS MATERIALIZED (\n{scanned}){named}\n"
        f"SELECT * FROM (SELECT DISTINCT profile_key FROM events){joins}"
    )


def _joined(states: list[State]) -> str:
    """SELECT of the sums of `old` states and `changes`, and whether any is unknown."""
    totals = [(column, sql) for state in _plain(states) for column, sql in state.joined().items()]
    scalars = ", ".join(["profile_key", *(f"{sql} AS {column}" for column, sql in totals)])
    plain = ", ".join(["profile_key", *(column for state in _plain(states) for column in state.stored())])
    lost = ", ".join(["profile_key", *(column for state in _plain(states) for column in state.from_events())])
    select = (
        f"SELECT {scalars} FROM (SELECT {plain} FROM old UNION ALL BY NAME SELECT {lost} FROM changes) "
        "GROUP BY profile_key"
    )
    joins = "".join(
        f"\nLEFT JOIN ({state.joined_values('old', 'changes')}) USING (profile_key)" for state in _of_values(states)
    )
    broken = [state.column("broken") for state in states]
    kept = ", ".join(["profile_key", *(column for state in states for column in state.stored())])
    unknown = " OR ".join(f"coalesce({column}, false)" for column in broken)
    return f"SELECT {kept}, {unknown} AS broken FROM ({select}){joins}"


def some_left(states: Iterable[State]) -> str:
    """Condition that a row has a state of any trait."""
    return f"NOT ({' AND '.join(state.is_empty() for state in states)})"


def _plain(states: list[State]) -> list[State]:
    return [state for state in states if not state.of_values]


def _of_values(states: list[State]) -> list[State]:
    return [state for state in states if state.of_values]
