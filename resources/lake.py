"""The lake: one DuckLake per environment, its connections, and the one way to write to it."""

import os
import random
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import duckdb
from dagster_duckdb import DuckDBResource
from filelock import FileLock
from pydantic import Field

from resources import progress
from resources.extensions import load_extension
from resources.tables import exists

Con = duckdb.DuckDBPyConnection
T = TypeVar("T")

RACES_BEFORE_LOCKING = 3
COMMIT_ATTEMPTS = 8
SMALL = 2**24  # bytes
DATA_FILES = "__ducklake_metadata_lake.ducklake_data_file"
TELLING = (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException)
VALUE = re.compile(r"""'(?:[^']|'')*'|"[^"]*"|(?<=with value )\S+""")
BYTES_OF = {"bytes": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
CONFLICTS = (duckdb.TransactionException, duckdb.IOException)
SCHEMAS = (
    "ops", "raw_events", "identity", "models", "states", "entity_vars", "funnels", "metrics", "predictions",
    "profiles", "audiences", "views", "attribution",
)  # fmt: skip


class Lake(DuckDBResource):
    """DuckLake of one environment: a folder with a SQLite catalogue, or any catalogue and data path.

    `get_connection` gives a writing connection, `read` one that is fixed on a snapshot and never blocks.
    """

    database: str = ":memory:"
    root: str = Field(description="Folder of the lake; locks, spill files and the default catalogue live here.")
    catalog: str = Field(default="", description="DuckLake catalogue, by default sqlite:<root>/catalog.sqlite.")
    data_path: str = Field(default="", description="Where the Parquet files go, by default <root>/data/.")
    memory_limit: str = Field(default="", description="DuckDB memory limit such as 4GB; default half of it.")
    threads: int = Field(default=0, description="DuckDB threads; 0 means one per core, or one for a small lake.")

    @contextmanager
    def get_connection(self) -> Iterator[Con]:
        """Connection that may write, with the lake as its default database; always closed."""
        con = self._open("META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 10000")
        try:
            yield con
        finally:
            con.close()

    @contextmanager
    def read(self, snapshot: int | None = None) -> Iterator[Con]:
        """Read-only connection fixed on a snapshot, by default the newest published one.

        Raises LookupError when nothing has been published yet.
        """
        con = self._open(f"SNAPSHOT_VERSION {self.published() if snapshot is None else snapshot}")
        try:
            yield con
        finally:
            con.close()

    def published(self) -> int:
        """Snapshot number of the newest publication. Raises LookupError when there is none."""
        if not self.exists():
            raise LookupError("nothing has been published yet")
        with self.get_connection() as con:
            found = con.execute("SELECT max(snapshot) FROM ops.publications").fetchone()
        if not found or found[0] is None:
            raise LookupError("nothing has been published yet")
        return int(found[0])

    def exists(self) -> bool:
        """True when the lake has been written to, or is kept in a catalogue elsewhere."""
        return bool(self.catalog) or self._sqlite().exists()

    def step(
        self,
        compute: Callable[[Con], T],
        write: Callable[[Con, T], None],
        reads: Sequence[str],
    ) -> T:
        """Compute outside the lock, then commit inside it; compute again when what was read has changed.

        `compute` reads one consistent snapshot and leaves its rows in temporary tables; `write` runs in one
        short transaction; `reads` names the steps whose progress must not have moved in between.
        """
        with self.get_connection() as con:
            for attempt in range(RACES_BEFORE_LOCKING):
                seen, value = self._compute(con, compute, reads)
                with self._lock():
                    if self._snapshot(con) == seen.snapshot or progress.fingerprint(con, reads) == seen.progress:
                        return self._commit(con, write, value)
                    if attempt + 1 == RACES_BEFORE_LOCKING:
                        return self._commit(con, write, self._compute(con, compute, reads)[1])
        raise AssertionError("unreachable")

    def write(self, action: Callable[[Con], None], on: Con | None = None) -> int:
        """Run one short transaction inside the lock, on a connection without one where it is given.

        Returns the number of the snapshot it made.
        """
        with nullcontext(on) if on else self.get_connection() as con, self._lock():
            self._commit(con, lambda c, _: action(c), None)
            return snapshot_number(con)

    def publish(self, entity: str, version: str) -> int:
        """Note the newest snapshot as the published one of an entity's profiles; returns its number."""
        with self.get_connection() as con, self._lock():
            snapshot = snapshot_number(con)
            self._commit(con, lambda c, _: note_publication(c, entity, version, snapshot), None)
            return snapshot

    def _open(self, options: str) -> Con:
        Path(self.root).mkdir(parents=True, exist_ok=True)
        con = duckdb.connect(self.database, config=self._settings())
        try:
            con.execute("SET TimeZone = 'UTC'")
            con.execute("SET enable_progress_bar = false")  # it would be written into what commands answer
            for extension in (
                "ducklake",
                *(("sqlite_scanner",) if self._target().startswith("sqlite:") else ()),
            ):
                load_extension(con, extension)
            data = self.data_path or f"{Path(self.root).resolve()}/data/"
            ready = self.exists() and self._founded().exists()
            # a lake that was moved has its first path in the catalogue
            where = f"DATA_PATH '{data}', OVERRIDE_DATA_PATH {str(ready).lower()}"
            with nullcontext() if ready else self._lock():
                con.execute(f"ATTACH 'ducklake:{self._target()}' AS lake ({where}, {options})")
                con.execute("USE lake")
                if not ready and "SNAPSHOT_VERSION" not in options:
                    self._found(con)
            if not self.threads:
                con.execute(f"SET threads = {self.threads_for(self._bytes(con))}")
        except BaseException:
            con.close()
            raise
        return con

    def _found(self, con: Con) -> None:
        if not exists(con, "ops.as_of"):
            self._commit(con, create_foundations, None)
        self._founded().touch()

    def _founded(self) -> Path:
        return Path(self.root) / "founded"

    def _settings(self) -> dict[str, str | bool | int | float | list[str]]:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": f"{self.root}/spill",
            "threads": self.threads or 1,
        }
        return settings | {"memory_limit": self.memory_limit or f"{half_of_memory() // 2**20}MiB"}

    def threads_for(self, size: float) -> int:
        """Threads for work on so many bytes: on a few, threads wait for each other longer than they work."""
        return self.threads or (1 if size < SMALL else os.cpu_count() or 1)

    def _bytes(self, con: Con) -> float:
        """Bytes of the data files; infinite where that is not told at once.

        Asked of the engine: a second SQLite in the process would release the locks of the first when it closes.
        """
        if self.catalog:
            return float("inf")
        row = con.execute(f"SELECT coalesce(sum(file_size_bytes), 0) FROM {DATA_FILES}").fetchone()
        return float(row[0]) if row else 0.0

    def _target(self) -> str:
        return self.catalog or f"sqlite:{self._sqlite()}"

    def _sqlite(self) -> Path:
        return Path(self.root) / "catalog.sqlite"

    def locked(self) -> FileLock:
        """The lock that every write holds, for work on the catalogue itself."""
        return self._lock()

    def _lock(self) -> FileLock:
        return FileLock(Path(self.root) / "write.lock", timeout=600)

    def _compute(self, con: Con, compute: Callable[[Con], T], reads: Sequence[str]) -> "tuple[_Seen, T]":
        with transaction(con), without_values(), progress.read_once(con):
            return _Seen(self._snapshot(con), progress.fingerprint(con, reads)), compute(con)

    def _snapshot(self, con: Con) -> int:
        return snapshot_number(con)

    @staticmethod
    def _commit(con: Con, write: Callable[[Con, T], None], value: T) -> T:
        for attempt in range(COMMIT_ATTEMPTS):
            try:
                with transaction(con):
                    write(con, value)
            except CONFLICTS:
                if attempt + 1 == COMMIT_ATTEMPTS:
                    raise
                time.sleep(random.uniform(0, 0.05 * 2**attempt))  # noqa: S311
            else:
                return value
        raise AssertionError("unreachable")


