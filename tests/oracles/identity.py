"""Brute-force identity in plain Python: dictionaries, sets and loops, written from the description alone."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import combinations, count

Node = tuple[str, str]
BLOCKED = {"", "0", "-1", "null", "none", "nan", "undefined", "unknown", "anonymous", "guest", "true", "false"}
BLOCKED |= {"[object object]", "00000000-0000-0000-0000-000000000000"}
MAILBOX = re.compile(r"(no-?reply|info|support|hello|sales|admin)@")


@dataclass(frozen=True)
class Row:
    """One event: what the identity stages read of it."""

    source: str
    day: date
    event_day: date
    time: datetime
    ids: tuple[Node, ...]
    duplicate: bool = False
    key: str = ""
    until: date | None = None

    @property
    def visible(self) -> date:
        """First day on which it can be seen."""
        return max(self.day, self.event_day)


@dataclass(frozen=True)
class Guards:
    """Rules of an entity; weak types have an entry in max_bridged or are named weak."""

    order: tuple[str, ...]
    weak: frozenset[str] = frozenset()
    max_per_profile: dict[str, int] = field(default_factory=dict)
    max_linked: dict[tuple[str, str], int] = field(default_factory=dict)
    max_bridged: dict[str, int] = field(default_factory=dict)
    block: frozenset[Node] = frozenset()
    mailboxes: frozenset[str] = frozenset()
    periods: dict[str, str] = field(default_factory=dict)
    told: tuple[tuple[str, tuple[Node, ...]], ...] = ()

    def ruled(self, action: str) -> set[frozenset[Node]]:
        """What the rules of one kind are about; of several about the same ids the last one holds."""
        last: dict[tuple[bool, frozenset[Node]], str] = {}
        for kind, ids in self.told:
            last[len(ids) == 1, frozenset(ids)] = kind
        return {ids for (_, ids), kind in last.items() if kind == action}


@dataclass
class People:
    """Who is together, and why others are nobody."""

    status: dict[Node, str]
    components: set[frozenset[Node]]
    profiles: set[frozenset[Node]]
    yielded: set[frozenset[Node]]


@dataclass
class Names:
    """Profile id and last retired id of each node."""

    id: dict[Node, str] = field(default_factory=dict)
    retired: dict[Node, str] = field(default_factory=dict)

    def without(self, ids: set[Node], profiles: set[str]) -> "Names":
        """The names that are left when a person was erased."""
        return Names(
            {n: i for n, i in self.id.items() if n not in ids},
            {n: i for n, i in self.retired.items() if n not in ids and i not in profiles},
        )


def visible(rows: list[Row], as_of: date) -> list[Row]:
    """Rows that count at a day or did at an earlier one."""
    return [r for r in rows if not r.duplicate and r.visible <= as_of and (r.until is None or r.until > r.visible)]


def with_ends(rows: list[Row]) -> list[Row]:
    """Versions of records with the day from which a later version of their key counts instead."""
    order = {id(r): (r.day, r.time, position) for position, r in enumerate(rows)}
    ends = [
        min(
            (o.visible for o in rows if o.key == r.key and not o.duplicate and order[id(o)] > order[id(r)]),
            default=None,
        )
        for r in rows
    ]
    return [replace(r, until=None if r.duplicate else end) for r, end in zip(rows, ends, strict=True)]


def node_key(node: Node) -> int:
    """Key of a node."""
    return int(hashlib.md5(":".join(node).encode()).hexdigest()[:15], 16)


def tuple_key(ids: tuple[Node, ...]) -> int:
    """Key of a row's ids in declared order."""
    return int(hashlib.md5(",".join(str(node_key(n)) for n in ids).encode()).hexdigest()[:15], 16)


