"""Brute-force owners of id values: whose rows carried each value, and whose did so last."""

from collections.abc import Container, Iterable, Mapping
from datetime import date, datetime

from tests.oracles.identity import Node, Row


def counting(rows: Iterable[Row], as_of: date) -> list[Row]:
    """Rows that count at a day: seen by then, and not superseded by a later version of their record."""
    return [r for r in rows if not r.duplicate and r.visible <= as_of and (r.until is None or r.until > as_of)]


def profile_of(row: Row, profiles: Mapping[Node, str]) -> str | None:
    """Profile of the first id of a row, in declared order, that has one."""
    return next((profiles[node] for node in row.ids if node in profiles), None)


def owners(
    rows: Iterable[Row], id_type: str, profiles: Mapping[Node, str], blocked: Container[Node]
) -> dict[str, tuple[str, int]]:
    """Owner of each value of an id type, and the number of profiles that were seen with it."""
    seen: dict[str, dict[str, datetime]] = {}
    for row in rows:
        profile = profile_of(row, profiles)
        for node in row.ids:
            if node[0] == id_type and profile and node not in blocked:
                times = seen.setdefault(node[1], {})
                times[profile] = max(row.time, times.get(profile, row.time))
    return {value: (_last(times), len(times)) for value, times in seen.items()}


def _last(times: Mapping[str, datetime]) -> str:
    newest = max(times.values())
    return min(profile for profile, time in times.items() if time == newest)
