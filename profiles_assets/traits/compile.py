"""One SQL statement per section: each source is scanned once, for all traits of the section."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

import sqlglot
from sqlglot import exp

from profiles_assets.project.graph import traits_after_predictions
from profiles_assets.project.project import Project
from profiles_assets.project.traits import TRAIT_VERBS, Trait
from profiles_assets.traits.columns import BUILTIN, EventColumns
from profiles_assets.traits.conditions import condition_fields
from profiles_assets.traits.derived import Reading, add_traits, read_traits, stored_column, stored_traits
from profiles_assets.traits.metrics import DISTRIBUTIONS
from profiles_assets.traits.verbs import ORDER, aggregate_sql, finished, rows_sql, trait_value
from resources.tables import quote

OWN_SCAN = ("most_frequent", "sql")


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
    names = stored_traits(project, section)
    traits = {n: project.sections[section].traits[n] for n in names}
    base = {n: t for n, t in traits.items() if t.verb not in TRAIT_VERBS}
    scanned = scans(base, events, as_of, who.attribution, project.sections[section].entity)
    if not scanned:
        return f"SELECT profile_id FROM {who.people}"
    steps = [f"events AS MATERIALIZED (\n{scanned}\n)", *aggregations(base, events, as_of)]
    joins = "".join(f"\nLEFT JOIN {step.split(' AS ', 1)[0]} USING (profile_key)" for step in steps[1:])
    values = [f"{finished(t, quote(n))} AS {quote(stored_column(n, t))}" for n, t in base.items()]
    select = f"SELECT profile_id, {', '.join(values)}\nFROM {who.people}{joins}"
    derived = [n for n in names if n not in base]
    return f"WITH {', '.join(steps)}\n{add_traits(select, derived, traits, Reading(as_of))}"


def scans(traits: dict[str, Trait], events: EventColumns, as_of: str, attribution: str, entity: str) -> str:
    """Union of one scan per source, of all events that these traits read; empty when no source was loaded."""
    used: dict[str, list[Trait]] = defaultdict(list)
    for trait in traits.values():
        for source in events.sources(trait.event):
            used[source].append(trait)
    join = f"{attribution} a ON a.tuple_key = e.{quote(f'tuple_{entity}')}"
    selects = [
        events.scan(
            source,
            [t.event for t in some],
            [path for t in some for path in trait_paths(t)],
            join,
            visible(as_of, [t.within for t in some]),
        )
        for source, some in sorted(used.items())
    ]
    return "\nUNION ALL BY NAME\n".join(selects)


def visible(as_of: str, windows: list[int | None]) -> str:
    """Condition on raw events: arrived and happened by as_of, and inside the longest window if all have one."""
    seen = f"e.day <= {as_of} AND e.event_day <= {as_of}"
    days = [w for w in windows if w]
    if len(days) < len(windows):
        return seen
    return f"{seen} AND e.event_day > {as_of} - {max(days)} AND e.day >= {as_of} - {max(days)}"


def trait_paths(trait: Trait) -> set[str]:
    """Properties of the event that a trait reads."""
    own = {trait.event_property} if trait.event_property else set()
    in_sql = set(sql_columns(trait.sql)) if trait.sql else set()
    return (own | in_sql | set(condition_fields(trait.where))) - set(BUILTIN)


def aggregations(traits: dict[str, Trait], events: EventColumns, as_of: str) -> list[str]:
    """Named subqueries over the scan: one for all plain verbs, one for each verb that needs its own grouping."""
    plain = {n: t for n, t in traits.items() if t.verb not in OWN_SCAN}
    steps = []
    if plain:
        values = ",\n  ".join(f"{aggregate_sql(t, events, as_of)} AS {quote(n)}" for n, t in plain.items())
        steps.append(f"plain AS (\nSELECT profile_key, {values}\nFROM events GROUP BY profile_key\n)")
    for name, trait in traits.items():
        if trait.verb in OWN_SCAN:
            query = most_frequent_sql if trait.verb == "most_frequent" else sql_trait_sql
            steps.append(f"{quote('of_' + name)} AS (\n{query(name, trait, events, as_of)}\n)")
    return steps


def most_frequent_sql(name: str, trait: Trait, events: EventColumns, as_of: str) -> str:
    """Value seen most often; of values seen equally often, the one seen last."""
    value = trait_value(trait, events).sql
    return (
        f"SELECT profile_key, arg_max(value, {{'n': seen, 'last': last}}) AS {quote(name)} FROM (\n"
        f"SELECT profile_key, {value} AS value, count(*) AS seen, max({ORDER}) AS last FROM events\n"
        f"WHERE {rows_sql(trait, events, as_of)} AND {value} IS NOT NULL GROUP BY ALL) GROUP BY profile_key"
    )


def sql_trait_sql(name: str, trait: Trait, events: EventColumns, as_of: str) -> str:
    """A user's aggregate over the rows of one event, its properties named as in the data."""
    expression = bound(str(trait.sql), trait.event, events, as_of)
    where = rows_sql(trait, events, as_of)
    return f"SELECT profile_key, {expression} AS {quote(name)} FROM events WHERE {where} GROUP BY profile_key"


def sql_columns(sql: str) -> list[str]:
    """Properties that a user's expression names."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")
    return [_path(c) for c in tree.find_all(exp.Column) if _path(c) != "as_of"]


def bound(sql: str, event: str, events: EventColumns, as_of: str) -> str:
    """A user's expression with its properties bound to the columns of a scan, and `as_of` to the day."""
    tree = sqlglot.parse_one(sql, dialect="duckdb")

    def bind(node: exp.Expr) -> exp.Expr:
        if not isinstance(node, exp.Column):
            return node
        value = as_of if _path(node) == "as_of" else events.value(event, _path(node)).sql
        return sqlglot.parse_one(value, dialect="duckdb")

    return tree.transform(bind).sql(dialect="duckdb")


def _path(column: exp.Column) -> str:
    return ".".join(part.name for part in column.parts)


def select_all_traits(
    project: Project, entity: str, tables: Iterable[str], people: str, as_of: str, *, distributions: str = DISTRIBUTIONS
) -> str:
    """SELECT of one row per person with everything known before predictions, from the tables of stored traits."""
    joins = "".join(f" LEFT JOIN {table} USING (profile_id)" for table in tables)
    late = set(traits_after_predictions(project, entity))
    names = [n for n in read_traits(project, entity) if n not in late]
    reading = Reading.of(project, entity, as_of, distributions)
    return add_traits(f"SELECT * EXCLUDE (profile_key) FROM {people}{joins}", names, project.facts_of(entity), reading)
