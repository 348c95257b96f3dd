"""The events that a funnel reads: one scan per source, which steps each event fits, and the values to be the same."""

from collections.abc import Iterable

from profiles_assets.project.funnels import Funnel, Step, used_properties
from profiles_assets.project.project import Declared
from profiles_assets.traits.columns import BUILTIN, NOTHING, EventColumns, Visible, common_type, finite
from profiles_assets.traits.conditions import condition_sql
from resources.tables import literal, quote


def scans(funnel: Declared[Funnel], events: EventColumns, as_of: str, attribution: str) -> str:
    """Union of one scan per source, of all events that a funnel reads; empty when no source was loaded."""
    used: dict[str, set[str]] = {}
    for step in funnel.spec.events:
        for source in events.sources(step.event):
            used.setdefault(source, set()).add(step.event)
    paths = [(event, path) for event, path, _ in used_properties(funnel.spec) if path not in BUILTIN]
    join = f"{attribution} a ON a.tuple_key = e.{quote(f'tuple_{funnel.entity}')}"
    seen = Visible(as_of, funnel.spec.during)
    return "\nUNION ALL BY NAME\n".join(
        events.scan(source, names, {path for event, path in paths if event in names}, join, seen)
        for source, names in sorted(used.items())
    )


def fitting(spec: Funnel, events: EventColumns) -> str:
    """SELECT of the events that fit something.

    s1 … sn say which steps they fit, `broken` whether they break attempts; same1 … are the values to be the same.
    """
    fits = {f"s{k}": _fits([step], events) for k, step in enumerate(spec.steps, 1)}
    if spec.unless:
        fits["broken"] = _fits(spec.unless, events)
    values = {f"same{k}": _same(spec, path, events) for k, path in enumerate(spec.same, 1)}
    named = [f"{sql} AS {name}" for name, sql in (fits | values).items()]
    return (
        f"FROM (SELECT profile_key, time, event_id, file, position, event, {', '.join(named)}\n"
        f"FROM scanned WHERE isfinite(time)) WHERE {' OR '.join(fits)}"
    )


def _fits(steps: Iterable[Step], events: EventColumns) -> str:
    return " OR ".join(f"(event = {literal(step.event)} AND {_where(step, events)})" for step in steps)


def _where(step: Step, events: EventColumns) -> str:
    return condition_sql(step.where, lambda field: events.value(step.event, field))


def _same(spec: Funnel, path: str, events: EventColumns) -> str:
    """Value of a property in one type for all events of a funnel; NULL where an event lacks it."""
    names = dict.fromkeys(step.event for step in spec.events)
    known = {name: value for name in names if (value := events.value(name, path)) != NOTHING}
    if not known:
        return NOTHING.sql
    common = common_type({value.type for value in known.values()})
    cases = " ".join(f"WHEN {literal(name)} THEN ({value.sql})::{common}" for name, value in known.items())
    return finite(f"(CASE event {cases} END)", common)
