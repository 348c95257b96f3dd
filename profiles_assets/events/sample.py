"""A look into the newest landing files: which properties events have and what kinds of values."""

from collections.abc import Iterator

import duckdb
import pyarrow as pa

from profiles_assets.events.derive import extraction_of, record_sql
from profiles_assets.events.discover import LandingFile, landing_files, local_copy
from profiles_assets.events.read import read_records
from profiles_assets.events.records import Good
from profiles_assets.events.transformed import Transformer
from profiles_assets.project.project import Project
from profiles_assets.project.sampled import Kinds, Sample
from profiles_assets.project.sources import Source
from resources.tables import literal

FILES, RECORDS = 3, 4_000
WRITTEN = """
    CASE WHEN written = '' THEN NULL WHEN try_cast(written AS DOUBLE) IS NOT NULL THEN 'number'
         WHEN {flat} AND lower(written) IN ('true', 'false') THEN 'boolean' ELSE 'text' END"""
KIND = """
    CASE type WHEN 'VARCHAR' THEN {written} WHEN 'BOOLEAN' THEN 'boolean' WHEN 'ARRAY' THEN 'list'
              WHEN 'OBJECT' THEN 'object' WHEN 'NULL' THEN NULL ELSE 'number' END"""


def sample_project(project: Project, spill: str) -> dict[str, Sample]:
    """What the newest records of every source with readable files look like; `spill` takes copies of remote files."""
    found = {}
    for name in project.sources:
        texts = list(_texts(project, name, spill))
        if texts:
            found[name] = describe(project.sources[name], texts)
    return found


def describe(source: Source, texts: list[pa.Array]) -> Sample:
    """Counts of records and of kinds of values, by event and path in the record."""
    con = duckdb.connect(config={"threads": 1})
    try:
        con.register("texts", pa.table({"text": pa.chunked_array(texts)}))
        extraction = extraction_of(source)
        event = literal(source.event_is) if source.event_is else extraction.take(source.event)
        con.execute(
            f"CREATE TABLE records AS SELECT row_number() OVER () AS n, {event} AS event, "
            f"{record_sql(source, 'text')} AS text FROM (SELECT text, {extraction.sql} AS v FROM texts) "
            "WHERE json_valid(text)"
        )
        counts = dict(con.execute("SELECT event, count(*) FROM records WHERE event IS NOT NULL GROUP BY 1").fetchall())
        return Sample(counts, _kinds(con, flat=source.file_format == "csv"))
    finally:
        con.close()


def _kinds(con: duckdb.DuckDBPyConnection, *, flat: bool) -> dict[str, dict[str, Kinds]]:
    kind = KIND.format(written=WRITTEN.format(flat=str(flat).lower()))
    rows = con.execute(
        f"""SELECT event, replace(replace(fullkey, '$.', ''), '"', '') AS path, kind, count(*) FROM (
            SELECT r.event, t.fullkey, t.type, json_extract_string(t.atom, '$') AS written, {kind} AS kind
            FROM records r, json_tree(r.text) t)
        WHERE kind IS NOT NULL AND fullkey <> '$' AND event IS NOT NULL AND NOT contains(fullkey, '[')
        GROUP BY ALL ORDER BY ALL"""
    ).fetchall()
    found: dict[str, dict[str, Kinds]] = {}
    for event, path, what, count in rows:
        found.setdefault(event, {}).setdefault(path, {})[what] = count
    return found


def _texts(project: Project, name: str, spill: str) -> Iterator[pa.Array]:
    source = project.sources[name]
    for file in landing_files(project, name)[-FILES:] if source.files else ():
        try:
            yield from _first_texts(file, source, spill)
        except Exception:  # noqa: S112 - a file that cannot be read is told of when it is loaded
            continue


def _first_texts(file: LandingFile, source: Source, spill: str) -> Iterator[pa.Array]:
    left, transformer = RECORDS, Transformer(source) if source.transform else None
    with local_copy(file, spill) as path:
        for records in read_records(path, file.path, source):
            if isinstance(records, Good):
                texts = records.texts.slice(0, left)
                yield transformer.array(texts) if transformer else texts
                left -= len(records.texts)
            if left <= 0:
                return