@dataclass(frozen=True)
class _Seen:
    """What a computation has read: the snapshot, and the progress of the steps it reads.

    As long as nothing has been written since the snapshot, progress need not be read again.
    """

    snapshot: int
    progress: str


def lake_of(folder: Path) -> Lake:
    """Lake that belongs to a folder: the one in PROFILES_LAKE, else .lake inside it."""
    return Lake(root=os.environ.get("PROFILES_LAKE") or str(folder / ".lake"))


@contextmanager
def transaction(con: Con) -> Iterator[None]:
    """One transaction: committed at the end, rolled back on any exception."""
    con.begin()
    try:
        yield
        con.commit()
    except BaseException:
        with suppress(duckdb.Error):  # the engine may have rolled back already
            con.rollback()
        raise


@contextmanager
def without_values() -> Iterator[None]:
    """Let errors of the engine about single values go on without the values, which may be personal."""
    try:
        yield
    except TELLING as error:
        raise type(error)(VALUE.sub("***", str(error).splitlines()[0])) from None


def create_foundations(con: Con, _: None = None) -> None:
    """Create the schemas and the tables of notes that every stage shares."""
    for schema in SCHEMAS:
        con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    progress.create(con)
    con.execute("CREATE TABLE IF NOT EXISTS ops.publications (entity VARCHAR, as_of DATE, snapshot BIGINT)")
    con.execute("CREATE TABLE IF NOT EXISTS ops.as_of (entity VARCHAR, as_of DATE)")
    con.execute(
        "CREATE TABLE IF NOT EXISTS metrics.distributions "
        "(metric VARCHAR, people BIGINT, percentiles DOUBLE[], edges DOUBLE[])"
    )


def memory_limit(con: Con) -> int:
    """Memory that a connection may use, in bytes."""
    row = con.execute("SELECT current_setting('memory_limit')").fetchone()
    assert row is not None
    number, unit = str(row[0]).split()
    return int(float(number) * BYTES_OF[unit])


def half_of_memory() -> int:
    """Half of this machine's memory, in bytes."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def note_publication(con: Con, entity: str, version: str, snapshot: int) -> None:
    """Note a snapshot as published, with the version of the profiles in it."""
    con.execute(
        "INSERT INTO ops.publications SELECT entity, as_of, ? FROM ops.as_of WHERE entity = ?",
        [snapshot, entity],
    )
    progress.record(con, f"published/{entity}", {"all": version})


def snapshot_number(con: Con) -> int:
    """Number of the newest snapshot of the lake."""
    row = con.execute("SELECT id FROM ducklake_current_snapshot('lake')").fetchone()
    assert row is not None
    return int(row[0])
