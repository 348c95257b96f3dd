"""Credits of channels against independent counts on random journeys."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import combinations
from math import factorial
from typing import Any

import duckdb
import numpy as np
import pytest

from ml.attribution.credits import CREDITS, MODELS, stage_credits, staged_steps
from ml.attribution.journeys import NONE, TOUCHES, stage_journeys
from ml.attribution.markov import chain_of, learn_chain, removal_shares

AS_OF, WINDOW, HALF_LIFE = date(2025, 6, 30), 20, 7.0
CHANNELS = ("ads", "direct", "email", "search", "social")
START = datetime(2025, 1, 1)
Event = tuple[int, datetime, str, float]


def random_events(people: int, seed: int) -> list[Event]:
    """Touches (a channel) and conversions ("", with a value) at distinct times of each person."""
    rng = np.random.default_rng(seed)
    found: list[Event] = []
    for person in range(people):
        days = np.sort(rng.choice(179 * 24, rng.integers(1, 12), replace=False))
        for hour in days:
            won = rng.random() < 0.3
            channel = "" if won else str(rng.choice(CHANNELS, p=[0.4, 0.2, 0.2, 0.1, 0.1]))
            value = float(rng.integers(0, 100)) if won else 0.0
            found.append((person, START + timedelta(hours=int(hour)), channel, value))
    return found


def expected_journeys(events: list[Event]) -> list[tuple[bool, list[tuple[str, float]], date, float]]:
    """(won, touches with their age, day, value) of every journey, one event after the other."""
    journeys, by_person = [], defaultdict(list)
    for event in sorted(events):
        by_person[event[0]].append(event)
    for mine in by_person.values():
        waiting: list[Event] = []
        for event in mine:
            if event[2]:
                waiting.append(event)
                continue
            led = [t for t in waiting if (event[1].date() - t[1].date()).days < WINDOW]
            lost = [t for t in waiting if t not in led]
            ages = [(t[2], (event[1] - t[1]) / timedelta(days=1)) for t in led] or [(NONE, 0.0)]
            journeys.append((True, ages, event[1].date(), event[3]))
            if lost:
                journeys.append((False, [(t[2], 0.0) for t in lost], lost[0][1].date(), 0.0))
            waiting = []
        lost = [t for t in waiting if t[1].date() + timedelta(days=WINDOW) <= AS_OF + timedelta(days=1)]
        if lost:
            journeys.append((False, [(t[2], 0.0) for t in lost], lost[0][1].date(), 0.0))
    return journeys


def shares(path: list[tuple[str, float]]) -> Iterator[tuple[str, str, Any]]:
    channels, n = [c for c, _ in path], len(path)
    reasons = [c for c in channels if c != "direct"]
    yield "first", channels[0], 1
    yield "last", channels[-1], 1
    yield "last_non_direct", reasons[-1] if reasons else channels[-1], 1
    weights = [2 ** (-age / HALF_LIFE) for _, age in path]
    for place, channel in enumerate(channels):
        yield "linear", channel, Fraction(1, n)
        yield "time_decay", channel, weights[place] / sum(weights)
        ends = place in (0, n - 1)
        yield "position", channel, Fraction(1, n) if n <= 2 else Fraction(2, 5) if ends else Fraction(1, 5 * (n - 2))
    for channel in set(channels):
        yield "shapley", channel, Fraction(1, len(set(channels)))


@pytest.fixture(scope="module")
def events() -> list[Event]:
    return random_events(4_000, 1)


def stage(con: duckdb.DuckDBPyConnection, events: list[Event]) -> None:
    con.execute("CREATE TEMP TABLE events (person BIGINT, time TIMESTAMP, channel VARCHAR, value DOUBLE)")
    columns = [list(column) for column in zip(*events, strict=True)]
    con.execute("INSERT INTO events SELECT unnest(?), unnest(?), unnest(?), unnest(?)", columns)
    dated = "SELECT *, time::DATE AS day FROM events"
    touches, won = f"({dated} WHERE channel <> '')", f"({dated} WHERE channel = '')"
    stage_journeys(con, touches, won, WINDOW, AS_OF)
    stage_credits(con, ["direct"], HALF_LIFE)


@pytest.fixture(scope="module")
def con(events: list[Event]) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        stage(con, events)
        yield con


def test_journeys_are_those_found_one_event_after_the_other(con: Any, events: list[Event]) -> None:
    found = con.execute(
        f"""SELECT any_value(conversions) > 0, list((channel, age) ORDER BY position), any_value(day),
        any_value(value) FROM {TOUCHES} GROUP BY journey"""
    ).fetchall()
    wanted = expected_journeys(events)
    assert len(wanted) >= 10_000
    shown = [
        sorted((won, [(c, round(a, 6)) for c, a in path], day, value) for won, path, day, value in journeys)
        for journeys in (found, wanted)
    ]
    assert shown[0] == shown[1]


def test_rules_equal_an_independent_count(con: Any, events: list[Event]) -> None:
    wanted: dict[tuple[str, str, date], list[Any]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
    for won, path, day, value in expected_journeys(events):
        for model, channel, share in shares(path) if won else ():
            wanted[model, channel, day][0] += share
            wanted[model, channel, day][1] += share * Fraction(value) if isinstance(share, Fraction) else share * value
    found = con.execute(f"SELECT model, channel, day, conversions, value FROM {CREDITS}").fetchall()
    mine = {(m, c, d): (n, v) for m, c, d, n, v in found if not m.startswith("markov") and (n or v)}
    assert mine.keys() == wanted.keys()
    for key, (count, value) in wanted.items():
        assert mine[key] == pytest.approx((float(count), float(value)), rel=1e-9, abs=1e-9), key


def test_credits_of_every_model_add_up_to_the_conversions(con: Any, events: list[Event]) -> None:
    found = con.execute(f"SELECT model, sum(conversions), sum(value) FROM {CREDITS} GROUP BY 1").fetchall()
    won = [event for event in events if not event[2]]
    assert {model for model, *_ in found} == set(MODELS)
    for model, conversions, value in found:
        assert conversions == pytest.approx(len(won), rel=1e-9), model
        assert value == pytest.approx(sum(event[3] for event in won), rel=1e-9), model


def test_conversions_without_a_touch_are_nobodys_in_every_model(con: Any, events: list[Event]) -> None:
    alone = sum(won and path[0][0] == NONE for won, path, _, _ in expected_journeys(events))
    found = con.execute(f"SELECT model, sum(conversions) FROM {CREDITS} WHERE channel = '{NONE}' GROUP BY 1").fetchall()
    assert dict(found) == dict.fromkeys(MODELS, alone)


@pytest.mark.parametrize("order", [1, 2])
def test_a_chain_converts_as_often_as_journeys_do(con: Any, events: list[Event], order: int) -> None:
    """And it is the chain of the paths found one event after the other, transition by transition."""
    paths: dict[tuple[str, ...], list[int]] = defaultdict(lambda: [0, 0])
    for won, touches, _, _ in expected_journeys(events):
        paths[tuple(channel for channel, _ in touches)][0 if won else 1] += 1
    paths.pop((NONE,))
    won, lost = (sum(counts[i] for counts in paths.values()) for i in (0, 1))
    chain = chain_of(staged_steps(con), order)
    assert chain.conversion_probability() == pytest.approx(won / (won + lost), abs=1e-9)
    wanted = learn_chain({path: (won, lost) for path, (won, lost) in paths.items()}, order)
    assert chain.states == wanted.states
    assert (chain.moves == wanted.moves).all()
    assert (chain.wins == wanted.wins).all()


@pytest.mark.parametrize("order", [1, 2])
def test_removal_is_what_walks_through_the_chain_lose(order: int) -> None:
    """Powers of the transition matrix instead of the solved equations."""
    rng = np.random.default_rng(2)
    paths = {}
    for _ in range(60):
        path = tuple(map(str, rng.choice(CHANNELS, rng.integers(1, 5))))
        paths[path] = (float(rng.integers(0, 9)), float(rng.integers(1, 30)))
    chain = learn_chain(paths, order)

    def walked(without: str | None) -> float:
        at, won = np.eye(len(chain.states))[0], 0.0
        for _ in range(400):
            won += float(at @ chain.wins)
            at = at @ chain.moves
            at[[bool(state) and state[-1] == without for state in chain.states]] = 0
        return won

    lost = {channel: walked(None) - walked(channel) for channel in CHANNELS}
    for channel in (None, *CHANNELS):
        assert chain.conversion_probability(channel) == pytest.approx(walked(channel), abs=1e-9)
    for channel, share in removal_shares(chain, CHANNELS).items():
        assert share == pytest.approx(lost[channel] / sum(lost.values()), abs=1e-9)


def test_a_chain_worked_out_by_hand() -> None:
    """c1 → c2 → c3 won, c1 failed, c2 → c3 failed: the base is 1/3, and without c1 half of the start is left."""
    chain = learn_chain({("c1", "c2", "c3"): (1, 0), ("c1",): (0, 1), ("c2", "c3"): (0, 1)})
    assert chain.conversion_probability() == pytest.approx(1 / 3)
    assert chain.conversion_probability("c1") == pytest.approx(1 / 6)
    assert removal_shares(chain, ["c1", "c2", "c3"]) == pytest.approx({"c1": 0.2, "c2": 0.4, "c3": 0.4})


def test_the_split_over_distinct_channels_is_the_shapley_value(con: Any, events: list[Event]) -> None:
    """Brute force over all coalitions, where a coalition wins the journeys that need no other channel."""
    sets = [frozenset(c for c, _ in path) for won, path, _, _ in expected_journeys(events) if won]
    players = sorted({channel for one in sets for channel in one})
    worth = {
        frozenset(group): sum(one <= frozenset(group) for one in sets)
        for size in range(len(players) + 1)
        for group in combinations(players, size)
    }
    found = dict(
        con.execute(f"SELECT channel, sum(conversions) FROM {CREDITS} WHERE model = 'shapley' GROUP BY 1").fetchall()
    )
    for player in players:
        value = Fraction(0)
        for group, count in worth.items():
            if player not in group:
                weight = Fraction(
                    factorial(len(group)) * factorial(len(players) - len(group) - 1), factorial(len(players))
                )
                value += weight * (worth[group | {player}] - count)
        assert found[player] == pytest.approx(float(value), rel=1e-9)


def test_order_of_rows_changes_nothing(con: Any, events: list[Event]) -> None:
    with duckdb.connect() as other:
        stage(other, [events[i] for i in np.random.default_rng(3).permutation(len(events))])
        ways = [c.execute(f"SELECT * FROM {CREDITS} ORDER BY ALL").fetchall() for c in (con, other)]
    assert ways[0] == ways[1]


def test_nothing_at_all_is_no_credit() -> None:
    with duckdb.connect() as con:
        stage(con, [(1, START, "ads", 0.0)])
        assert con.execute(f"SELECT count(*) FROM {CREDITS}").fetchone() == (0,)
    with pytest.raises(ValueError, match="no journeys"):
        learn_chain({})
    with pytest.raises(ValueError, match="must be 1 or 2"):
        learn_chain({("ads",): (1, 1)}, 3)