def people(rows: list[Row], guards: Guards, as_of: date) -> People:
    """Resolve visible rows: the ids together that are so now, since the first time they were."""
    together: dict[tuple[Node, ...], datetime] = {}
    living = {r.ids for r in rows if r.until is None or r.until > as_of}
    for row in rows:
        if row.ids in living:
            together[row.ids] = min(together.get(row.ids, row.time), row.time)
    allowed = {n for ids in guards.ruled("allow") for n in ids}
    status = {n: "blocked" if _blocked(n, guards) and n not in allowed else "ok" for ids in together for n in ids}
    _quarantine(status, {n for ids in guards.ruled("quarantine") for n in ids if n in status}, "quarantined")
    _quarantine(status, _hubs(together, status, guards) - allowed, "hub")
    strong = {n for n, s in status.items() if s == "ok" and n[0] not in guards.weak}
    links = [tuple(ids) for ids in guards.ruled("link")]
    known = _groups([*together, *links], strong)
    _quarantine(status, _bridges(together, status, known, guards) - allowed, "bridge")
    alive = {n for n, s in status.items() if s == "ok"}
    components, profiles, yielded = _groups([*together, *links], alive), set(), set()
    first = {n: min(t for ids, t in together.items() if n in ids) for n in alive}
    for component in components:
        if _breaks(component, guards, first) or _foes(component, guards):
            parts, out = _with_limits(component, together, guards, first)
            profiles |= parts
            yielded |= out
        else:
            profiles.add(component)
    return People(status, components, profiles, yielded)


def ages(rows: list[Row], as_of: date) -> dict[Node, tuple[date, datetime, int]]:
    """Age of each living node: first load day, first event time in it, key."""
    living = {node for r in rows if r.until is None or r.until > as_of for node in r.ids}
    found: dict[Node, tuple[date, datetime, int]] = {}
    for row in rows:
        for node in row.ids:
            age = (row.day, row.time, node_key(node))
            found[node] = min(found.get(node, age), age)
    return {node: age for node, age in found.items() if node in living}


def name(profiles: set[frozenset[Node]], age: dict[Node, tuple[date, datetime, int]], before: Names) -> Names:
    """Ids of profiles, given what nodes were called before."""
    by_age = sorted(profiles, key=lambda p: min(age[n] for n in p))
    given: dict[frozenset[Node], str] = {}
    while claims := _claims(by_age, given, age, before):
        for _, claim, profile in sorted(claims, key=lambda c: c[0]):
            if claim not in given.values():
                given[profile] = claim
    for profile in by_age:
        if profile not in given:
            given[profile] = _other_name(min(profile, key=age.__getitem__), before, set(given.values()))
    now = {node: given[profile] for profile in profiles for node in profile}
    retired = {n: i for n, i in before.retired.items() if n in age}
    retired |= {n: i for n, i in before.id.items() if n in age and now.get(n) != i}
    return Names(now, retired)


def _claims(
    profiles: list[frozenset[Node]],
    given: dict[frozenset[Node], str],
    age: dict[Node, tuple[date, datetime, int]],
    before: Names,
) -> list[tuple[tuple[date, datetime, int], str, frozenset[Node]]]:
    """What each profile without an id claims: that of its oldest member whose id is free."""
    taken, claims = set(given.values()), []
    for profile in profiles:
        had = [n for n in profile if n in before.id and before.id[n] not in taken]
        if had and profile not in given:
            oldest = min(had, key=age.__getitem__)
            claims.append((age[oldest], before.id[oldest], profile))
    return claims


def _other_name(oldest: Node, before: Names, living: set[str]) -> str:
    if oldest in before.retired and before.retired[oldest] not in living:
        return before.retired[oldest]
    key = node_key(oldest)
    for salt in count():
        made = key if salt == 0 else int(hashlib.md5(f"{key}:{salt}".encode()).hexdigest()[:15], 16)
        if f"{made:015x}" not in living:
            return f"{made:015x}"
    raise AssertionError


def _blocked(node: Node, guards: Guards) -> bool:
    plain = node[1].strip("'\"` \t\n").lower()
    return plain in BLOCKED or node in guards.block or (node[0] in guards.mailboxes and bool(MAILBOX.match(plain)))


def _quarantine(status: dict[Node, str], nodes: set[Node], why: str) -> None:
    for node in nodes:
        status[node] = why


def _hubs(together: dict[tuple[Node, ...], datetime], status: dict[Node, str], guards: Guards) -> set[Node]:
    found = set()
    for node in (n for n, s in status.items() if s == "ok"):
        for (kind, other), limit in guards.max_linked.items():
            partners = {m for ids in together if node in ids for m in ids if m[0] == other and status[m] == "ok"}
            if node[0] == kind and len(partners) > limit:
                found.add(node)
    return found


