"""From a file that lands to the profile that readers see, with `profiles watch`: seconds for each of 50 files."""

import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Figure
from benchmarks.shop import stitched_shop
from profiles_assets.path import build
from resources.lake import Lake

SECONDS = 2.0
PERSON = "latency@bench.example"
COMMAND = "import sys; from profiles_assets.cli.main import main; sys.exit(main())"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Arrived:
    """One file: wall seconds until its profile was published, and CPU seconds of the watch meanwhile."""

    wall: float
    cpu: float


def figures(quick: bool) -> list[Figure]:
    """Median latency of files that land one after the other in a simulated shop, against two seconds."""
    people, days, files = (300, 40, 10) if quick else (2_000, 100, 50)
    with stitched_shop(people, days) as (lake, project):
        build(lake, project)
        found = latencies(project.root, lake, files)
        cpu, wall = (statistics.median(values) for values in ([a.cpu for a in found], [a.wall for a in found]))
    return [Figure("file to profile", cpu, SECONDS, "two seconds", 1.0, wall, SECONDS, by="wall")]


def latencies(root: Path, lake: Lake, files: int, events: int = 1) -> list[Arrived]:
    """Land files of some events each in a shop that is watched, each once the one before is in the profiles.

    Raises AssertionError when the published profile lacks an event in the end.
    """
    day = max(path.name for path in (root / "landing" / "tracks").iterdir())
    before = _orders(lake)
    with watched(root, lake) as process:
        _next_line(process)
        found = [_land(process, root, day, number, events) for number in range(files)]
    assert _orders(lake) == before + files * events, "an event is missing"
    return found


@contextmanager
def watched(root: Path, lake: Lake) -> Iterator["subprocess.Popen[str]"]:
    """A process of `profiles watch --json` on a project, ended afterwards."""
    words = ["watch", "--json", "--project", str(root), "--lake", lake.root]
    home = os.environ | {"DAGSTER_HOME": str(root / ".dagster")}
    process = subprocess.Popen([sys.executable, "-c", COMMAND, *words], stdout=subprocess.PIPE, text=True, env=home)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=120)


def _land(process: "subprocess.Popen[str]", root: Path, day: str, number: int, events: int) -> Arrived:
    rows = [f"latency-{number}-{n},{day}T12:00:00Z,{day}T12:00:00Z,{PERSON},1" for n in range(events)]
    file = root / "landing" / "orders" / day / f"latency{number}.csv"
    file.parent.mkdir(exist_ok=True)
    fresh = file.with_suffix(".fresh")
    fresh.write_text("\n".join(["order_id,ordered_at,received_at,email,total", *rows]))
    cpu, started = _cpu(process.pid), time.time()
    fresh.rename(file)
    told = _next_line(process)
    while not told.get("loaded"):
        told = _next_line(process)
    return Arrived(told["finished"] - started, _cpu(process.pid) - cpu)


def _next_line(process: "subprocess.Popen[str]") -> dict[str, float]:
    assert process.stdout
    told: dict[str, float] = json.loads(process.stdout.readline())
    assert not told.get("problem"), told
    return told


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _orders(lake: Lake) -> int:
    with lake.read() as con:
        row = con.execute(
            "SELECT coalesce(sum(orders), 0)::BIGINT FROM profiles.user_unmasked WHERE list_contains(ids['email'], ?)",
            [PERSON],
        ).fetchone()
    return int(row[0]) if row else 0
