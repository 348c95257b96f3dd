"""Attribution: credits beside an independent count on random journeys, and a million touches beside sorting them."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import combinations
from math import comb

import duckdb
import numpy as np

from benchmarks.measure import Figure, compare
from ml.attribution.credits import CREDITS, stage_credits, staged_steps
from ml.attribution.journeys import NONE, stage_journeys
from ml.attribution.markov import chain_of

PATHS, WINDOW, CLOSE = 10_000, 30, 1e-9
START, AS_OF = datetime(2025, 1, 1), date(2025, 12, 31)
CHANNELS = ("ads", "direct", "email", "search", "social")
Con = duckdb.DuckDBPyConnection
Person = tuple[list[tuple[int, str]], int | None]


def attribution(touches: int) -> Iterator[Figure]:
    """Worst deviations on 10,000 random paths, as a share of the conversions, and the time of many touches."""
    people = _people(PATHS)
    with duckdb.connect() as con:
        _stage(con, people)
        yield from _deviations(con, [_path(person) for person in people if person[1] is not None], people)
    yield _many(touches)


def _people(count: int) -> list[Person]:
    """Touches (hour, channel) of each person, and the hour of a conversion after them or none."""
    chance = np.random.default_rng(7)
    found: list[Person] = []
    for _ in range(count):
        hours = np.sort(chance.choice(60 * 24, chance.integers(1, 9), replace=False))
        won = 60 * 24 if chance.random() < 0.4 else None
        found.append(([(int(hour), str(chance.choice(CHANNELS))) for hour in hours], won))
    return found


def _path(person: Person) -> list[str]:
    touches, won = person
    assert won is not None
    return [channel for hour, channel in touches if won // 24 - hour // 24 < WINDOW] or [NONE]


def _stage(con: Con, people: list[Person]) -> None:
    rows = [
        (n, START + timedelta(hours=hour), channel)
        for n, (touches, _) in enumerate(people)
        for hour, channel in touches
    ]
    rows += [(n, START + timedelta(hours=won), "") for n, (_, won) in enumerate(people) if won is not None]
    con.execute("CREATE TEMP TABLE events (person BIGINT, time TIMESTAMP, channel VARCHAR)")
    con.execute("INSERT INTO events SELECT unnest(?), unnest(?), unnest(?)", [list(c) for c in zip(*rows, strict=True)])
    _credit(con)


def _credit(con: Con) -> None:
    dated = "SELECT *, time::DATE AS day, 1 AS value FROM events"
    stage_journeys(con, f"({dated} WHERE channel <> '')", f"({dated} WHERE channel = '')", WINDOW, AS_OF)
    stage_credits(con, ["direct"], 7.0)


def _deviations(con: Con, paths: list[list[str]], people: list[Person]) -> Iterator[Figure]:
    shares: dict[str, dict[str, float]] = defaultdict(dict)
    query = f"SELECT model, channel, sum(conversions) FROM {CREDITS} GROUP BY ALL"
    for model, channel, count in con.execute(query).fetchall():
        shares[model][channel] = count
    off = max(abs(sum(found.values()) - len(paths)) for found in shares.values())
    yield _worst("credits of nine models and the conversions", off / len(paths))
    for model, wanted in {**_counted(paths), "shapley": _shapley(paths)}.items():
        names = wanted.keys() | shares[model].keys()
        off = max(abs(wanted.get(name, 0.0) - shares[model].get(name, 0.0)) for name in names)
        yield _worst(f"{model} and an independent count", off / len(paths))
    won, failed = _outcomes(people)
    for order in (1, 2):
        base = chain_of(staged_steps(con), order).conversion_probability()
        yield _worst(f"markov_{order}: base probability and observed rate", abs(base - won / (won + failed)))


def _counted(paths: list[list[str]]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {"first": Counter(), "last": Counter(), "linear": Counter()}
    for path in paths:
        found["first"][path[0]] += 1
        found["last"][path[-1]] += 1
        for channel in path:
            found["linear"][channel] += 1 / len(path)  # type: ignore[assignment]
    return found


def _shapley(paths: list[list[str]]) -> dict[str, float]:
    """Sum over all coalitions, where one wins the journeys that need no other channel."""
    sets = Counter(frozenset(path) for path in paths)
    players = sorted({channel for one in sets for channel in one})
    groups = [frozenset(group) for size in range(len(players) + 1) for group in combinations(players, size)]
    worth = {group: sum(count for one, count in sets.items() if one <= group) for group in groups}
    return {
        player: sum(
            (worth[group | {player}] - worth[group]) / len(players) / comb(len(players) - 1, len(group))
            for group in groups
            if player not in group
        )
        for player in players
    }


def _outcomes(people: list[Person]) -> tuple[int, int]:
    """Journeys of touches that won, and that failed: nobody converted within the window of them."""
    won = failed = 0
    for touches, at in people:
        inside = sum(at is not None and at // 24 - hour // 24 < WINDOW for hour, _ in touches)
        won, failed = won + (inside > 0), failed + (inside < len(touches))
    return won, failed


def _many(touches: int) -> Figure:
    with duckdb.connect(config={"threads": 2}) as con:
        con.execute(
            f"""CREATE TEMP TABLE events AS
            SELECT (hash(i) % {touches // 8})::BIGINT AS person,
                TIMESTAMP '2025-01-01' + to_seconds((hash(i, 1) % 31000000)::BIGINT) AS time,
                CASE WHEN hash(i, 2) % 8 > 0 THEN 'channel ' || hash(i, 3) % 12 ELSE '' END AS channel
            FROM range({touches}) t(i)"""
        )
        sort = "CREATE OR REPLACE TEMP TABLE sorted AS FROM events ORDER BY person, time, channel"
        name = f"{touches:,} touches, nine models"
        return compare(name, lambda: _credit(con), lambda: con.execute(sort), "DuckDB sorting the touches", 25)


def _worst(name: str, deviation: float) -> Figure:
    return Figure(f"attribution, {name}", deviation, CLOSE, f"{CLOSE:g}", 1.0, 0.0, 0.0)
