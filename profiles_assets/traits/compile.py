"""One SQL statement per section: each source is scanned once, for all traits of the section."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from profiles_assets.project.expressions import expression_uses
from profiles_assets.project.graph import traits_after_predictions
from profiles_assets.project.project import Project
from profiles_assets.project.traits import TRAIT_VERBS, Trait
from profiles_assets.traits.columns import BUILTIN, MOMENT, MOMENT_SQL, EventColumns, Visible
from profiles_assets.traits.conditions import condition_fields
from profiles_assets.traits.derived import Reading, add_traits, read_traits, stored_column, stored_traits
from profiles_assets.traits.metrics import DISTRIBUTIONS
from profiles_assets.traits.user_sql import has_windows, plain_sql, sql_needs_order, windowed_sql
from profiles_assets.traits.verbs import (
    OVER_VALUES,
    aggregate_sql,
    finished,
    over_values_sql,
    rows_sql,
    seen_sql,
    trait_value,
    value_type,
    verb_needs_order,
    window,
)
from resources.tables import literal, quote

# a reader without conditions, else the engine would check those of all readers at the scan and again at each
UNFILTERED = "\nCROSS JOIN (SELECT count(*) AS all_events FROM events)"


@dataclass(frozen=True)
class Who:
    """Names of the tables that say whose traits to compute, and whose each id tuple is."""

    people: str = "people"
    attribution: str = "attribution"


def compile_section(project: Project, section: str, events: EventColumns, as_of: str, who: Who | None = None) -> str:
    """SELECT of one row per person with the stored traits of a section.

    `who.people` has (profile_id, profile_key), `who.attribution` maps tuple keys to profile keys; `as_of` is a
    SQL date.
    """
    who = who or Who()
    base = base_traits(project, section)
    steps, joins = aggregated(base, events, as_of, who.attribution, project.sections[section].entity)
    if not steps:
        return f"SELECT profile_id FROM {who.people}"
    values = {name: quote(name) for name in base}
    rows = finished_rows(project, section, values, f"{who.people}{joins}", events=events, as_of=as_of)
    return f"WITH {', '.join(steps)}\n{rows}"


def base_traits(project: Project, section: str) -> dict[str, Trait]:
    """Stored traits of a section that are made from events."""
    traits = project.sections[section].traits
    return {n: traits[n] for n in stored_traits(project, section) if traits[n].verb not in TRAIT_VERBS}


def aggregated(
    traits: dict[str, Trait], events: EventColumns, as_of: str, attribution: str, entity: str
) -> tuple[list[str], str]:
    """Named subqueries that give the values of traits made from events, and joins of them with people."""
    scanned = scans(traits, events, as_of, attribution, entity)
    if not scanned:
        return [], ""
    found = aggregations(traits, events, as_of)
    once = "NOT " if len(found) == 1 else ""
    joins = "".join(f"\nLEFT JOIN {step.split(' AS ', 1)[0]} USING (profile_key)" for step in found)
    events_step = f"events AS {once}MATERIALIZED (\n{in_order(scanned, traits, events, as_of)}\n)"
    return [events_step, *found], joins + ("" if once else UNFILTERED)


def finished_rows(
    project: Project, section: str, values: dict[str, str], people: str, *, events: EventColumns, as_of: str
) -> str:
    """SELECT of the stored traits of a section, from SQL values of those made from events in a join with people."""
    names, traits = stored_traits(project, section), project.sections[section].traits
    base = base_traits(project, section)
    found = {stored_column(n, t): finished(t, values[n], value_type(t, events)) for n, t in base.items()}
    named = "".join(f", {sql} AS {quote(column)}" for column, sql in found.items())
    derived = [n for n in names if n not in base]
    reading = Reading(as_of, timezone=project.timezone)
    return add_traits(f"SELECT profile_id{named}\nFROM {people}", derived, traits, reading)


def scans(traits: dict[str, Trait], events: EventColumns, as_of: str, attribution: str, entity: str) -> str:
    """Union of one scan per source, of all events that these traits read; empty when no source was loaded."""
    join = owner_join(attribution, entity)
    selects = [
        events.scan(
            source,
            [t.event for t in some],
            [path for t in some for path in trait_paths(t)],
            join,
            visible(as_of, [t.within for t in some]),
        )
        for source, some in readers(traits, events).items()
    ]
    return "\nUNION ALL BY NAME\n".join(selects)


def readers(traits: dict[str, Trait], events: EventColumns) -> dict[str, list[Trait]]:
    """Loaded sources, sorted, each with the traits that read it."""
    used: dict[str, list[Trait]] = defaultdict(list)
    for trait in traits.values():
        for source in events.sources(trait.event):
            used[source].append(trait)
    return dict(sorted(used.items()))


def owner_join(attribution: str, entity: str) -> str:
    """Join of events, under the alias `e`, with the table that says whose their id tuples are."""
    return f"{attribution} a ON a.tuple_key = e.{quote(f'tuple_{entity}')}"


def in_order(scanned: str, traits: dict[str, Trait], events: EventColumns, as_of: str) -> str:
    """The scan with `moment`, the key of their order, for the events whose order matters, since it is dear."""
    needed = [t for t in traits.values() if needs_order(t, events, as_of)]
    if not needed:
        return scanned
    key = MOMENT_SQL
    if len(needed) < len(traits):
        some = dict.fromkeys(" AND ".join([f"event = {literal(t.event)}", *window(t, as_of)]) for t in needed)
        key = f"CASE WHEN {' OR '.join(some)} THEN {MOMENT_SQL} END"
    return f"SELECT *, {key} AS {MOMENT} FROM (\n{scanned}\n)"


def needs_order(trait: Trait, events: EventColumns, as_of: str) -> bool:
    """True when the value of a trait depends on the order of its events, so on `moment`."""
    return sql_needs_order(trait, events, as_of) if trait.sql else verb_needs_order(trait)


def visible(as_of: str, windows: list[int | None]) -> Visible:
    """Events that have arrived and happened by as_of, inside the longest window if all have one."""
    days = [w for w in windows if w]
    return Visible(as_of, max(days) if days and len(days) == len(windows) else None)


def trait_paths(trait: Trait) -> set[str]:
    """Properties of the event that a trait reads."""
    own = {path for path in (trait.event_property, trait.order_by) if path}
    in_sql = {path for path, _ in expression_uses(trait.sql)} if trait.sql else set()
    return (own | in_sql | set(condition_fields(trait.where))) - set(BUILTIN)


def aggregations(traits: dict[str, Trait], events: EventColumns, as_of: str) -> list[str]:
    """Named subqueries over a scan named events, each with a row per person.

    One for all plain verbs over an event, one for all verbs over the distinct values of a property, one for each
    trait with windows.
    """
    of_event: dict[str, dict[str, Trait]] = defaultdict(dict)
    of_value: dict[str, dict[str, Trait]] = defaultdict(dict)
    steps = {}
    for name, trait in traits.items():
        if has_windows(trait):
            steps[f"windows_of_{name}"] = windowed_sql(name, trait, events, as_of)
        elif trait.verb in OVER_VALUES:
            of_value[trait_value(trait, events).sql][name] = trait
        else:
            of_event[trait.event][name] = trait
    for number, (event, some) in enumerate(of_event.items(), 1):
        steps[f"events_{number}"] = over_events(event, some, events, as_of)
    for number, (value, some) in enumerate(of_value.items(), 1):
        steps[f"values_{number}"] = over_distinct(value, some, events, as_of)
    return [f"{quote(step)} AS (\n{sql}\n)" for step, sql in steps.items()]


def over_events(event: str, traits: dict[str, Trait], events: EventColumns, as_of: str) -> str:
    """SELECT of one row per person with traits that one aggregate over the events of a name gives."""
    values = ",\n  ".join(
        f"{plain_sql(t, events, as_of) if t.sql else aggregate_sql(t, events, as_of)} AS {quote(n)}"
        for n, t in traits.items()
    )
    return f"SELECT profile_key, {values}\nFROM events WHERE event = {literal(event)} GROUP BY profile_key"


def over_distinct(value: str, traits: dict[str, Trait], events: EventColumns, as_of: str) -> str:
    """SELECT of one row per person with traits over the distinct values of a property, grouped once for all."""
    picked = {name: rows_sql(trait, events, as_of) for name, trait in traits.items()}
    conditions = list(dict.fromkeys(picked.values()))
    rows = picked if len(conditions) > 1 else dict.fromkeys(picked, "")
    seen = "".join(f", {sql}" for name, trait in traits.items() for sql in seen_sql(name, trait, rows[name]))
    values = ", ".join(f"{over_values_sql(name, trait, rows[name])} AS {quote(name)}" for name, trait in traits.items())
    some = " OR ".join(f"({condition})" for condition in conditions)
    return (
        f"SELECT profile_key, {values} FROM (\n  SELECT profile_key, {value} AS value{seen}\n"
        f"  FROM events WHERE {value} IS NOT NULL AND ({some}) GROUP BY 1, 2)\nGROUP BY profile_key"
    )


def select_all_traits(
    project: Project, entity: str, tables: Iterable[str], people: str, as_of: str, *, distributions: str = DISTRIBUTIONS
) -> str:
    """SELECT of one row per person with everything known before predictions, from the tables of stored traits."""
    joins = "".join(f" LEFT JOIN {table} USING (profile_id)" for table in tables)
    late = set(traits_after_predictions(project, entity))
    names = [n for n in read_traits(project, entity) if n not in late]
    reading = Reading.of(project, entity, as_of, distributions)
    return add_traits(f"SELECT * EXCLUDE (profile_key) FROM {people}{joins}", names, project.facts_of(entity), reading)
