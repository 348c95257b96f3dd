"""The landing folder: one file per source and day of arrival."""

from __future__ import annotations

import gzip
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import duckdb

from profiles_assets.simulator.lines import ORDER_COLUMNS, day_texts
from profiles_assets.simulator.world import SOURCES, Progress, World

GZIP_LEVEL = 1
DAYS_AT_ONCE = 30
FILE_NAMES = {"tracks": "part-0.jsonl.gz", "identifies": "part-0.jsonl.gz", "orders": "orders.csv"}
CSV_HEADER = (",".join(ORDER_COLUMNS) + "\n").encode()


def landing_file(out: Path, world: World, source: str, index: int) -> Path:
    """Where the lines of a source that arrive on a day are written."""
    return out / "landing" / source / world.day(index).isoformat() / FILE_NAMES[source]


def clear_landing(out: Path) -> None:
    """Remove the files of an earlier simulation, which may have had other days."""
    for source, name in FILE_NAMES.items():
        for path in (out / "landing" / source).glob(f"*/{name}"):
            path.unlink()


def _write_file(path: Path, text: bytes) -> None:
    if path.suffix == ".gz":
        if not text:
            return
        # mtime=0 keeps the bytes equal from run to run
        text = gzip.compress(text, GZIP_LEVEL, mtime=0)
    else:
        text = CSV_HEADER + text
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text)


def write_days(out: Path, world: World, first: int, last: int, progress: Progress | None = None) -> None:
    """Write the files of the days from first to last; a day without JSON lines has no file."""
    with duckdb.connect() as con, ThreadPoolExecutor(2) as pool:
        for source in SOURCES:
            for begin in range(first, last + 1, DAYS_AT_ONCE):
                end = min(begin + DAYS_AT_ONCE - 1, last)
                texts = day_texts(con, world, source, begin, end)
                paths = [landing_file(out, world, source, index) for index in range(begin, end + 1)]
                list(pool.map(_write_file, paths, texts))
                if progress is not None:
                    progress(source, end - first + 1, last - first + 1)
