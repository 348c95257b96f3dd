"""Attempts at a funnel in SQL: for each event and step, the latest start of an attempt that gets there by then.

Of two attempts that reach the same step, the one that started later can go on wherever the other can: neither
window nor exclusion forbids it what they allow the other. So one running value per step is enough, `before`: the
latest start, as of the events before, or NEVER where whatever was reached is broken. Attempts don't overtake: one
that reaches a step later never started earlier, so the newest value is the one to keep.
"""

from collections.abc import Iterable
from itertools import combinations

from profiles_assets.project.funnels import Funnel

NEVER = "TIMESTAMP '-infinity'"
ORDER = "time, event_id, file, position, event"
BEFORE = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"


def attempts(spec: Funnel) -> dict[str, str]:
    """Named queries over `fitting`; the last has one row per event: time, and start1 … startn.

    start k is the start of the latest attempt that reaches step k with this event, or in any order by it.
    """
    group = ["profile_key", *(f"same{k}" for k in range(1, len(spec.same) + 1))]
    queries = {"comparable": _comparable(spec)} if spec.same else {}
    if spec.same and spec.unless:
        group.append("apart")
    queries["numbered"] = _numbered(spec, ", ".join(group), next(reversed(queries), "fitting"))
    window = f"(PARTITION BY {', '.join(group)} ORDER BY place {BEFORE})"
    return queries | (_in_any_order(spec, window) if spec.order == "any" else _in_order(spec, window))


def first_attempts(starts: str, steps: int) -> str:
    """SELECT of one row per person: of each step the first moment it was reached, and the microseconds it took."""
    first = (
        f"min({{'moment': time, 'took': epoch_us(time) - epoch_us(start{k})}}) "
        f"FILTER (WHERE start{k} IS NOT NULL) AS reached{k}"
        for k in range(1, steps + 1)
    )
    return f"SELECT profile_key, {', '.join(first)} FROM {starts} GROUP BY profile_key"


def _comparable(spec: Funnel) -> str:
    """Events that have the properties; those that lack one and break attempts part what is before and after."""
    complete = " AND ".join(f"same{k} IS NOT NULL" for k in range(1, len(spec.same) + 1))
    if not spec.unless:
        return f"FROM fitting WHERE {complete}"
    window = f"(PARTITION BY profile_key ORDER BY {ORDER} ROWS UNBOUNDED PRECEDING)"
    parted = f"count(*) FILTER (WHERE broken AND NOT ({complete})) OVER {window} AS apart"
    return f"FROM (SELECT *, {parted} FROM fitting) WHERE {complete}"


def _numbered(spec: Funnel, group: str, events: str) -> str:
    """Events with their place in the order, so that only this sort compares texts."""
    fits = [*(f"s{k}" for k in range(1, len(spec.steps) + 1)), *(["broken"] if spec.unless else [])]
    place = f"row_number() OVER (PARTITION BY {group} ORDER BY {ORDER}) AS place"
    return f"SELECT {group}, time, {', '.join(fits)}, {place} FROM {events}"


def _in_order(spec: Funnel, window: str) -> dict[str, str]:
    queries = {"step1": "SELECT *, CASE WHEN s1 THEN time END AS start1 FROM numbered"}
    for k in range(2, len(spec.steps) + 1):
        before = f"arg_max({_mark(spec, k - 1)}, place) OVER {window} AS before"
        start = f"CASE WHEN s{k} AND {_in_time('before', spec)} THEN before END AS start{k}"
        queries[f"step{k}"] = f"SELECT * EXCLUDE (before), {start} FROM (SELECT *, {before} FROM step{k - 1})"
    return queries


def _mark(spec: Funnel, k: int) -> str:
    """What an event tells those after it about step k: a start, NEVER, or nothing (NULL)."""
    taken, cases = f"WHEN start{k} IS NOT NULL THEN start{k}", []
    if spec.unless:
        # the event that starts an attempt does not lie inside it
        broken = f"WHEN broken THEN {NEVER}"
        cases = [taken, broken] if k == 1 else [broken, taken]
    if spec.order == "strict":
        cases = [*(cases or [taken]), f"WHEN NOT s{k} THEN {NEVER}"]
    return f"CASE {' '.join(cases)} END" if cases else f"start{k}"


def _in_time(start: str, spec: Funnel) -> str:
    """Condition on a start: there is one, and the window since then is still open."""
    return f"{start} >= time - to_seconds({spec.within})" if spec.within else f"{start} > {NEVER}"


def _in_any_order(spec: Funnel, window: str) -> dict[str, str]:
    """Steps in any order, each with an event of its own.

    Events since a start can take all steps of an event name if for every choice of these steps at least as many
    events fit one of them (Hall's theorem): then the start is the earliest, over all choices, of the times of their
    last events, counted back. It may be later by one event for each step that is left out.
    """
    together = _together(spec)
    choices = {choice for steps in together for choice in _choices(spec, steps)}
    queries, source = {}, "numbered"
    for depth in range(1, max(map(len, choices)) + 1):
        last = ", ".join(_last(choice, depth, window) for choice in sorted(choices) if len(choice) >= depth)
        queries[f"last{depth}"] = f"SELECT *, {last} FROM {source}"
        source = f"last{depth}"
    starts = ", ".join(_start(spec, steps, k) for steps in together for k in range(1, len(steps) + 1))
    queries["started"] = f"SELECT profile_key, time, list_reverse_sort([{starts}]) AS starts FROM {source}"
    each = (
        f"CASE WHEN {_in_time(f'starts[{k}]', spec)} THEN starts[{k}] END AS start{k}"
        for k in range(1, len(spec.steps) + 1)
    )
    queries["any_order"] = f"SELECT profile_key, time, {', '.join(each)} FROM started"
    return queries


def _together(spec: Funnel) -> list[tuple[int, ...]]:
    """Numbers of the steps by event name: only those of one name can compete for an event."""
    names = dict.fromkeys(step.event for step in spec.steps)
    return [tuple(k for k, step in enumerate(spec.steps, 1) if step.event == name) for name in names]


def _choices(spec: Funnel, steps: Iterable[int]) -> list[tuple[int, ...]]:
    """All choices of steps among these in which equal steps go together."""
    equal: dict[str, list[int]] = {}
    for k in steps:
        equal.setdefault(repr(spec.steps[k - 1].where), []).append(k)
    some = [c for size in range(1, len(equal) + 1) for c in combinations(equal.values(), size)]
    return [tuple(sorted(k for group in choice for k in group)) for choice in some]


def _last(choice: tuple[int, ...], depth: int, window: str) -> str:
    fitting = f"CASE WHEN {_fits(choice)} THEN {_before(choice, depth - 1)} END"
    return f"max({fitting}) OVER {window} AS {_before(choice, depth)}"


def _before(choice: tuple[int, ...], depth: int) -> str:
    """Name of the time, before an event, of the last but `depth` - 1 event that fits one of these steps."""
    return f"before{depth}_of_{'_'.join(map(str, choice))}" if depth else "time"


def _start(spec: Funnel, steps: tuple[int, ...], k: int) -> str:
    """Latest start since which k of these steps can be taken."""
    left_out = len(steps) - k
    times = [
        f"CASE WHEN {_fits(choice)} THEN {_before(choice, depth - 1)} ELSE {_before(choice, depth)} END"
        for choice in _choices(spec, steps)
        if (depth := len(choice) - left_out) > 0
    ]
    return f"least({', '.join(f'coalesce({time}, {NEVER})' for time in times)})"


def _fits(choice: tuple[int, ...]) -> str:
    return f"({' OR '.join(f's{k}' for k in choice)})"
