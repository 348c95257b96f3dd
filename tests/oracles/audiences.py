"""Brute-force history of an audience: who is in after each state, since when, and who came and went."""

from collections.abc import Iterable
from datetime import date

State = tuple[date, frozenset[str]]
Entry = tuple[str, str, date]


def replay(states: Iterable[State]) -> tuple[dict[str, date], list[Entry]]:
    """Members with the day they came in, and the log (profile, change, day), sorted."""
    since: dict[str, date] = {}
    log: list[Entry] = []
    for day, members in states:
        for profile in [p for p in since if p not in members]:
            log.append((profile, "left", day))
            del since[profile]
        for profile in members:
            if profile not in since:
                log.append((profile, "entered", day))
                since[profile] = day
    return since, sorted(log)


def sizes(states: Iterable[State]) -> dict[date, int]:
    """Members at the end of each day."""
    return {day: len(members) for day, members in states}
