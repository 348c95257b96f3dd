"""What is kept of a person's events for each verb: enough to add events, take some away, and join two people.

Every state has `n`, how many values count. Sums add up; an extreme, and the value at an extreme moment, is known
again after a loss unless what is lost reaches it; sets keep how often each value is seen. Moments are kept in
hexadecimal, which sorts as they do and can be read anywhere.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import MOMENT, EventColumns
from profiles_assets.traits.conditions import condition_sql
from profiles_assets.traits.span import Step, Whole
from profiles_assets.traits.verbs import EXACT, OVER_VALUES, plain_verb, trait_value
from resources.tables import literal, quote

TOTAL = "DECIMAL(38, 9)"
EXTREMES = {"min": ("min", "<="), "max": ("max", ">="), "days_since": ("max", ">=")}
PICKS = {"first": ("min", "<="), "latest": ("max", ">=")}
NOTHING_LOST = "false"


@dataclass(frozen=True)
class State:
    """The state of one trait: SQL of its columns from events, from rows to be joined, and of the trait's value."""

    name: str
    trait: Trait
    value: str
    type: str
    span: Whole | Step
    where: str

    @classmethod
    def of(cls, name: str, trait: Trait, events: EventColumns, span: Whole | Step) -> "State":
        """The state of a trait over the columns that the event tables have."""
        found = trait_value(trait, events)
        where = condition_sql(trait.where, lambda field: events.value(trait.event, field)) if trait.where else ""
        if trait.verb == "days_since":
            return cls(name, trait, "event_day", "DATE", span, where)
        if trait.verb in ("sum", "average"):
            return cls(name, trait, EXACT.format(found.sql), TOTAL, span, where)
        return cls(name, trait, found.sql, found.type, span, where)

    @property
    def verb(self) -> str:
        """The verb as it is computed."""
        return plain_verb(self.trait)

    @property
    def of_values(self) -> bool:
        """True for verbs over the distinct values of a property."""
        return self.trait.verb in OVER_VALUES

    def column(self, part: str) -> str:
        """Quoted column of a part of the state."""
        return quote(f"{self.name} {part}")

    def stored(self) -> list[str]:
        """Quoted columns that are kept."""
        return [self.column(part) for part in self._parts()]

    def _parts(self) -> tuple[str, ...]:
        if self.of_values:
            return ("values",)
        if self.verb in ("sum", "average"):
            return ("n", "total")
        if self.verb in EXTREMES:
            return ("n", "best")
        return ("n", "best", "at") if self.verb in PICKS else ("n",)

    def from_events(self) -> dict[str, str]:
        """Aggregates over events of its name: columns of the state, and `lost`, the extreme of what goes."""
        sign, valued = self.span.sign(self.trait), self.verb not in ("count", "exists")
        counted = self._filter(valued=valued)
        found = {"n": f"nullif(sum({sign}) {counted}, 0)::BIGINT"}
        if self.verb in ("sum", "average"):
            signed = f"CASE WHEN {sign} > 0 THEN {self.value} ELSE -{self.value} END"
            found["total"] = f"sum({signed}) {counted}::{TOTAL}"
        elif self.verb in EXTREMES:
            extreme = EXTREMES[self.verb][0]
            found |= {"best": f"{extreme}({self.value}) {self._filter('> 0', valued=True)}"}
            found |= {"lost": f"{extreme}({self.value}) {self._filter('< 0', valued=True)}"}
        elif self.verb in PICKS:
            extreme = PICKS[self.verb][0]
            found |= {"best": f"arg_{extreme}({self.value}, {MOMENT}) {self._filter('> 0', valued=True)}"}
            found |= {"at": f"hex({extreme}({MOMENT}) {self._filter('> 0', valued=True)})"}
            found |= {"lost": f"hex({extreme}({MOMENT}) {self._filter('< 0', valued=True)})"}
        return {self.column(part): sql for part, sql in found.items()}

    def seen(self) -> dict[str, str]:
        """Aggregates over the events with one value: how often it counts, its last moment, that of what goes."""
        sign = self.span.sign(self.trait)
        moments = [f"hex(max({MOMENT}) {self._own(f'{sign} {test} 0')})" for test in "><"]
        last, lost = moments if self.needs_moment else ("NULL::VARCHAR", "NULL::VARCHAR")
        seen = f"coalesce(sum({sign}) {self._own()}, 0)::BIGINT"
        return {self.column("seen"): seen, self.column("last"): last, self.column("lost"): lost}

    def listed(self) -> str:
        """Aggregate over the distinct values that lists those which come or go, or those which count."""
        seen, last, lost = (self.column(part) for part in ("seen", "last", "lost"))
        entry = f"'value': value, 'seen': {seen}, 'last': {last}"
        if isinstance(self.span, Whole):
            return f"list({{{entry}}} ORDER BY value) FILTER (WHERE {seen} > 0) AS {self.column('values')}"
        some = f"{seen} <> 0 OR {last} IS NOT NULL OR {lost} IS NOT NULL"
        return f"list({{{entry}, 'lost': {lost}}}) FILTER (WHERE {some}) AS {self.column('values')}"

    @property
    def needs_moment(self) -> bool:
        """True when the moments of events decide."""
        return self.verb in (*PICKS, "most_frequent") or self.trait.keep is not None

    def joined(self) -> dict[str, str]:
        """Aggregates over rows of states that give the columns of their sum, and `broken`: True if it is unknown."""
        n, best, at, lost = (self.column(part) for part in ("n", "best", "at", "lost"))
        some, found, broken = f"sum({n}) > 0", {n: f"nullif(sum({n}), 0)::BIGINT"}, NOTHING_LOST
        if self.verb in ("sum", "average"):
            found[self.column("total")] = f"CASE WHEN {some} THEN sum({self.column('total')})::{TOTAL} END"
        elif self.verb in EXTREMES:
            extreme, reaches = EXTREMES[self.verb]
            found[best] = f"CASE WHEN {some} THEN {extreme}({best}) END"
            broken = f"{some} AND {extreme}({lost}) {reaches} {extreme}({best})"
        elif self.verb in PICKS:
            extreme, reaches = PICKS[self.verb]
            found[best] = f"CASE WHEN {some} THEN arg_{extreme}({best}, {at}) END"
            found[at] = f"CASE WHEN {some} THEN {extreme}({at}) END"
            broken = f"{some} AND {extreme}({lost}) {reaches} {extreme}({at})"
        return found | {self.column("broken"): f"coalesce({broken}, false)"}

    def joined_values(self, old: str, new: str) -> str:
        """SELECT of (profile_key, values, broken) from old states and rows of change; lists nobody touched stay."""
        values = self.column("values")
        broken = "coalesce(lost >= last, false)" if self.needs_moment else NOTHING_LOST
        touched = f"SELECT profile_key FROM {new} WHERE {values} IS NOT NULL UNION SELECT new_key FROM joined"
        return f"""SELECT profile_key, bool_or({broken}) AS {self.column("broken")},
            list({{'value': value, 'seen': seen, 'last': last}} ORDER BY value) AS {values}
        FROM (SELECT profile_key, value, sum(seen)::BIGINT AS seen, max(last) AS last, max(lost) AS lost FROM (
            SELECT profile_key, v.value, v.seen, v.last, NULL::VARCHAR AS lost
            FROM (SELECT profile_key, unnest({values}) AS v FROM {old} WHERE profile_key IN ({touched}))
            UNION ALL BY NAME
            SELECT profile_key, v.value, v.seen, v.last, v.lost
            FROM (SELECT profile_key, unnest({values}) AS v FROM {new}))
            GROUP BY profile_key, value HAVING sum(seen) > 0)
        GROUP BY profile_key
        UNION ALL BY NAME SELECT profile_key, false AS {self.column("broken")}, {values} FROM {old}
        WHERE {values} IS NOT NULL AND profile_key NOT IN ({touched})"""

    def is_empty(self) -> str:
        """Condition that a row has nothing of this trait."""
        return f"{self.column('values' if self.of_values else 'n')} IS NULL"

    def result(self) -> str:
        """Value of the trait from the columns of its state; none where it has none."""
        n, best, values = (self.column(part) for part in ("n", "best", "values"))
        match self.verb:
            case "count":
                return n
            case "exists":
                return f"{n} > 0"
            case "sum":
                return f"{self.column('total')}::DOUBLE"
            case "average":
                return f"{self.column('total')}::DOUBLE / nullif({n}, 0)"
            case _:
                return self._of_list(values) if self.of_values else best

    def _of_list(self, values: str) -> str:
        if self.verb in ("days_with", "unique_count"):
            return f"len({values})"
        if self.verb == "unique":
            if not self.trait.keep:
                return f"list_sort(list_transform({values}, lambda v: v.value))"
            newest = f"list_sort(list_transform({values}, lambda v: {{'last': v.last, 'value': v.value}}), 'DESC')"
            return f"list_sort(list_transform({newest}[:{self.trait.keep}], lambda v: v.value))"
        enough = f"list_filter({values}, lambda v: v.seen >= {self.trait.at_least or 1})"
        most = f"list_transform({enough}, lambda v: {{'seen': v.seen, 'last': v.last, 'value': v.value}})"
        return f"list_sort({most}, 'DESC')[1].value"

    def _filter(self, sign: str = "", *, valued: bool) -> str:
        tests = [f"{self.span.sign(self.trait)} {sign}"] if sign else []
        return self._own(*tests, *([f"{self.value} IS NOT NULL"] if valued else []))

    def _own(self, *tests: str) -> str:
        """Filter on the events of the trait."""
        event = [f"event = {literal(self.trait.event)}"] if self.of_values else []
        some = [*event, *self.span.rows(self.trait), *([self.where] if self.where else []), *tests]
        return f"FILTER (WHERE {' AND '.join(some)})" if some else ""


def states_of(traits: dict[str, Trait], events: EventColumns, span: Whole | Step) -> list[State]:
    """States of the traits that have one: all verbs but `sql`."""
    return [State.of(name, trait, events, span) for name, trait in traits.items() if not trait.sql]


def grouped(states: Iterable[State], key: Callable[[State], str]) -> dict[str, list[State]]:
    """States by a property of theirs, in order."""
    found: dict[str, list[State]] = {}
    for state in states:
        found.setdefault(key(state), []).append(state)
    return found
