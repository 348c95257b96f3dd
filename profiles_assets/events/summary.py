"""What a load has staged, in numbers, notes and versions."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date

import duckdb

from profiles_assets.events import notes, versions
from profiles_assets.events.apply import UNREADABLE, Outcome
from profiles_assets.events.columns import cast_sql
from profiles_assets.events.dedupe import in_days
from profiles_assets.events.derive import property_column
from profiles_assets.events.notes import FileNote
from profiles_assets.events.plan import Plan
from profiles_assets.events.read import Reading
from profiles_assets.events.report import LoadReport
from profiles_assets.events.stage import REPLACED, Staging
from profiles_assets.events.suppression import seed
from profiles_assets.events.transformed import WORDS
from resources import progress
from resources.tables import quote

Con = duckdb.DuckDBPyConnection
Uncast = tuple[date, str, str, int]


def stored_days(con: Con, table: str | None) -> list[date]:
    """Load days with stored rows of files that are replaced."""
    if table is None:
        return []
    rows = con.execute(f"SELECT DISTINCT day FROM {table} WHERE file IN {REPLACED} ORDER BY day").fetchall()
    return [row[0] for row in rows]


def staged_days(con: Con) -> list[date]:
    """Load days with staged rows."""
    rows = con.execute("SELECT DISTINCT day FROM staged_events WHERE reason IS NULL ORDER BY day").fetchall()
    return [row[0] for row in rows]


def outcome(
    staging: Staging,
    plan: Plan,
    *,
    types: Mapping[str, str | None],
    lacking: Sequence[str],
    old_days: Sequence[date],
    changed: Collection[date],
) -> Outcome:
    """All that is to be written, and the report about it."""
    con, name = staging.con, staging.source_name
    renewed = file_notes(con, plan)
    files = {path: note for path, note in (plan.known | renewed).items() if path not in plan.gone}
    pinned = {path: type_ for path, type_ in types.items() if type_}
    definitions = notes.definitions(staging.project, name)
    found, empty = day_versions(con, staging, changed, files, notes.version_seed(definitions) + seed(con))
    before = progress.applied(con, notes.rows_step(name))
    found = {day: version for day, version in found.items() if before.get(day) != version}
    emptied = [day for day in empty if day in before]
    uncast = list(uncast_values(con, pinned, staging.project.timezone, lacking))
    marks = definitions | {"files": notes.fingerprint(files, pinned)}
    noted = progress.applied(con, notes.files_step(name))
    failed = {r.file.path: r.problem for r in plan.readings if r.problem}
    return Outcome(
        source_name=name,
        work=True,
        records=staging.source.kind == "records",
        replaced=any(path in plan.known for path in plan.replaced()),
        renewed={path: note for path, note in renewed.items() if plan.known.get(path) != note},
        gone=plan.gone,
        failed=[(r.file.path, r.file.day, r.problem) for r in plan.readings if r.problem],
        versions=found,
        emptied=emptied,
        old_days=list(old_days),
        types=pinned,
        filled=list(lacking),
        timezone=staging.project.timezone,
        uncast=uncast,
        read=[r.file.path for r in plan.readings if r.applied],
        transformed=[row for r in plan.readings if r.applied for row in _transformed(r)],
        marks={part: mark for part, mark in marks.items() if noted.get(part) != mark},
        report=_report(con, name, plan, failed=failed, days=[*found, *emptied], uncast=uncast),
    )


def _transformed(reading: Reading) -> Iterator[tuple[str, int | None, str, int, str]]:
    """What the transformations of a source did to a file: a count for each outcome, then the errors that are listed."""
    path, tally = reading.file.path, reading.tally
    yield from ((path, None, what, count, "") for what, count in tally.counts.items() if count)
    yield from ((path, position, "failed", 1, error) for position, error in tally.errors)


def file_notes(con: Con, plan: Plan) -> dict[str, FileNote]:
    """Notes of the files that this load applies or finds touched, and of those whose duplicates change."""
    counts, dropped = _staged_counts(con), _dropped(con)
    numbers = plan.numbers
    again = ((path, plan.known[path], dropped.get(numbers[path], 0)) for path in plan.derived_again())
    known = ((path, replace(note, suppressed=note.suppressed + more)) for path, note, more in again)
    found = {path: _recounted(note, counts.get(numbers[path])) for path, note in known}
    for reading in plan.readings:
        path, file = reading.file.path, reading.file
        if reading.applied:
            suppressed = dropped.get(reading.file_no, 0)
            note = FileNote(path, file.day, reading.hash, file.signature, reading.records, 0, 0, 0, suppressed)
            found[path] = _recounted(note, counts.get(reading.file_no))
        elif reading.unchanged and not reading.problem:
            found[path] = replace(found.get(path, plan.known[path]), signature=file.signature)
    for path, difference in con.execute(
        "SELECT file, sum(CASE WHEN duplicate THEN 1 ELSE -1 END)::BIGINT FROM event_flips GROUP BY file"
    ).fetchall():
        note = found.get(path, plan.known[path])
        found[path] = replace(note, duplicates=note.duplicates + difference)
    days = {path: day for _, path, day in plan.numbered}
    return {path: replace(note, day=days.get(path, note.day)) for path, note in found.items()}


def day_versions(
    con: Con, staging: Staging, changed: Collection[date], files: Mapping[str, FileNote], seed: str
) -> tuple[dict[str, str], list[str]]:
    """Version per touched day that has rows, and the touched days that have none left."""
    flipped = [row[0] for row in con.execute("SELECT DISTINCT day FROM event_flips").fetchall()]
    if staging.source.kind == "records":
        touched = sorted({*changed, *flipped, *versions.ended_days(con)})
        parts, repeats = versions.parts_sql(con, notes.table_of(staging.source_name), touched), {}
    else:
        touched = sorted({*changed, *flipped})
        parts = f"SELECT DISTINCT day, file FROM event_arrivals WHERE {in_days(touched)}"
        repeats = _repeats(con, in_days(touched))
    content: dict[date, list[list[str]]] = {}
    for day, file, *marks in con.execute(f"{parts} ORDER BY ALL").fetchall():
        content.setdefault(day, []).append([file, files[file].hash, *marks])
    found = {str(day): notes.hash_of([seed, content[day], repeats.get(day)]) for day in touched if day in content}
    return found, [str(day) for day in touched if day not in content]


def _repeats(con: Con, here: str) -> dict[date, str]:
    return dict(
        con.execute(
            f"""SELECT day, md5(string_agg(file || ':' || position, ';' ORDER BY file, position))
            FROM event_repeats WHERE {here} GROUP BY day"""
        ).fetchall()
    )


def uncast_values(con: Con, types: Mapping[str, str], timezone: str, filled: Sequence[str]) -> Iterator[Uncast]:
    """Numbers of values, by load day and file, that do not have the type of their column."""
    staged = "(SELECT s.*, file FROM staged_events s JOIN staged_files USING (file_no) WHERE reason IS NULL)"
    for rows, paths in ((staged, list(types)), ("event_fill", [path for path in filled if path in types])):
        checked = [path for path in paths if types[path] != "VARCHAR"]
        if checked:
            yield from _uncast(con, rows, {path: types[path] for path in checked}, timezone)


def _uncast(con: Con, rows: str, types: Mapping[str, str], timezone: str) -> Iterator[Uncast]:
    counts = []
    for path, type_ in types.items():
        text = quote(property_column(path))
        counts.append(f"count(*) FILTER ({text} IS NOT NULL AND ({cast_sql(type_, text, timezone)}) IS NULL)")
    for day, file, *numbers in con.execute(
        f"SELECT day, file, {', '.join(counts)} FROM {rows} GROUP BY day, file ORDER BY day, file"
    ).fetchall():
        yield from ((day, file, path, n) for path, n in zip(types, numbers, strict=True) if n)


def _staged_counts(con: Con) -> dict[int, tuple[int, int, int]]:
    rows = con.execute(
        """WITH staged AS (
            SELECT file_no, count(*) FILTER (reason IS NULL) AS loaded, count(*) FILTER (reason IS NOT NULL) AS rejected
            FROM staged_events GROUP BY file_no),
        repeated AS (SELECT file, count(*) AS repeats FROM event_repeats GROUP BY file)
        SELECT file_no, loaded, rejected, coalesce(repeats, 0)
        FROM staged JOIN staged_files USING (file_no) LEFT JOIN repeated USING (file)"""
    ).fetchall()
    return {file_no: (loaded, rejected, repeated) for file_no, loaded, rejected, repeated in rows}


def _dropped(con: Con) -> dict[int, int]:
    return dict(con.execute("SELECT file_no, dropped FROM staged_suppressed").fetchall())


def _recounted(note: FileNote, counts: tuple[int, int, int] | None) -> FileNote:
    loaded, rejected, duplicates = counts or (0, 0, 0)
    return replace(note, loaded=loaded, rejected=rejected, duplicates=duplicates)


def _report(
    con: Con, name: str, plan: Plan, *, failed: Mapping[str, str], days: Sequence[str], uncast: Sequence[Uncast]
) -> LoadReport:
    rejected = dict(
        con.execute(
            "SELECT reason, count(*) FROM staged_events WHERE reason IS NOT NULL GROUP BY ALL ORDER BY ALL"
        ).fetchall()
    )
    if failed:
        rejected[UNREADABLE] = len(failed)
    loaded, unattributable = _loaded(con)
    suppressed = con.execute(
        "SELECT coalesce(sum(dropped), 0)::BIGINT, coalesce(sum(cleaned), 0)::BIGINT FROM staged_suppressed"
    ).fetchone() or (0, 0)
    by_path: dict[str, int] = {}
    for *_, path, rows in uncast:
        by_path[path] = by_path.get(path, 0) + rows
    applied = [r for r in plan.readings if r.applied]
    transformed = {what: sum(r.tally.counts[what] for r in applied) for what in WORDS}
    again = plan.derived_again()
    return LoadReport(
        source=name,
        files=len(applied) + len(again) + len(failed),
        records=sum(r.records for r in applied) + sum(plan.known[p].records for p in again) + len(failed),
        loaded=loaded,
        rejected=rejected,
        duplicates=sum(repeated for _, _, repeated in _staged_counts(con).values()),
        suppressed=suppressed[0] + sum(plan.known[path].suppressed for path in again),
        anonymised=suppressed[1],
        unattributable=unattributable,
        days=tuple(date.fromisoformat(day) for day in sorted(days)),
        uncast=by_path,
        unreadable=failed,
        transformed={what: count for what, count in transformed.items() if count},
    )


def _loaded(con: Con) -> tuple[int, int]:
    names = [row[0] for row in con.execute("DESCRIBE staged_events").fetchall() if row[0].startswith("id_")]
    nobody = f"coalesce({', '.join(map(quote, names))}) IS NULL" if names else "false"
    row = con.execute(f"SELECT count(*), count(*) FILTER ({nobody}) FROM staged_events WHERE reason IS NULL").fetchone()
    assert row is not None
    return row[0], row[1]
