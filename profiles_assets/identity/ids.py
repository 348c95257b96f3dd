"""Stable profile ids: a profile keeps the id of its oldest member that had one, through merges and rebuilds.

Age is arrival: (first load day, first event time in it, key). Of two profiles that claim one id, the one
whose claiming member is older has it. A profile left without takes back the last retired id of its oldest
member, else the id made from that member's key, unless a living profile has them; then the key is salted.
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
    aged = _by_age(graph, np.flatnonzero(profile >= 0))
    numbers, at = np.unique(profile[aged], return_inverse=True)
    oldest = aged[_first(at, len(numbers))]
    claim, claimed_at = _claims(previous, aged, at, len(numbers))
    keys = np.full(len(numbers), NONE, dtype=np.int64)
    winners = _first_claims(claim, claimed_at)
    keys[winners] = claim[winners]
    _name_the_rest(keys, graph.keys[oldest], previous.retired[oldest], _first(at, len(numbers)), previous.elsewhere)
    node = np.full(len(profile), NONE, dtype=np.int64)
    node[aged] = keys[at]
    return Named(node, keys, claim)


def retire(previous: Previous, node: Ints) -> Ints:
    """Last retired id of each node: the one it had, if it has another or none now."""
    return np.where((previous.profile != NONE) & (previous.profile != node), previous.profile, previous.retired)


def salted(key: int) -> Iterator[int]:
    """Profile keys made from the key of a node: itself, then its salted hashes."""
    yield key
    for salt in count(1):
        yield int(hashlib.md5(f"{key}:{salt}".encode(), usedforsecurity=False).hexdigest()[:15], 16)


def _by_age(graph: Graph, nodes: Ints) -> Ints:
    return nodes[np.lexsort((graph.keys[nodes], graph.first_time[nodes], graph.first_day[nodes]))]


def _first(at: Ints, size: int) -> Ints:
    first = np.full(size, len(at), dtype=np.int64)
    np.minimum.at(first, at, np.arange(len(at)))
    return first


def _claims(previous: Previous, aged: Ints, at: Ints, size: int) -> tuple[Ints, Ints]:
    had = np.flatnonzero(previous.profile[aged] != NONE)
    first = np.full(size, len(aged), dtype=np.int64)
    np.minimum.at(first, at[had], had)
    claim = np.full(size, NONE, dtype=np.int64)
    claims = first < len(aged)
    claim[claims] = previous.profile[aged[first[claims]]]
    return claim, first


def _first_claims(claim: Ints, claimed_at: Ints) -> Ints:
    order = np.argsort(claimed_at)
    order = order[claim[order] != NONE]
    first: Ints = order[np.unique(claim[order], return_index=True)[1]]
    return first


def _name_the_rest(keys: Ints, oldest: Ints, retired: Ints, age: Ints, elsewhere: frozenset[int]) -> None:
    rest = np.flatnonzero(keys == NONE)
    wish = np.where(retired[rest] != NONE, retired[rest], oldest[rest])
    crowded = _contested(wish, oldest[rest], np.concatenate([keys[keys != NONE], _array(elsewhere)]))
    keys[rest[~crowded]] = wish[~crowded]
    waiting = rest[crowded]
    taken = {*keys.tolist(), *elsewhere} if len(waiting) else set()
    for profile in waiting[np.argsort(age[waiting])]:
        first = [int(retired[profile])] if retired[profile] != NONE else []
        keys[profile] = next(key for key in chain(first, salted(int(oldest[profile]))) if key not in taken)
        taken.add(int(keys[profile]))


def _contested(wish: Ints, fallback: Ints, living: Ints) -> Flags:
    """Wishes that are not free, or that another profile may have to fall back on: these are met in order of age."""
    _, at, times = np.unique(wish, return_inverse=True, return_counts=True)
    contested: Flags = (times[at] > 1) | np.isin(wish, living)
    while (more := np.isin(wish, fallback[contested]) & ~contested).any():
        contested |= more
    return contested


def _array(keys: frozenset[int]) -> Ints:
    return np.fromiter(keys, dtype=np.int64, count=len(keys))
