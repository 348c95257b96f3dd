"""Random small histories: days put, replaced and removed, late and duplicate rows, several sets of guards."""

from dataclasses import dataclass
from random import Random
from typing import Any

from hypothesis import strategies as st

from profiles_assets.project.entities import Entity
from tests.identity.world import RECORDS, SOURCES, TYPES, World, day, row
from tests.oracles.identity import Node, Row

GUARDS: list[dict[str, Any]] = [
    {},
    {"user_id": {"max_per_profile": 1}, "email": {"max_per_profile": 2}},
    {"user_id": {"max_per_profile": 2}, "device_id": {"max_bridged": 3}, "anonymous_id": {"max_bridged": 3}},
    {"email": {"max_linked": {"user_id": 1}}, "device_id": {"max_linked": {"email": 1, "anonymous_id": 1}}},
    {"email": {"weak": True, "max_bridged": 1}, "device_id": {"weak": False, "max_per_profile": 1}},
    {
        "email": {"max_per_profile": {"most": 1, "per": "week"}},
        "device_id": {"max_per_profile": {"most": 1, "per": "year"}},
    },
    {
        "user_id": {"max_per_profile": 1, "max_linked": {"email": 2}},
        "email": {"max_per_profile": 1, "block": ["e1"]},
        "device_id": {"max_linked": {"email": 2}, "max_bridged": 2, "max_per_profile": 2},
        "anonymous_id": {"max_linked": {"user_id": 1}, "max_bridged": 2},
    },
]
ENTITIES = [
    *(Entity(ids={t: g.get(t, {}) for t in TYPES}) for g in GUARDS),
    Entity(ids={t: {} for t in TYPES}, guards="none"),
]


@dataclass(frozen=True)
class Put:
    """Put or replace a day of a source."""

    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Remove:
    """Remove a day of a source."""

    day: int
    source: str


@dataclass(frozen=True)
class Rules:
    """Declare other guards."""

    entity: Entity


@dataclass(frozen=True)
class Tell:
    """Add a manual rule about one id or two."""

    action: str
    ids: tuple[Node, ...]


@dataclass(frozen=True)
class Untell:
    """Take back a third of the manual rules."""

    which: int


@dataclass(frozen=True)
class Erase:
    """Erase the person of an id."""

    node: Node


Step = Put | Remove | Rules | Tell | Untell | Erase


def apply(world: World, step: Step) -> None:
    """Let a step happen to a world."""
    if isinstance(step, Put):
        world.put(*step.rows)
    elif isinstance(step, Remove):
        world.remove(step.day, step.source)
    elif isinstance(step, Tell):
        world.rules.append((step.action, step.ids))
    elif isinstance(step, Untell):
        world.rules[:] = [told for at, told in enumerate(world.rules) if at % 3 != step.which]
    elif isinstance(step, Erase):
        world.erase(step.node)
    else:
        world.entity = step.entity


CROWDED, ROOMY = (3, 4, 3, 5), (6, 6, 2, 3)
ALL = (*SOURCES, RECORDS, RECORDS)


@st.composite
def rows(draw: st.DrawFn, number: int, source: str) -> Row:
    """One row of a day: of few values that all meet, or of many that stay apart."""
    many = draw(st.sampled_from([CROWDED, ROOMY, ROOMY]))
    least, most = (1, 4) if many is CROWDED else (2, 2)
    kinds = draw(st.lists(st.sampled_from(range(len(TYPES))), min_size=least, max_size=most, unique=True))
    values = {k: draw(st.sampled_from([*range(1, many[k] + 1), *range(1, many[k] + 1), 0])) for k in kinds}
    ids = [f"{TYPES[k]}:{TYPES[k][0]}{v}" if v else f"{TYPES[k]}:null" for k, v in values.items()]
    late = draw(st.sampled_from([0, 0, 0, 0, -1, -2, 1]))
    minute, duplicate = draw(st.integers(0, 3)), draw(st.integers(0, 9)) == 9
    key = draw(st.sampled_from("abc")) if source == RECORDS else ""
    return row(number, *ids, source=source, late=late, minute=minute, duplicate=duplicate, key=key)


