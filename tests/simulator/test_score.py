"""Scores by counting are those of listing all pairs, and plain resolutions score as they should."""

from __future__ import annotations

import csv
from collections.abc import Set
from itertools import combinations
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from profiles_assets.simulator import PairScore, score_pairs
from tests.simulator.reading import Node, Sets, ids_of, read_landing, resolve

TYPES = ("user_id", "email", "device_id", "anonymous_id")


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def as_table(profiles: dict[Node, str]) -> pa.Table:
    types, values = [node[0] for node in profiles], [node[1] for node in profiles]
    columns = {"id_type": types, "value": values, "profile_id": list(profiles.values())}
    return pa.table({name: pa.array(column, pa.string()) for name, column in columns.items()})


def write(truth: Path, name: str, header: str, lines: list[str]) -> None:
    truth.mkdir(exist_ok=True)
    (truth / name).write_text("\n".join([header, *lines]) + "\n")


def truth_nodes(truth: Path) -> dict[Node, str]:
    identities = rows(truth / "identities.csv")
    return {(row["id_type"], row["value"]): row["person"] for row in identities if row["shared"] == "false"}


def connected(truth: Path) -> Sets:
    own, sets = truth_nodes(truth), Sets()
    for row in rows(truth / "links.csv"):
        sets.join(node for node in ((name, row[name]) for name in TYPES) if node in own)
    return sets


def share(part: Set[object], whole: Set[object]) -> float:
    return len(part) / len(whole) if whole else 1.0


def brute_force(predicted: dict[Node, str], truth: Path) -> PairScore:
    person, sets = truth_nodes(truth), connected(truth)
    pairs = list(combinations(sorted(person), 2))
    put = {node: predicted.get(node, node) for node in person}
    together = {(a, b) for a, b in pairs if put[a] == put[b]}
    true = {(a, b) for a, b in pairs if person[a] == person[b]}
    linked = {(a, b) for a, b in pairs if sets.find(a) == sets.find(b)}
    return PairScore(
        precision=share(true & together, together),
        recall_connected=share(linked & together, linked),
        recall_raw=share(true & together, true),
        predicted_pairs=len(together),
        connected_pairs=len(linked),
        true_pairs=len(true),
    )


def made_up(truth: Path, seed: int) -> dict[Node, str]:
    """A tiny random truth, and random profiles for most of its ids and a stranger's."""
    rng = np.random.default_rng(seed)
    nodes = [(TYPES[i % 4], f"v{i}") for i in range(24)]
    owner = rng.integers(0, 5, 24)
    shared = rng.random(24) < 0.2
    truths = [str(bool(s)).lower() for s in shared]
    lines = [f"{t},{v},p{o},{s}" for (t, v), o, s in zip(nodes, owner, truths, strict=True)]
    lines += [f"{t},{v},p9,true" for (t, v), s in zip(nodes, shared, strict=True) if s]
    write(truth, "identities.csv", "id_type,value,person,shared", lines)
    links = []
    for _ in range(20):
        person = rng.integers(0, 5)
        own = [i for i in range(24) if owner[i] == person or shared[i]]
        cells = [rng.choice([f"v{i}" for i in own if i % 4 == kind] + [""]) for kind in range(4)]
        links.append(",".join(cells))
    write(truth, "links.csv", ",".join(TYPES), links)
    profiles = {node: f"f{rng.integers(0, 6)}" for node in nodes if rng.random() < 0.85}
    return {**profiles, ("email", "stranger"): "f1"}


@pytest.mark.parametrize("seed", range(12))
def test_score_is_that_of_all_pairs(tmp_path: Path, seed: int) -> None:
    predicted = made_up(tmp_path / "truth", seed)
    assert score_pairs(as_table(predicted), tmp_path / "truth") == brute_force(predicted, tmp_path / "truth")


def test_score_accepts_a_relation(tmp_path: Path) -> None:
    predicted = as_table(made_up(tmp_path / "truth", 1))
    with duckdb.connect() as con:
        relation = con.from_arrow(predicted)
        assert score_pairs(relation, tmp_path / "truth") == score_pairs(predicted, tmp_path / "truth")


def test_nothing_predicted_is_precise_and_finds_nothing(small: Path) -> None:
    score = score_pairs(as_table({}), small / "truth")
    assert (score.precision, score.recall_connected, score.recall_raw) == (1.0, 0.0, 0.0)


def test_one_profile_for_all_finds_everything(small: Path) -> None:
    nodes = truth_nodes(small / "truth")
    score = score_pairs(as_table(dict.fromkeys(nodes, "all")), small / "truth")
    assert (score.recall_connected, score.recall_raw) == (1.0, 1.0)
    assert score.predicted_pairs == len(nodes) * (len(nodes) - 1) // 2
    assert score.precision < 0.05


def test_the_links_of_the_truth_connect_all_that_can_be(year: Path) -> None:
    sets = connected(year / "truth")
    profiles = {node: str(sets.find(node)) for node in truth_nodes(year / "truth")}
    score = score_pairs(as_table(profiles), year / "truth")
    assert (score.precision, score.recall_connected) == (1.0, 1.0)
    assert 0.8 < score.recall_raw < 1.0


@pytest.mark.parametrize("folder", ["small", "year"])
def test_guards_reach_the_goal(folder: str, request: pytest.FixtureRequest) -> None:
    out: Path = request.getfixturevalue(folder)
    tuples = {tuple(ids_of(event)) for day in read_landing(out) for event in day.events}
    profiles = {node: str(profile) for node, profile in resolve(tuples).items()}
    score = score_pairs(as_table(profiles), out / "truth")
    assert score.precision >= 0.999
    assert score.recall_connected >= 0.99


def test_without_guards_shared_devices_merge_strangers(year: Path) -> None:
    sets = Sets()
    for row in rows(year / "truth" / "links.csv"):
        sets.join((name, row[name]) for name in TYPES if row[name])
    profiles = {node: str(sets.find(node)) for node in truth_nodes(year / "truth")}
    assert score_pairs(as_table(profiles), year / "truth").precision < 0.9


def test_links_are_the_combinations_in_the_files(small: Path) -> None:
    found = {
        (day.source, *ids_of(event))
        for day in read_landing(small)
        for event in day.events
        if event["time"].year == 2025 and len(ids_of(event)) > 1
    }
    links = rows(small / "truth" / "links.csv")
    said = {(row["source"], *((name, row[name]) for name in TYPES if row[name])) for row in links}
    assert {key for key in said if key[0] != "tracks"} == {key for key in found if key[0] != "tracks"}
    bots = {row["anonymous_id"] for row in rows(small / "truth" / "bots.csv")}
    assert said == {key for key in found if key[-1][1] not in bots}
