"""Area `load`: the whole command that loads, validates and compiles a project, against its limits and plain YAML.

A run before the first that counts leaves the bytecode of all that is imported, as the first of any user does. The
limits stand beside what `pb compile` 0.26.4 took for as many features on a machine of this size: 8.8, 38.5 and
88 s, and 2.1 GB for the largest.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.measure import Figure

PROJECT = "name: large\nentities: {user: {ids: {user_id: {}}}}\n"
SOURCES = """\
sources:
  s:
    files: l/{day}/*.jsonl
    time: t
    event: e
    events: [buy, look, visit]
    ids: {user_id: u}
    types: {amount: number}
"""
TRAITS = (
    "{{count: buy, within: {days} days, title: Trait {i}}}",
    "{{sum: buy.amount, within: {days} days, where: {{amount: '> {i}'}}}}",
    "{{latest: look.city{few}}}",
    "{{most_frequent: look.category{few}, within: {days} days}}",
    "{{ratio: [t{first}, t{second}]}}",
    "{{sql: 'avg(amount) filter (where amount > {i})', from: buy, type: float}}",
    "{{unique_count: look.product{few}, within: {days} days}}",
    "{{bucket: t{first}, at: [1, 10, 100]}}",
    "{{days_since: visit}}",
    "{{calculate: t{first} / (t{second} + 1)}}",
)
PER_FILE = 50
LIMITS = {100: (0.5, "8.8 s"), 400: (1.0, "38.5 s"), 1_000: (2.0, "88 s")}
MEGABYTES = 300
COMMAND = [str(Path(sys.executable).with_name("profiles")), "compile", "--project"]
PLAIN = "import sys, yaml, pathlib; [yaml.safe_load(p.read_text()) for p in pathlib.Path(sys.argv[1]).rglob('*.yml')]"


def figures(quick: bool) -> list[Figure]:
    """Wall time of the command in that of its limit and of reading the YAML alone; memory in that of its limit."""
    return [figure for traits in ((100,) if quick else LIMITS) for figure in _figures(traits)]


def _figures(traits: int) -> list[Figure]:
    with TemporaryDirectory() as folder:
        project, bytecode = Path(folder, "project"), Path(folder, "bytecode")
        write_project(project, traits)
        ours, theirs = [], []
        for _ in range(4):
            ours.append(_run([*COMMAND, str(project)], bytecode))
            theirs.append(_run([sys.executable, "-c", PLAIN, str(project)], bytecode))
    ours, theirs = ours[1:], theirs[1:]
    wall, cpu, memory = (statistics.median(values) for values in zip(*ours, strict=True))
    wall_yaml, cpu_yaml, _ = (statistics.median(values) for values in zip(*theirs, strict=True))
    (limit, anchor), name = LIMITS[traits], f"load, validate and compile {traits:,} traits"
    return [
        Figure(name, wall, limit, f"limit {limit} s (pb: {anchor})", 1.0, wall, limit),
        Figure(name, cpu, cpu_yaml, "yaml.safe_load of its files, a process too", 10.0, wall, wall_yaml),
        Figure(f"memory of {traits:,} traits", memory, MEGABYTES, f"limit {MEGABYTES} MB", 1.0, memory, MEGABYTES),
    ]


def write_project(root: Path, traits: int) -> None:
    """A project with traits of ten kinds, fifty to a file."""
    (root / "traits").mkdir(parents=True)
    (root / "project.yml").write_text(PROJECT)
    (root / "sources.yml").write_text(SOURCES)
    for start in range(0, traits, PER_FILE):
        lines = [f"  t{i}: {_trait(i)}" for i in range(start, min(start + PER_FILE, traits))]
        (root / "traits" / f"s{start // PER_FILE}.yml").write_text(
            "\n".join(["owner: growth", "traits:", *lines]) + "\n"
        )


def _trait(i: int) -> str:
    first = i - i % len(TRAITS)
    return TRAITS[i % len(TRAITS)].format(i=i, days=i % 300 + 1, few=i % 7, first=f"{first}", second=f"{first + 1}")


def _run(command: list[str], bytecode: Path) -> tuple[float, float, float]:
    """Wall and CPU seconds and the peak megabytes of a process."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = kept | {"PYTHONPYCACHEPREFIX": str(bytecode)}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
    memory = 0.0
    while process.poll() is None:
        memory = max(memory, _peak(process.pid))
        time.sleep(0.005)
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, memory


def _peak(pid: int) -> float:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0.0)
