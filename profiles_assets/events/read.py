"""Reading of landing files: one stream of Arrow batches, and what became of each file."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from profiles_assets.events.delimited import read_delimited
from profiles_assets.events.discover import LandingFile, content_hash, local_copy, signature_of
from profiles_assets.events.jsonl import read_jsonl
from profiles_assets.events.parquet import read_parquet
from profiles_assets.events.records import Records, batch
from profiles_assets.events.transformed import Tally, Transformer
from profiles_assets.project.sources import Source

CHANGED_MEANWHILE = "the file changed while it was read"


@dataclass
class Reading:
    """A file to read, and how that went; `known_hash` is that of content which need not be read again."""

    file_no: int
    file: LandingFile
    known_hash: str = ""
    hash: str = ""
    records: int = 0
    tally: Tally = field(default_factory=Tally)
    problem: str = ""

    @property
    def applied(self) -> bool:
        """True when the file was read, well or badly, and its records replace the older ones."""
        return not self.problem and not self.unchanged

    @property
    def unchanged(self) -> bool:
        """True when the content is what it was, only the file's signature has changed."""
        return bool(self.hash) and self.hash == self.known_hash


def read_all(
    readings: Sequence[Reading], source: Source, folder: str, on_file: Callable[[Reading], None]
) -> Iterator[pa.RecordBatch]:
    """Records of all files, one file after the other; `folder` takes temporary copies of remote files.

    A file that cannot be read gets its `problem` noted and the stream goes on.
    """
    transformer = Transformer(source) if source.transform and readings else None
    for reading in readings:
        try:
            yield from _read_one(reading, source, folder, transformer)
        except Exception as error:  # whatever a file does to its reader, the others are read
            reading.problem = f"{type(error).__name__}: {error}"
        on_file(reading)


def read_records(path: str, name: str, source: Source) -> Iterator[Records]:
    """Records of one local file in the format of its source; `name` is its name in the landing folder."""
    limit = source.max_record_bytes
    match source.file_format:
        case "jsonl":
            return read_jsonl(path, limit)
        case "csv":
            return read_delimited(path, limit, delimiter_of(name, source))
        case "parquet":
            return read_parquet(path, limit)


def delimiter_of(name: str, source: Source) -> str:
    """Declared delimiter; a tab in .tsv files where none is declared."""
    is_tabbed = name.removesuffix(".gz").endswith(".tsv") and "delimiter" not in source.model_fields_set
    return "\t" if is_tabbed else source.delimiter


def _read_one(
    reading: Reading, source: Source, folder: str, transformer: Transformer | None
) -> Iterator[pa.RecordBatch]:
    before = signature_of(reading.file)
    with local_copy(reading.file, folder) as path:
        reading.hash = content_hash(path)
        if reading.unchanged:
            return
        for records in read_records(path, reading.file.path, source):
            rows = batch(reading.file_no, reading.file.day, records)
            rows = transformer.batch(rows, reading.tally) if transformer else rows
            reading.records += rows.num_rows
            yield rows
    if signature_of(reading.file) != before:
        reading.problem = CHANGED_MEANWHILE
