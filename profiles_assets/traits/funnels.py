"""Funnels: how far each person came, when they completed it first and how long that took.

An *attempt* takes steps with events of one person, one event per step, in the order (time, event id, file,
position); an event without a time takes none.

- `loose`: steps 1, 2, … in order, anything else between. `strict`: between an event that takes a step and the one
  that takes the next, only repeats of the former step may lie; events that are no step of the funnel don't count.
  `any`: steps in any order, so that "step k" means any k of the steps.
- An attempt starts with its first event. An event may fit several steps; it still takes one in each attempt.
- `within`: the last event is at most that long after the first; exactly that long is inside.
- `same`: all events of an attempt have the same value of each of these properties, and have one. Attempts of
  different values know nothing of each other: events of other values don't break strict order.
- `unless`: an event that fits it and lies after the start and before the event that takes the furthest step breaks
  the attempt there, also when it takes a step itself. With `same`, one of another value breaks nothing, and one
  that lacks a property breaks attempts of every value.
- `during`: only events of the last days are seen; else everything visible as of the day.

The step of a person is the furthest of all attempts, 0 without any. Completion is the earliest one; where several
attempts complete at that moment, the hours are those of the shortest, the one that started last.
"""

from typing import TYPE_CHECKING, TypeAlias

from profiles_assets.project.funnels import Funnel, funnel_columns
from profiles_assets.project.project import Declared, Project
from profiles_assets.traits.columns import EventColumns, event_columns
from profiles_assets.traits.compile import Who
from profiles_assets.traits.funnel_attempts import attempts, first_attempts
from profiles_assets.traits.funnel_events import fitting, scans
from resources.tables import quote

if TYPE_CHECKING:
    import duckdb

Con: TypeAlias = "duckdb.DuckDBPyConnection"

A_MOMENT = "STRUCT(moment TIMESTAMP, took BIGINT)"
MICROSECONDS_AN_HOUR = "3.6e9::DOUBLE"
DEEPEST = 8


def stage_funnel(
    con: Con, project: Project, funnel: Declared[Funnel], as_of: str, table: str, *, who: Who | None = None
) -> None:
    """Temporary table with one row per person: profile_id and the columns of a funnel, as of a day (a SQL date)."""
    sql = compile_funnel(funnel, event_columns(con, project), as_of, who)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {sql}")


def compile_funnel(funnel: Declared[Funnel], events: EventColumns, as_of: str, who: Who | None = None) -> str:
    """SELECT of one row per person with how far they came: profile_id and the columns of the funnel."""
    reached = compile_reached(funnel, events, as_of, who)
    return f"SELECT {funnel_values(funnel)} FROM (\n{reached}\n)"


def funnel_values(funnel: Declared[Funnel]) -> str:
    """Select list that turns the columns of `compile_reached` into those of the funnel."""
    values = ("step", "completed_at", f"hours[{len(funnel.spec.steps)}]")
    named = [f"{value} AS {quote(c)}" for value, c in zip(values, funnel_columns(funnel.name), strict=True)]
    return f"profile_id, {', '.join(named)}"


def compile_reached(funnel: Declared[Funnel], events: EventColumns, as_of: str, who: Who | None = None) -> str:
    """SELECT of one row per person: profile_id, step, completed_at, and hours from the start to each step reached.

    `hours` is a list with one number per step, of the earliest attempt that reached it; NULL where none did.
    """
    who, steps = who or Who(), range(1, len(funnel.spec.steps) + 1)
    scanned = scans(funnel, events, as_of, who.attribution)
    queries = {}
    if scanned:
        queries = {"scanned": scanned, "fitting": fitting(funnel.spec, events), **attempts(funnel.spec)}
        queries["reached"] = first_attempts(next(reversed(queries)), len(steps))
    else:
        nothing = ", ".join(f"NULL::{A_MOMENT} AS reached{k}" for k in steps)
        queries["reached"] = f"SELECT NULL::BIGINT AS profile_key, {nothing} WHERE false"
    step = " + ".join(f"(reached{k} IS NOT NULL)::BIGINT" for k in steps)
    hours = ", ".join(f"reached{k}.took / {MICROSECONDS_AN_HOUR}" for k in steps)
    named = (f"{name} AS {_kept(place)}({query})" for place, (name, query) in enumerate(queries.items()))
    return (
        f"WITH {', '.join(named)}\n"
        f"SELECT profile_id, {step} AS step, reached{len(steps)}.moment AS completed_at, [{hours}] AS hours\n"
        f"FROM {who.people} LEFT JOIN reached USING (profile_key)"
    )


def _kept(place: int) -> str:
    """MATERIALIZED now and then: the time to plan queries inside each other doubles with each."""
    return "MATERIALIZED " if place % DEEPEST == DEEPEST - 1 else ""