def _bridges(
    together: dict[tuple[Node, ...], datetime],
    status: dict[Node, str],
    known: set[frozenset[Node]],
    guards: Guards,
) -> set[Node]:
    found = set()
    for node in (n for n, s in status.items() if s == "ok" and n[0] in guards.max_bridged):
        met = {m for ids in together if node in ids for m in ids}
        if sum(1 for person in known if person & met) > guards.max_bridged[node[0]]:
            found.add(node)
    return found


def _groups(together: Iterable[tuple[Node, ...]], alive: set[Node]) -> set[frozenset[Node]]:
    group = {node: frozenset([node]) for node in alive}
    for ids in together:
        for a, b in combinations([n for n in ids if n in alive], 2):
            if group[a] is not group[b]:
                union = group[a] | group[b]
                group.update(dict.fromkeys(union, union))
    return set(group.values())


def _breaks(nodes: frozenset[Node], guards: Guards, first: dict[Node, datetime]) -> bool:
    for kind, cap in guards.max_per_profile.items():
        counts = Counter(_period(first[n], guards.periods.get(kind)) for n in nodes if n[0] == kind)
        if any(number > cap for number in counts.values()):
            return True
    return False


def _period(moment: datetime, period: str | None) -> object:
    match period:
        case "week":
            return moment.isocalendar()[:2]
        case "month":
            return moment.year, moment.month
        case "year":
            return moment.year
        case _:
            return None


def _foes(nodes: frozenset[Node], guards: Guards) -> bool:
    return any(ids <= nodes for ids in guards.ruled("unlink"))


def _with_limits(
    component: frozenset[Node],
    together: dict[tuple[Node, ...], datetime],
    guards: Guards,
    first: dict[Node, datetime],
) -> tuple[set[frozenset[Node]], set[frozenset[Node]]]:
    rank = {kind: i for i, kind in enumerate(guards.order)}
    edges: dict[tuple[Node, Node], datetime] = {}
    for ids, time in together.items():
        left = sorted((n for n in ids if n in component), key=lambda n: rank[n[0]])
        for other in left[1:]:
            edge = (left[0], other)
            edges[edge] = min(edges.get(edge, time), time)
    group, yielded = {node: frozenset([node]) for node in component}, set()
    told = [tuple(sorted(ids, key=lambda n: rank[n[0]])) for ids in guards.ruled("link") if ids <= component]
    for pair in told:
        edges.pop(pair, None)
        edges.pop(pair[::-1], None)
    order = sorted(edges, key=lambda e: (rank[e[0][0]], rank[e[1][0]], edges[e], node_key(e[0]), node_key(e[1])))
    told = sorted(told, key=lambda e: (rank[e[0][0]], rank[e[1][0]], *_in_key_order(e)))
    for by_hand, (a, b) in [*((True, e) for e in told), *((False, e) for e in order)]:
        if group[a] is group[b]:
            continue
        union = group[a] | group[b]
        if _foes(union, guards) or (not by_hand and _worse(group[a], group[b], guards, first)):
            yielded.add(frozenset([a, b]))
        else:
            group.update(dict.fromkeys(union, union))
    return set(group.values()), yielded


def _in_key_order(edge: tuple[Node, ...]) -> tuple[int, ...]:
    """Keys of an edge made by hand: of two ids of one type the one with the smaller key comes first."""
    keys = tuple(map(node_key, edge))
    return tuple(sorted(keys)) if edge[0][0] == edge[1][0] else keys


def _worse(a: frozenset[Node], b: frozenset[Node], guards: Guards, first: dict[Node, datetime]) -> bool:
    """Whether two groups both have values that a limit counts together, and too many of them."""
    for kind, cap in guards.max_per_profile.items():
        mine, theirs = (
            Counter(_period(first[n], guards.periods.get(kind)) for n in side if n[0] == kind) for side in (a, b)
        )
        if any(mine[p] + theirs[p] > cap for p in mine.keys() & theirs.keys()):
            return True
    return False
