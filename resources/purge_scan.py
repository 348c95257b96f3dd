"""A search for values in everything that a lake keeps on disk, whether its catalogue refers to it or not.

Data files are compressed, so a search through their bytes finds nothing: every column of every file is decoded.
"""

import base64
import json
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote as url_quote

import duckdb

from resources.lake import Lake
from resources.tables import literal, quote

BLOCK = 1 << 24


@dataclass(frozen=True)
class Place:
    """Where a value was found: a file, what in it, and how many rows or occurrences; never the value itself."""

    file: str
    what: str
    count: int


def scan_for(lake: Lake, values: Collection[str], keys: Collection[int] = (), also: Iterable[Path] = ()) -> list[Place]:
    """Places that tell one of these values, or one of these keys of ids, in a lake's folder and in `also`.

    Data files are decoded; the catalogue, its log and all other files are searched as bytes, with the values as UTF-8,
    UTF-16, hexadecimal, base64, escaped as in JSON and in URLs. Upper and lower case are the same.
    """
    root, data = Path(lake.root), Path(lake.data_path or Path(lake.root) / "data")
    found = [place for file in sorted(data.rglob("*.parquet")) for place in decoded(file, values, keys)]
    models = (root / "models").rglob("*.parquet")
    found += [place for file in sorted(models) for place in decoded(file, values, keys)]
    pattern = byte_pattern(values, keys)
    for folder in (root, *also):
        files = [folder] if folder.is_file() else sorted(path for path in folder.rglob("*") if path.is_file())
        found += [place for file in files if (place := in_bytes(file, pattern))]
    return found


def decoded(file: Path, values: Collection[str], keys: Collection[int]) -> Iterator[Place]:
    """Columns of a Parquet file that tell a value, or have a key."""
    con = duckdb.connect(config={"threads": 1})
    try:
        relation = f"read_parquet({literal(str(file))}, hive_partitioning = false)"
        columns = con.execute(f"DESCRIBE FROM {relation}").fetchall()
        tests = {name: _test(name, type_, values, keys) for name, type_, *_ in columns}
        counts = con.execute(f"SELECT {', '.join(f'count(*) FILTER ({t})' for t in tests.values())} FROM {relation}")
        for name, count in zip(tests, counts.fetchone() or (), strict=True):
            if count:
                yield Place(str(file), f"column {name}", int(count))
    except duckdb.Error:
        yield Place(str(file), "cannot be decoded", 1)
    finally:
        con.close()


def _test(name: str, type_: str, values: Collection[str], keys: Collection[int]) -> str:
    text = f"lower({quote(name)}::VARCHAR)"
    tests = [f"contains({text}, {literal(form.lower())})" for value in values for form in _texts(value)]
    if keys and type_ == "BIGINT":
        tests.append(f"{quote(name)} IN ({', '.join(map(str, keys))})")
    if keys and type_ == "BIGINT[]":
        tests.append(f"list_has_any({quote(name)}, [{', '.join(map(str, keys))}])")
    return " OR ".join(tests) or "false"


def in_bytes(file: Path, pattern: re.Pattern[bytes]) -> Place | None:
    """Occurrences of a pattern in the bytes of a file, also across the ends of the blocks that are read."""
    count, tail = 0, b""
    longest = 4 * max(len(pattern.pattern), 1)
    try:
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                text = (tail + block).lower()
                count += sum(found.end() > len(tail) for found in pattern.finditer(text))
                tail = (tail + block)[-longest:]
    except FileNotFoundError:
        return None
    return Place(str(file), "bytes", count) if count else None


def byte_pattern(values: Collection[str], keys: Collection[int] = ()) -> re.Pattern[bytes]:
    """Pattern of all forms of values in lower-cased bytes; keys as decimal numbers of their own."""
    forms = {form.lower() for value in values for form in _bytes(value)}
    parts = [re.escape(form) for form in sorted(forms)]
    parts += [rb"(?<![0-9])%d(?![0-9])" % key for key in keys]
    return re.compile(b"|".join(parts) or rb"(?!)")


def _texts(value: str) -> set[str]:
    return {value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], url_quote(value, safe="")}


def _bytes(value: str) -> Iterator[bytes]:
    for form in {value, value.lower(), value.upper()}:
        raw = form.encode()
        yield raw
        yield raw.hex().encode()
        yield form.encode("utf-16-le")
        yield form.encode("utf-16-be")
        yield from _base64(raw)
    yield from (text.encode() for text in _texts(value))


def _base64(raw: bytes) -> Iterator[bytes]:
    """The part of the base64 text that is the same wherever in a longer text the bytes start."""
    for shift in range(3):
        text = base64.b64encode(b"\0" * shift + raw)
        start, end = -(-shift * 8 // 6), (shift + len(raw)) * 8 // 6
        if end - start >= 8:  # shorter pieces turn up by chance
            yield text[start:end]
