"""Weak points of graphs, against brute force."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.identity.audit_graph import weak_points

GRAPHS = st.integers(1, 9).flatmap(
    lambda n: st.tuples(
        st.just(n), st.sets(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda e: e[0] < e[1]))
    )
)


def second_part(size: int, links: list[tuple[int, int]], gone: list[tuple[int, int]], without: int = -1) -> int:
    """Size of the second largest part that one component falls into when links go; 0 when it stays whole."""
    before = components(size, links)
    after = components(size, [link for link in links if link not in gone])
    found = 0
    for whole in before:
        inside = sorted((len(part - {without}) for part in after if part <= whole), reverse=True)
        inside = [n for n in inside if n]
        found = max(found, inside[1] if len(inside) > 1 else 0)
    return found


def components(size: int, links: list[tuple[int, int]]) -> list[set[int]]:
    found = [{i} for i in range(size)]
    for a, b in links:
        joined = [part for part in found if a in part or b in part]
        found = [part for part in found if part not in joined] + [set().union(*joined)]
    return found


@settings(max_examples=60, deadline=None)
@given(GRAPHS)
def test_weak_points_are_those_of_brute_force(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    against_brute_force(drawn)


@pytest.mark.long
@settings(max_examples=5000, deadline=None)
@given(GRAPHS)
def test_weak_points_of_many_graphs(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    against_brute_force(drawn)


def against_brute_force(drawn: tuple[int, set[tuple[int, int]]]) -> None:
    size, links = drawn[0], sorted(drawn[1])
    found = weak_points(size, links)
    cut = {i: second_part(size, links, [link]) for i, link in enumerate(links)}
    assert found.links == {i: n for i, n in cut.items() if n >= 2}
    joints = {v: second_part(size, links, [link for link in links if v in link], v) for v in range(size)}
    assert found.ids == {v: n for v, n in joints.items() if n >= 2}
