"""Records as the readers hand them on: Arrow batches of JSON text, or of what was rejected and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from functools import cache

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from profiles_assets.events.lines import TOO_LONG, Bad, cut

SCHEMA = pa.schema(
    [
        ("file_no", pa.int32()),
        ("path_day", pa.date32()),
        ("position", pa.int64()),
        ("text", pa.string()),
        ("record", pa.string()),
        ("reason", pa.string()),
    ]
)


@dataclass(frozen=True)
class Good:
    """Records as JSON text, each with its position."""

    positions: pa.Array
    texts: pa.Array


Records = Good | Bad


def batch(file_no: int, day: date | None, records: Records) -> pa.RecordBatch:
    """Arrow batch of records of one file, whose path tells a load day or none."""
    if isinstance(records, Bad):
        row = [[file_no], [day], [records.position], [None], [cut(records.record)], [records.reason]]
        return pa.record_batch([pa.array(v, t) for v, t in zip(row, SCHEMA.types, strict=True)], schema=SCHEMA)
    size = len(records.texts)
    numbers, days = (
        pa.repeat(pa.scalar(value, type_), size) for value, type_ in zip((file_no, day), SCHEMA.types[:2], strict=True)
    )
    nothing = pa.nulls(size, pa.string())
    return pa.record_batch([numbers, days, records.positions, records.texts, nothing, nothing], schema=SCHEMA)


def coalesced(batches: Iterable[pa.RecordBatch], rows: int = 16_384) -> Iterator[pa.RecordBatch]:
    """The same rows in fewer batches, because the engine works best on thousands of rows at a time."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for one in batches:
        waiting.append(one)
        count += one.num_rows
        if count >= rows:
            yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()
            waiting, count = [], 0
    if waiting:
        yield from pa.Table.from_batches(waiting).combine_chunks().to_batches()


@cache
def converter() -> duckdb.DuckDBPyConnection:
    """The engine that writes JSON, kept for all files because starting one takes as long as a small file."""
    con = duckdb.connect(config={"threads": 1})
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    return con


@dataclass
class JsonRows:
    """Turns Arrow columns into one JSON object per row; records over the limit come as `Bad`."""

    limit: int
    con: duckdb.DuckDBPyConnection = field(default_factory=lambda: converter().cursor())

    def records(self, first: int, columns: pa.Table) -> Iterator[Records]:
        """Rows as records whose positions start at `first`."""
        texts = self._texts(columns)
        sizes = pc.binary_length(texts)
        positions = pa.array(range(first, first + len(texts)), pa.int64())
        if (pc.max(sizes).as_py() or 0) <= self.limit:
            yield Good(positions, texts)
            return
        fits = pc.less_equal(sizes, self.limit)
        yield Good(positions.filter(fits), texts.filter(fits))
        for at in pc.indices_nonzero(pc.invert(fits)).to_pylist():
            yield Bad(first + at, texts[at].as_py()[:8000].encode(), TOO_LONG)

    def _texts(self, columns: pa.Table) -> pa.Array:
        self.con.register("arrived_columns", columns)
        try:
            found = self.con.sql("SELECT to_json(arrived_columns)::VARCHAR AS text FROM arrived_columns")
            return found.to_arrow_table()["text"].combine_chunks()
        finally:
            self.con.unregister("arrived_columns")
