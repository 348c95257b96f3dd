"""How a figure is measured: ours and the reference run alternately, medians of at least three."""

import json
import platform
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

RESULTS = Path(__file__).parent / "results"
Work = Callable[[], object]


@dataclass(frozen=True)
class Figure:
    """CPU seconds of ours and of a reference; the goal is the largest ratio (ours / reference) that is fine."""

    name: str
    ours: float
    reference: float
    reference_name: str
    goal: float
    wall: float
    wall_reference: float

    @property
    def ratio(self) -> float:
        """CPU of ours over CPU of the reference."""
        return self.ours / max(self.reference, 1e-9)

    @property
    def holds(self) -> bool:
        """True when the goal is met."""
        return self.ratio <= self.goal


def compare(name: str, ours: Work, reference: Work, reference_name: str, goal: float, rounds: int = 3) -> Figure:
    """Run both alternately and keep the medians."""
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(_timed(ours))
        theirs.append(_timed(reference))
    (cpu, wall), (cpu_r, wall_r) = (map(statistics.median, zip(*runs, strict=True)) for runs in (mine, theirs))
    return Figure(name, cpu, cpu_r, reference_name, goal, wall, wall_r)


def publish(area: str, figures: list[Figure]) -> bool:
    """Print a table, write the JSON file of an area, and tell whether every goal is met."""
    table = Table("figure", "ratio (CPU)", "ratio (wall)", "goal", "", "against", title=area, title_justify="left")
    for f in figures:
        wall = f.wall / max(f.wall_reference, 1e-9)
        table.add_row(
            f.name, f"{f.ratio:.2f}", f"{wall:.2f}", f"≤ {f.goal}", "✓" if f.holds else "✗ missed", f.reference_name
        )
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    rows = [asdict(f) | {"ratio": f.ratio, "holds": f.holds} for f in figures]
    report = {"area": area, "machine": platform.platform(), "figures": rows}
    (RESULTS / f"{area}.json").write_text(json.dumps(report, indent=2))
    return all(f.holds for f in figures)


def _timed(work: Work) -> tuple[float, float]:
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - started
