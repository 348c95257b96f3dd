"""Area `incremental`: what one more day of events costs, against everything made anew and as the history grows.

Every run is a process of its own on a fresh copy of a lake of raw events. What is measured goes from raw events to
published profiles: evidence, stitched ids, owners of tuples, two sections of traits, profiles.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.table import Table

from benchmarks.identity import copied
from benchmarks.measure import RESULTS, Figure
from profiles_assets import pictures

FULL, QUICK = (100_000, 500_000, (10, 30, 100, 300)), (2_000, 5_000, (5, 10, 20))
ROUNDS, FEW, SECONDS = 3, 1_000, 2.0
Took = dict[str, tuple[float, float]]


@dataclass(frozen=True)
class Costs:
    """CPU and wall seconds by stage with a history of so many days: all anew, one more day, a few events more."""

    days: int
    whole: Took
    day: Took
    few: Took


def figures(quick: bool) -> list[Figure]:
    """One more day in CPU of everything anew, and of the same day onto a shorter history; a few events in seconds."""
    per_day, people, histories = QUICK if quick else FULL
    with TemporaryDirectory() as folder:
        found = [costs(Path(folder) / str(days), days, per_day, people, 1 if quick else ROUNDS) for days in histories]
    show(found)
    by_days = {cost.days: cost for cost in found}
    usual, longest = by_days[histories[-2]], by_days[histories[-1]]
    told = [
        _figure(f"one more day of {per_day:,} events onto {c.days} days", c.day, c.whole, "all anew", 0.05, c is usual)
        for c in found
    ]
    words = f"onto {usual.days} days"
    told.append(_figure(f"the same day onto {longest.days} days", longest.day, usual.day, words, 1.5, goes=True))
    cpu, wall = (sum(seconds[i] for seconds in usual.few.values()) for i in (0, 1))
    told.append(Figure(f"{FEW:,} events more", cpu, SECONDS, "two seconds", 1, wall, SECONDS, by="wall"))
    return told


def costs(lake: Path, days: int, per_day: int, people: int, rounds: int) -> Costs:
    """Measure a history of so many days."""
    run("generate", lake, days, per_day, people)
    whole = run("refresh", lake)
    measured: dict[str, list[Took]] = {"day": [], "few": []}
    for _ in range(rounds):
        with copied(lake) as copy:
            for name, count in (("day", per_day), ("few", FEW)):
                run("add", copy, days, count, people)
                measured[name].append(run("refresh", copy))
    return Costs(days, whole, _middle(measured["day"]), _middle(measured["few"]))


def run(task: str, lake: Path, days: int = 0, count: int = 0, people: int = 0) -> Took:
    """Do a task of `incremental_run` in a process of its own."""
    words = [task, str(lake), str(days), str(count), str(people)]
    command = [sys.executable, "-m", "benchmarks.incremental_run", *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, cwd=Path(__file__).parents[1])
    return {name: (cpu, wall) for name, (cpu, wall) in json.loads(done.stdout.splitlines()[-1]).items()}


def show(found: list[Costs]) -> None:
    """Print what a day costs by stage and history, and draw it."""
    table = Table("stage", *(f"{cost.days} days" for cost in found), title="CPU seconds of one more day (all anew)")
    for stage in found[0].day:
        table.add_row(stage, *(f"{cost.day[stage][0]:.2f} ({cost.whole[stage][0]:.1f})" for cost in found))
    Console().print(table)
    RESULTS.mkdir(exist_ok=True)
    cells = [(f"{cost.days} days", round(sum(cpu for cpu, _ in cost.day.values()), 2)) for cost in found]
    (RESULTS / "incremental.svg").write_text(pictures.bars(cells, " CPU s"))


def _middle(runs: list[Took]) -> Took:
    return {stage: (median(one[stage][0] for one in runs), median(one[stage][1] for one in runs)) for stage in runs[0]}


def _figure(name: str, ours: Took, reference: Took, words: str, goal: float, goes: bool) -> Figure:
    (cpu, wall), (cpu_r, wall_r) = ((sum(s[i] for s in took.values()) for i in (0, 1)) for took in (ours, reference))
    return Figure(name, cpu, cpu_r, words, goal if goes else None, wall, wall_r)