@st.composite
def puts(draw: st.DrawFn) -> Put:
    """A day of one source."""
    number, source = draw(st.integers(0, 3)), draw(st.sampled_from(ALL))
    return Put(tuple(draw(st.lists(rows(number, source), min_size=1, max_size=5))))


def nodes() -> st.SearchStrategy[Node]:
    """An id that rows of histories may have."""
    return st.integers(0, len(TYPES) - 1).flatmap(
        lambda k: st.integers(1, ROOMY[k]).map(lambda v: (TYPES[k], f"{TYPES[k][0]}{v}"))
    )


def tells() -> st.SearchStrategy[Tell]:
    """A manual rule."""
    pairs = st.lists(nodes(), min_size=2, max_size=2, unique=True).map(tuple)
    two = st.builds(Tell, st.sampled_from(["link", "unlink"]), pairs)
    null = st.just(("email", "null"))
    return two | st.builds(Tell, st.sampled_from(["quarantine", "allow"]), st.tuples(nodes() | null))


def steps() -> st.SearchStrategy[Step]:
    """One change of the world; a change of the rules is rare, since it makes the run a full one."""
    removals = st.builds(Remove, st.integers(0, 3), st.sampled_from(ALL))
    rules = st.builds(Rules, st.sampled_from(ENTITIES))
    told = [tells(), st.builds(Untell, st.integers(0, 2)), st.builds(Erase, nodes())]
    chosen = st.sampled_from([puts()] * 9 + [removals] * 3 + [rules] + told * 2)
    return chosen.flatmap(lambda step: step)


def histories(longest: int = 6) -> st.SearchStrategy[list[list[Step]]]:
    """Runs, each with the changes before it."""
    return st.lists(st.lists(steps(), min_size=1, max_size=2), min_size=1, max_size=longest)


def random_changes(chance: Random, world: World, many: int) -> list[Step]:
    """One to three changes of a world in which `many` histories with ids of their own go on side by side."""
    if chance.random() < 0.12:
        return [Rules(chance.choice(ENTITIES))]
    if chance.random() < 0.2:
        return [*random_rules(chance, many), *([Untell(chance.randrange(3))] if chance.random() < 0.3 else [])]
    if chance.random() < 0.15:
        return [Erase(random_node(chance, f"{n}_")) for n in chance.sample(range(many), many // 5)]
    number, source = chance.randrange(4), chance.choice(ALL)
    old = [r for r in world.rows if (r.source, r.day) == (source, day(number)) and chance.random() < 0.6]
    new = [random_row(chance, number, source, f"{n}_") for n in range(many) for _ in range(chance.choice((0, 1, 2)))]
    put = Put((*old, *new))
    return [put] if put.rows and chance.random() < 0.8 else [Remove(chance.randrange(4), chance.choice(ALL)), put]


def random_row(chance: Random, number: int, source: str, prefix: str) -> Row:
    """One row of a history whose values have a prefix."""
    many, least, most = chance.choice(((CROWDED, 1, 4), (ROOMY, 2, 2), (ROOMY, 2, 2)))
    kinds = chance.sample(range(len(TYPES)), chance.randint(least, most))
    ids = [f"{TYPES[k]}:{prefix}{TYPES[k][0]}{chance.randint(1, many[k])}" for k in kinds]
    late, minute = chance.choice((0, 0, 0, 0, -1, -2, 1)), chance.randrange(4)
    key = prefix + chance.choice("abc") if source == RECORDS else ""
    return row(number, *ids, source=source, late=late, minute=minute, duplicate=chance.random() < 0.1, key=key)


def random_rules(chance: Random, many: int) -> list[Step]:
    """Manual rules about ids of some of many histories."""
    found: list[Step] = []
    for n in chance.sample(range(many), many // 3):
        action = chance.choice(("link", "link", "unlink", "quarantine", "allow"))
        ids = [random_node(chance, f"{n}_") for _ in range(2 if action in {"link", "unlink"} else 1)]
        if len(set(ids)) == len(ids):
            found.append(Tell(action, tuple(ids)))
    return found


def random_node(chance: Random, prefix: str) -> Node:
    """An id that rows of a history may have."""
    kind = chance.randrange(len(TYPES))
    return TYPES[kind], f"{prefix}{TYPES[kind][0]}{chance.randint(1, ROOMY[kind])}"
