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
    """CPU seconds of ours and of a reference; the goal is the largest ratio (ours / reference) that is fine.

    The ratio is that of wall seconds where `by` says so; without a goal it is only shown.
    """

    name: str
    ours: float
    reference: float
    reference_name: str
    goal: float | None
    wall: float
    wall_reference: float
    by: str = "cpu"

    @property
    def ratio(self) -> float:
        """What the goal is about: CPU, or wall time, of ours over that of the reference."""
        return self.wall_ratio if self.by == "wall" else self.ours / max(self.reference, 1e-9)

    @property
    def wall_ratio(self) -> float:
        """Wall time of ours over that of the reference."""
        return self.wall / max(self.wall_reference, 1e-9)

    @property
    def holds(self) -> bool:
        """True when the goal is met."""
        return self.goal is None or self.ratio <= self.goal


def compare(name: str, ours: Work, reference: Work, reference_name: str, goal: float, rounds: int = 3) -> Figure:
    """Run both alternately and keep the medians."""
    mine, theirs = [], []
    for _ in range(rounds):
        mine.append(timed(ours))
        theirs.append(timed(reference))
    (cpu, wall), (cpu_r, wall_r) = (map(statistics.median, zip(*runs, strict=True)) for runs in (mine, theirs))
    return Figure(name, cpu, cpu_r, reference_name, goal, wall, wall_r)


def publish(area: str, figures: list[Figure]) -> bool:
    """Print a table, write the JSON file of an area, and tell whether every goal is met."""
    table = Table("figure", "ratio (CPU)", "ratio (wall)", "goal", "", "against", title=area, title_justify="left")
    for f in figures:
        goal = "-" if f.goal is None else f"≤ {f.goal:g}"
        cpu = f"{f.ours / max(f.reference, 1e-9):.3g}"
        table.add_row(f.name, cpu, f"{f.wall_ratio:.3g}", goal, "✓" if f.holds else "✗ missed", f.reference_name)
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    rows = [asdict(f) | {"ratio": f.ratio, "holds": f.holds} for f in figures]
    report = {"area": area, "machine": platform.platform(), "figures": rows}
    (RESULTS / f"{area}.json").write_text(json.dumps(report, indent=2))
    return all(f.holds for f in figures)


def timed(work: Work) -> tuple[float, float]:
    """CPU and wall seconds of some work in this process."""
    before, started = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    work()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return cpu, time.perf_counter() - started
