"""Markov chains of journeys: what conversions would be lost without a channel, solved exactly.

States are the last one or two channels. Removing a channel sends whoever would enter it to failure; its removal
effect is the share of the conversion probability that this costs (Anderl et al., 2016, "Mapping the customer
journey").
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Path = tuple[str, ...]
Step = tuple[Path, str, float, float]
START: Path = ()


@dataclass(frozen=True)
class Chain:
    """Transition probabilities between states, and from each to a conversion; the rest fails. State 0 is the start."""

    states: tuple[Path, ...]
    moves: NDArray[np.float64]
    wins: NDArray[np.float64]

    def conversion_probability(self, without: str | None = None) -> float:
        """Probability of a conversion from the start, with a channel or without it."""
        entered = np.array([not state or state[-1] != without for state in self.states])
        moves = self.moves * entered[None, :]
        return float(np.linalg.solve(np.eye(len(self.states)) - moves, self.wins)[0])


def learn_chain(paths: Mapping[Path, tuple[float, float]], order: int = 1) -> Chain:
    """Chain of the paths, each with the number of journeys that won and that failed; ValueError without any."""
    return chain_of((step for path, counts in sorted(paths.items()) for step in _steps(path, *counts)), order)


def _steps(path: Path, won: float, failed: float) -> Iterator[Step]:
    for end in range(len(path)):
        yield path[max(0, end - 2) : end], path[end], won + failed, won if end == len(path) - 1 else 0.0


def chain_of(steps: Iterable[Step], order: int = 1) -> Chain:
    """Chain of steps: up to two channels before, channel, journeys, and those that it won; ValueError without any."""
    if order not in (1, 2):
        raise ValueError(f"order is {order}; it must be 1 or 2")
    counts: dict[tuple[Path, Path], float] = {}
    wins: dict[Path, float] = {}
    totals: dict[Path, float] = {}
    for before, channel, journeys, won in steps:
        source, state = before[-order:], (*before, channel)[-order:]
        counts[source, state] = counts.get((source, state), 0.0) + journeys
        wins[state] = wins.get(state, 0.0) + won
        for entered in (state,) if before else (START, state):
            totals[entered] = totals.get(entered, 0.0) + journeys
    return _chain(counts, wins, totals)


def _chain(
    counts: Mapping[tuple[Path, Path], float], wins: Mapping[Path, float], totals: Mapping[Path, float]
) -> Chain:
    if not totals.get(START):
        raise ValueError("there are no journeys")
    states = tuple(sorted(totals, key=lambda state: (len(state), state)))
    place = {state: number for number, state in enumerate(states)}
    moves = np.zeros((len(states), len(states)))
    for (source, target), count in counts.items():
        moves[place[source], place[target]] = count / totals[source]
    return Chain(states, moves, np.array([wins.get(state, 0.0) / totals[state] for state in states]))


def _lost(chain: Chain, visits: NDArray[np.float64], channel: str) -> float:
    """Probability of converting after a first visit of a channel: what its removal costs.

    `visits` are the expected visits of each state from each, (1 - moves)⁻¹, so one inverse serves all channels.
    """
    at = [number for number, state in enumerate(chain.states) if state and state[-1] == channel]
    first = np.linalg.solve(visits[np.ix_(at, at)].T, visits[0, at])
    return float(first @ (visits[at] @ chain.wins))


def removal_shares(chain: Chain, channels: Sequence[str]) -> dict[str, float]:
    """Removal effects of the channels, scaled to add up to one; equal shares where nothing ever converts."""
    visits = np.asarray(np.linalg.inv(np.eye(len(chain.states)) - chain.moves), np.float64)
    lost = {name: max(_lost(chain, visits, name), 0.0) for name in sorted(channels)}
    total = sum(lost.values())
    return {name: value / total if total > 0 else 1 / len(lost) for name, value in lost.items()}
