"""Area `identity`: stitching a generated graph of string ids against others, small changes against all of it.

Every run is a process of its own on a fresh copy of the same lake. The people found in a simulated shop are held
against its truth beside that.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import truth
from benchmarks.measure import Figure

FULL, QUICK = (1_000_000, 10_000_000), (20_000, 200_000)
ROUNDS = 3
DUCKDB_BYTES, LEAST_MEMORY = 150, 300  # of memory per edge, and MB at least
PEERS = (
    ("splink", "splink's clustering, on strings", 1 / 5),
    ("networkx", "networkx", 1 / 10),
    ("label_propagation", "SQL label propagation in DuckDB, on strings", 1 / 10),
    ("numbered_label_propagation", "SQL label propagation in DuckDB, on numbers for the strings", 1 / 10),
)
INCREMENTAL = (("one more day", "add_day", 0.05), ("taking that day away", "remove_day", 0.10))
ERASED = "erasing one person"


@dataclass(frozen=True)
class Took:
    """CPU and wall seconds of a task, the bytes of memory it needed at its peak, and what stages of stitching took."""

    cpu: float
    wall: float
    peak: float
    stages: dict[str, tuple[float, float]] = field(default_factory=dict)


def figures(quick: bool) -> list[Figure]:
    """All figures of two sizes of one graph, the larger ten times the smaller one."""
    small, large = QUICK if quick else FULL
    with TemporaryDirectory() as folder:
        lakes = {edges: Path(folder) / str(edges) for edges in (small, large)}
        for edges, lake in lakes.items():
            run("generate", lake, number=edges)
        found, full = whole(lakes[large], large, 1 if quick else ROUNDS)
        days = {edges: changes(lake, large, 1 if quick else ROUNDS) for edges, lake in lakes.items()}
    of_full = [
        _figure(f"{name}, {large // 100:,} edges onto {large:,}", days[large][task], full, "the full build", goal)
        for name, task, goal in INCREMENTAL
    ]
    added = _figure(
        f"the same day onto {large:,}", days[large]["add_day"], days[small]["add_day"], f"onto {small:,}", 3
    )
    erased = _figure(f"{ERASED} of {large:,} edges", days[large]["erase"], full, "the full build", 0.05)
    return [*found, *of_full, added, erased, *truth.figures(quick)]


def whole(lake: Path, edges: int, rounds: int) -> tuple[list[Figure], Took]:
    """Figures of a full build without guards; the build with guards, too."""
    ours, floors = [], []
    for _ in range(rounds):
        with copied(lake) as copy:
            ours.append(run("stitch", copy, "none"))
            floors.append(run("floor", copy))
    guarded = middle([_fresh(lake, "stitch", "default") for _ in range(rounds)])
    mine, name = middle(ours), f"full stitch of {edges:,} edges"
    found = [_figure(name, mine, middle(floors), "reading the ids, writing the stitched ids", 4, "wall")]
    peers = [peer for peer in PEERS if find_spec(peer[0]) or peer[0].endswith("propagation")]
    found += [_figure(name, mine, _fresh(lake, task), words, goal, "wall") for task, words, goal in peers]
    found.append(_figure(f"{name}, default guards", guarded, mine, "guards off", None, "wall"))
    found += [
        Figure(f"{name}, default guards: {stage}", cpu, guarded.cpu, "all of it", None, wall, guarded.wall)
        for stage, (cpu, wall) in guarded.stages.items()
    ]
    limit = max(LEAST_MEMORY, edges * DUCKDB_BYTES // 1_000_000)
    small = _fresh(lake, "stitch", number=limit)
    words = f"{limit} MB for DuckDB; wall: unlimited"
    found.append(Figure(f"{name}, peak bytes per edge", small.peak / edges, 1, words, 300, small.wall, mine.wall))
    return found, guarded


def changes(lake: Path, edges: int, rounds: int) -> dict[str, Took]:
    """One more day of a hundredth of `edges`, the same day taken away, one person erased; with default guards."""
    took: dict[str, list[Took]] = {task: [] for task in (*(task for _, task, _ in INCREMENTAL), "erase")}
    with copied(lake) as stitched:
        run("stitch", stitched, "default")
        for _ in range(rounds):
            with copied(stitched) as copy:
                for _, task, _ in INCREMENTAL:
                    run(task, copy, number=edges)
                    took[task].append(run("stitch", copy, "default"))
                took["erase"].append(run("erase", copy, "default"))
    return {task: middle(runs) for task, runs in took.items()}


def run(task: str, lake: Path, guards: str = "none", number: int = 0) -> Took:
    """Do a task of `identity_run` in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.identity_run", task, str(lake), guards, str(number)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1])
    return Took(**json.loads(done.stdout.splitlines()[-1]))


@contextmanager
def copied(lake: Path) -> Iterator[Path]:
    """A copy of a lake; its data files, which never change, are the same ones on the disk."""
    copy = lake.with_name(f"{lake.name}-copy")
    shutil.copytree(lake / "data", copy / "data", copy_function=_link)
    for file in (f for f in lake.iterdir() if f.is_file()):
        shutil.copy(file, copy)
    yield copy
    shutil.rmtree(copy)


def middle(runs: Sequence[Took]) -> Took:
    """Medians of several runs; of the stages, those of the last one."""
    return Took(*(median(getattr(one, name) for one in runs) for name in ("cpu", "wall", "peak")), runs[-1].stages)


def _fresh(lake: Path, task: str, guards: str = "none", number: int = 0) -> Took:
    with copied(lake) as copy:
        return run(task, copy, guards, number)


def _link(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def _figure(name: str, ours: Took, reference: Took, words: str, goal: float | None, by: str = "cpu") -> Figure:
    return Figure(name, ours.cpu, reference.cpu, words, goal, ours.wall, reference.wall, by)
