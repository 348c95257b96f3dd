"""The events that made traits change since they were computed: those that came or went, and those kept ones that
begin or cease to count because the day has moved on."""

from collections.abc import Iterator
from dataclasses import dataclass

from profiles_assets.events.visible import counts_sql
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import MOMENT, MOMENT_SQL, EventColumns, Wanted
from profiles_assets.traits.compile import needs_order, readers, trait_paths
from profiles_assets.traits.span import AFTER, BEFORE, Step
from resources.feed import Feed
from resources.tables import quote

SCHEMA = "raw_events"


@dataclass(frozen=True)
class Signed:
    """Where events stand, from when to when they are followed, what changed in the lake, and whose they are."""

    events: EventColumns
    span: Step
    feed: Feed
    owners: str
    entity: str


def signed_sql(traits: dict[str, Trait], of: Signed) -> str:
    """Union of scans of the events that count now and did not, or the other way round.

    Besides the columns of a scan, rows have how often they count in the state after and in the one before. An event
    that was rewritten counts both ways.
    """
    used = readers(traits, of.events)
    union = "\nUNION ALL BY NAME\n".join(sql for source, some in used.items() for sql in _of_source(source, some, of))
    ordered = any(needs_order(trait, of.events, of.span.as_of) for trait in traits.values())
    moment = f"{MOMENT_SQL if ordered else 'NULL::BLOB'} AS {MOMENT}"
    # whose the events are is asked once for all of them: there are far more owners than events that count otherwise
    return (
        f"SELECT profile_key, c.* EXCLUDE (tuple_key), {moment} FROM (\n{union}\n) c JOIN {of.owners} USING (tuple_key)"
    )


def _of_source(source: str, traits: list[Trait], of: Signed) -> Iterator[str]:
    names, paths = [t.event for t in traits], [path for t in traits for path in trait_paths(t)]
    spec, span = of.events.project.sources[source], of.span
    counts = [counts_sql(spec, f"DATE '{day}'", "e") for day in (span.after, span.before)]
    after, before = (f"({condition})::INT" for condition in counts)

    def select(rows: str, where: str, plus: str, minus: str) -> str:
        signs = f"{plus} AS {AFTER}", f"{minus} AS {BEFORE}"
        tuples = f"e.{quote(f'tuple_{of.entity}')} AS tuple_key"
        return of.events.select(Wanted(source, names, paths, tuples), f"{rows} e", where, signs)

    # a scan for each stretch of days: the statistics of files rule most of them out, but not for all at once
    for some in _stretches(span, {t.within for t in traits if t.within}, spec):
        yield select(of.feed.before(SCHEMA, source), some, after, before)
    yield select(of.feed.came(SCHEMA, source), "true", after, "0")
    yield select(of.feed.went(SCHEMA, source), "true", f"-{after}", "0")


def _stretches(span: Step, windows: set[int], spec: Source) -> list[str]:
    """Conditions on kept events that begin or cease to count, no event meeting two."""
    found = [f"(e.event_day > DATE '{first}' AND e.event_day <= DATE '{last}')"
             for first, last in span.days_of_change(windows)]  # fmt: skip
    moments = ["e.day", *(["e.superseded"] if spec.kind == "records" else [])] if found else []
    for column in moments:
        passed = f"{column} > DATE '{span.before}' AND {column} <= DATE '{span.after}'"
        found.append(f"({passed} AND NOT coalesce({' OR '.join(found)}, false))")
    return found
