"""Reader of CSV and TSV files."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from profiles_assets.events.blocks import blocks
from profiles_assets.events.jsonl import NOT_UTF8, is_utf8
from profiles_assets.events.lines import Bad, Lines, line_chunks
from profiles_assets.events.records import JsonRows, Records

QUOTES = "unclosed or misplaced quote"
COLUMNS = "wrong number of columns"
Row = list[str]


def read_delimited(path: str, limit: int, delimiter: str) -> Iterator[Records]:
    """Records of a file with a header, each an object of its columns; a record's position does not count the header."""
    parser = Parser(delimiter, limit, JsonRows(limit))
    csv.field_size_limit(max(csv.field_size_limit(), limit))
    try:
        for chunk in line_chunks(blocks(path), limit):
            if isinstance(chunk, Bad):
                yield parser.reject(chunk.record, chunk.reason)
            else:
                yield from parser.feed(chunk)
        yield from parser.parse(final=True)
    finally:
        parser.to_json.con.close()


@dataclass
class Parser:
    """Splits text into rows; text that may end inside a quoted field waits for what follows."""

    delimiter: str
    limit: int
    to_json: JsonRows
    header: Row = field(default_factory=list)
    waiting: str = ""
    position: int = 1

    def feed(self, chunk: Lines) -> Iterator[Records]:
        """Records that are complete with these lines."""
        text = chunk.text if self.header else self._take_header(chunk.text)
        if not is_utf8(text):
            lines = text.split(b"\n")
            yield from [self.reject(line, NOT_UTF8) for line in lines if not is_utf8(line)]
            text = b"\n".join(line for line in lines if is_utf8(line))
        self.waiting += text.decode() + "\n"
        if self.waiting.count('"') % 2 == 0 or len(self.waiting) > self.limit:
            yield from self.parse(final=False)

    def parse(self, final: bool) -> Iterator[Records]:
        """Records of the waiting text; at the end of the file nothing may wait on."""
        text, self.waiting = self.waiting, ""
        rows = self._quickly(text)
        yield from self._one_by_one(text, final) if rows is None else self._records(rows)

    def reject(self, record: bytes, reason: str) -> Bad:
        """Reject the next record."""
        self.position += 1
        return Bad(self.position - 1, record, reason)

    def _take_header(self, text: bytes) -> bytes:
        first, _, rest = text.lstrip(b"\n").partition(b"\n")
        header = first.decode(errors="replace")
        try:
            self.header = distinct_names(next(self._reader([header], strict=False), []))
        except csv.Error:
            self.header = distinct_names(header.split(self.delimiter))
        return rest

    def _quickly(self, text: str) -> list[Row] | None:
        try:
            rows = list(self._reader(io.StringIO(text, newline="\n")))
        except csv.Error:
            return None
        widths = set(map(len, rows))
        if 0 in widths:
            rows = [row for row in rows if row]
        return rows if widths <= {0, len(self.header)} else None

    def _one_by_one(self, text: str, final: bool) -> Iterator[Records]:
        lines, at = list(io.StringIO(text, newline="\n")), 0
        kept: list[Row] = []
        while at < len(lines):
            row, used, incomplete = self._next_row(lines, at)
            if incomplete and not final and sum(map(len, lines[at:])) <= self.limit:
                self.waiting = "".join(lines[at:])
                break
            if row is not None and len(row) in (0, len(self.header)):
                kept += [row] if row else []
                at += used
                continue
            yield from self._records(kept)
            yield self.reject(lines[at].rstrip("\n").encode(), COLUMNS if row and used == 1 else QUOTES)
            kept, at = [], at + 1
        yield from self._records(kept)

    def _next_row(self, lines: list[str], at: int) -> tuple[Row | None, int, bool]:
        reader = self._reader(map(lines.__getitem__, range(at, len(lines))))
        try:
            return next(reader), reader.line_num, False
        except csv.Error as error:
            return None, 1, "unexpected end" in str(error)

    def _records(self, rows: list[Row]) -> Iterator[Records]:
        if rows:
            columns = [pa.array(values, pa.string()) for values in zip(*rows, strict=True)]
            yield from self.to_json.records(self.position, pa.table(columns, names=self.header))
            self.position += len(rows)

    def _reader(self, lines: Iterable[str], strict: bool = True) -> Any:
        return csv.reader(lines, delimiter=self.delimiter, strict=strict)


def distinct_names(row: Row) -> Row:
    """Column names of a header: blanks get a number, a name seen before gets one behind it."""
    names: dict[str, str] = {}
    for number, cell in enumerate(row, 1):
        name = wanted = cell.replace("\0", "").strip() or f"column_{number}"
        again = 1
        while name.lower() in names:
            again += 1
            name = f"{wanted}_{again}"
        names[name.lower()] = name
    return list(names.values())
