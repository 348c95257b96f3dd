"""What resolution works on and what it returns: arrays over the nodes and tuples of a closed set."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiles_assets.project.entities import Entity

Ints = NDArray[np.signedinteger[Any]]
Codes = NDArray[np.int8]
Flags = NDArray[np.bool_]
NONE = -1
NOTHING: Ints = np.zeros(0, dtype=np.int64)
NO_TUPLES: Ints = np.zeros(1, dtype=np.int64)


@dataclass(frozen=True)
class Rules:
    """Guards of an entity; id types are numbers in declared order."""

    types: tuple[str, ...]
    weak: tuple[bool, ...]
    max_per_profile: dict[int, int]
    max_linked: dict[tuple[int, int], int]
    max_bridged: dict[int, int]
    periods: dict[int, str] = field(default_factory=dict)
    timezone: str = "UTC"

    @classmethod
    def of(cls, entity: Entity, timezone: str = "UTC") -> "Rules":
        """Rules of a declared entity, whose periods are those of a time zone."""
        types = tuple(entity.ids)
        number = {name: i for i, name in enumerate(types)}
        caps = {i: entity.max_per_profile(name) for name, i in number.items()}
        bridged = {i: entity.max_bridged(name) for name, i in number.items()}
        linked = {
            (i, number[other]): limit
            for name, i in number.items()
            for other, limit in entity.max_linked(name).items()
            if other in number
        }
        return cls(
            types,
            tuple(entity.is_weak(name) for name in types),
            {i: cap for i, cap in caps.items() if cap is not None},
            linked,
            {i: limit for i, limit in bridged.items() if limit is not None},
            {i: period for name, i in number.items() if (period := entity.period(name)) != "ever"},
            timezone,
        )


@dataclass(frozen=True)
class Graph:
    """A set of nodes, and all tuples that touch it.

    Nodes in these tuples that do not belong to the set (`inner` is false) only lend their standing to the
    guards. `standing` is the status that does not depend on the graph: ok, blocked or collision for inner
    nodes, the stored status for the others. Tuples are compressed rows: the members of tuple i are
    `members[offsets[i]:offsets[i + 1]]`, at most one per id type. The last `ruled` of them are no evidence but
    pairs that people linked by hand, of whatever types; `apart` are the pairs that people unlinked, and
    `allowed` the nodes that they exempted from the guards.
    """

    keys: Ints
    types: Codes
    standing: Codes
    inner: Flags
    first_day: Ints
    first_time: Ints
    offsets: Ints
    members: Ints
    seen: Ints
    counts: Ints
    allowed: Flags
    ruled: int = 0
    apart: tuple[Ints, Ints] = (NOTHING, NOTHING)

    def without_tuples(self) -> "Graph":
        """The nodes alone."""
        return replace(self, offsets=NO_TUPLES, members=NOTHING, seen=NOTHING, counts=NOTHING, ruled=0)

    @property
    def told(self) -> int:
        """Number of the tuples that are evidence."""
        return len(self.seen) - self.ruled

    @cached_property
    def links(self) -> tuple[Ints, Ints]:
        """Nodes linked by hand: both ends of each pair."""
        at = self.offsets[self.told : -1]
        return self.members[at], self.members[at + 1]

    @cached_property
    def first_seen(self) -> Ints:
        """Earliest event time of each node."""
        found = np.full(len(self.keys), np.iinfo(np.int64).max)
        np.minimum.at(found, self.members, self.seen[self.tuple_of])
        return found

    @cached_property
    def tuple_of(self) -> Ints:
        """Tuple of each entry of `members`."""
        return np.repeat(np.arange(len(self.seen), dtype=self.offsets.dtype), np.diff(self.offsets))

    @cached_property
    def by_type(self) -> dict[int, Ints]:
        """For each id type the node of that type in each tuple of evidence, -1 where it has none."""
        members = self.members[: self.offsets[self.told]]
        kinds, at = self.types[members], self.tuple_of[: len(members)]
        found = {}
        for kind in np.flatnonzero(np.bincount(kinds)).tolist():
            column = np.full(self.told, NONE, dtype=members.dtype)
            chosen = np.flatnonzero(kinds == kind)
            column[at[chosen]] = members[chosen]
            found[kind] = column
        return found


@dataclass(frozen=True)
class Previous:
    """What was stored about the nodes of a graph; -1 where there was nothing.

    `elsewhere` are keys of living profiles outside the set that an id given out here must not repeat.
    """

    status: Codes
    known: Ints
    profile: Ints
    retired: Ints
    elsewhere: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Violations:
    """Things that were dropped: a node or an edge each, and why."""

    rule: Codes
    node: Ints
    other: Ints
    about: Ints
    number: Ints
    allowed: Ints
    seen: Ints
    count: Ints


@dataclass(frozen=True)
class Changes:
    """Profiles that were created, merged into another or split off another, by their keys."""

    kind: NDArray[np.str_]
    profile: Ints
    other: Ints
    edge_from: Ints
    edge_to: Ints


@dataclass(frozen=True)
class Resolution:
    """Outcome for every node of a graph; only inner nodes count. Labels are the smallest key of their members."""

    status: Codes
    known: Ints
    component: Ints
    profile: Ints
    retired: Ints
    violations: Violations
    changes: Changes
