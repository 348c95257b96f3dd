"""A lake whose connections share one opened engine, for work in many short steps."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import dagster as dg
import duckdb
from pydantic import PrivateAttr

from resources.lake import Lake

Con = duckdb.DuckDBPyConnection


class KeptLake(Lake):
    """Lake that loads and attaches once; each connection is a cursor with temporary tables of its own.

    Use it in a `with` statement, which closes the engine at the end; as a resource it has one engine for each run.
    """

    _engine: Con | None = PrivateAttr(None)

    @contextmanager
    def get_connection(self) -> Iterator[Con]:
        """Connection that may write, with the lake as its default database; always closed."""
        self._engine = self._engine or self._open("META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 10000")
        con = self._engine.cursor()
        try:
            con.execute("SET TimeZone = 'UTC'")
            con.execute("SET enable_progress_bar = false")
            con.execute("USE lake")
            yield con
        finally:
            con.close()

    @contextmanager
    def yield_for_execution(self, context: dg.InitResourceContext) -> Iterator["KeptLake"]:  # noqa: ARG002
        """The lake of one run."""
        with self:
            yield self

    def close(self) -> None:
        """Close the engine; the next connection opens it again."""
        if self._engine:
            self._engine.close()
            self._engine = None

    def __enter__(self) -> "KeptLake":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def kept(lake: Lake) -> KeptLake:
    """The same lake with one engine kept open."""
    return KeptLake(
        **{name: getattr(lake, name) for name in ("root", "catalog", "data_path", "memory_limit", "threads")}
    )
