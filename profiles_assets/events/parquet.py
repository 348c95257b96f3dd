"""Reader of Parquet files."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from profiles_assets.events.lines import DAMAGED, Bad
from profiles_assets.events.records import JsonRows, Records

ROWS = 16_384


def read_parquet(path: str, limit: int) -> Iterator[Records]:
    """Records of a Parquet file, each an object of its columns; one reject for the rest of a damaged file."""
    position, to_json = 1, JsonRows(limit)
    try:
        with pq.ParquetFile(path) as file:
            for rows in file.iter_batches(batch_size=ROWS):
                yield from to_json.records(position, pa.Table.from_batches([rows]))
                position += rows.num_rows
    except (pa.ArrowException, duckdb.Error, ValueError, KeyError) as error:
        yield Bad(position, str(error).encode(), DAMAGED)
    finally:
        to_json.con.close()
