"""Stable profile ids: a profile keeps the id of its oldest member that had one, through merges and rebuilds.

Age is arrival: (first load day, first event time in it, key). Of two profiles that claim one id, the one
whose claiming member is older has it; the other claims the id of its next oldest member whose id is still free. A
profile left without takes back the last retired id of its oldest member, else the id made from that member's key,
unless a living profile has them; then the key is salted.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, count

import numpy as np

from profiles_assets.identity.graph import NONE, Flags, Graph, Ints, Previous


@dataclass(frozen=True)
class Named:
    """Profile key of each node, and of each profile: its key, and the key that its oldest named member had."""

    node: Ints
    key: Ints
    claim: Ints


def assign_ids(graph: Graph, previous: Previous, profile: Ints) -> Named:
    """Keys of the profiles, numbered in `profile` (-1 outside profiles)."""
    members = np.flatnonzero(profile >= 0)
    at, size = _renumbered(profile[members])
    had = previous.profile[members] != NONE
    keys, claim = _claimed(graph, previous, members[had], at[had], size)
    _name_the_rest(keys, graph, _oldest(graph, members, at, size), previous)
    node = np.full(len(profile), NONE, dtype=np.int64)
    node[members] = keys[at]
    return Named(node, keys, claim)


def retire(previous: Previous, node: Ints) -> Ints:
    """Last retired id of each node: the one it had, if it has another or none now."""
    return np.where((previous.profile != NONE) & (previous.profile != node), previous.profile, previous.retired)


def salted(key: int) -> Iterator[int]:
    """Profile keys made from the key of a node: itself, then its salted hashes."""
    yield key
    for salt in count(1):
        yield int(hashlib.md5(f"{key}:{salt}".encode(), usedforsecurity=False).hexdigest()[:15], 16)


def _renumbered(labels: Ints) -> tuple[Ints, int]:
    """Labels numbered from 0 without gaps, in the same order, and how many there are."""
    present = np.bincount(labels) > 0
    numbers = np.cumsum(present) - 1
    return numbers[labels], int(present.sum())


def _oldest(graph: Graph, nodes: Ints, groups: Ints, size: int) -> Ints:
    """The oldest node of each group, -1 for groups without nodes."""
    for age in (graph.first_day, graph.first_time, graph.keys):
        least = np.full(size, np.iinfo(np.int64).max)
        np.minimum.at(least, groups, age[nodes])
        first = age[nodes] == least[groups]
        nodes, groups = nodes[first], groups[first]
    oldest = np.full(size, NONE, dtype=np.int64)
    oldest[groups] = nodes
    return oldest


def _claimed(graph: Graph, previous: Previous, nodes: Ints, groups: Ints, size: int) -> tuple[Ints, Ints]:
    """Key of each group by the claims of its nodes, -1 where none wins; and the key that its oldest node claims."""
    keys, first = np.full(size, NONE, dtype=np.int64), None
    while len(nodes) or first is None:
        claimer = _oldest(graph, nodes, groups, size)
        claim = np.where(claimer != NONE, previous.profile[claimer], NONE)
        first = claim if first is None else first
        winners = _first_claims(graph, claimer, claim)
        keys[winners] = claim[winners]
        waits = keys[groups] == NONE
        nodes, groups = nodes[waits], groups[waits]
        free = ~np.isin(previous.profile[nodes], keys) if len(nodes) else waits[:0]
        nodes, groups = nodes[free], groups[free]
    return keys, first


def _first_claims(graph: Graph, claimers: Ints, claims: Ints) -> Ints:
    """Groups whose claim holds: of those that claim the same key the one with the oldest claimer."""
    groups = np.flatnonzero(claims != NONE)
    claimed, at = np.unique(claims[groups], return_inverse=True)
    number = np.full(len(graph.keys), NONE, dtype=np.int64)
    number[claimers[groups]] = groups
    return number[_oldest(graph, claimers[groups], at, len(claimed))]


def _name_the_rest(keys: Ints, graph: Graph, oldest: Ints, previous: Previous) -> None:
    rest = np.flatnonzero(keys == NONE)
    made, retired = graph.keys[oldest], previous.retired[oldest]
    wish = np.where(retired[rest] != NONE, retired[rest], made[rest])
    crowded = _contested(wish, made[rest], np.concatenate([keys[keys != NONE], _array(previous.elsewhere)]))
    keys[rest[~crowded]] = wish[~crowded]
    waiting = rest[crowded]
    taken = {*keys.tolist(), *previous.elsewhere} if len(waiting) else set()
    for profile in waiting[_by_age(graph, oldest[waiting])]:
        first = [int(retired[profile])] if retired[profile] != NONE else []
        keys[profile] = next(key for key in chain(first, salted(int(made[profile]))) if key not in taken)
        taken.add(int(keys[profile]))


def _by_age(graph: Graph, nodes: Ints) -> Ints:
    return np.lexsort((graph.keys[nodes], graph.first_time[nodes], graph.first_day[nodes]))


def _contested(wish: Ints, fallback: Ints, living: Ints) -> Flags:
    """Wishes that are not free, or that another profile may have to fall back on: these are met in order of age."""
    _, at, times = np.unique(wish, return_inverse=True, return_counts=True)
    contested: Flags = (times[at] > 1) | np.isin(wish, living)
    while (more := np.isin(wish, fallback[contested]) & ~contested).any():
        contested |= more
    return contested


def _array(keys: frozenset[int]) -> Ints:
    return np.fromiter(keys, dtype=np.int64, count=len(keys))
