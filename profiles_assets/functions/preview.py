"""Runs a draft by the production path and compares with what is published; writes no result."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa

from profiles_assets.events.load import newest_day
from profiles_assets.functions import inputs, tables, versions
from profiles_assets.functions.context import Line
from profiles_assets.functions.feed import People, chunks
from profiles_assets.functions.frames import Answer, Job
from profiles_assets.functions.jobs import job_of
from profiles_assets.functions.people import stage_people
from profiles_assets.functions.people_rows import COLUMNS, TOLD, starts
from profiles_assets.functions.pool import Pool
from profiles_assets.functions.tables import RESULTS, SHARED
from profiles_assets.project.functions import ProfileFunction
from profiles_assets.project.project import Project
from resources.lake import Lake, transaction
from resources.tables import literal

Con = duckdb.DuckDBPyConnection
EXAMPLE = "example"
ROW = ("profile_id", "table", "destination", "traits")


class PreviewError(Exception):
    """What was asked to be previewed cannot be; the text says why."""


@dataclass(frozen=True)
class Preview:
    """What a draft gives for a person, what is published, and how the traits differ (key: published, draft)."""

    person: str
    row: dict[str, Any] | None = None
    published: dict[str, Any] | None = None
    difference: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    kind: str = ""
    error: str = ""
    transform_error: str = ""
    stored: list[str] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)


def preview_people(
    lake: Lake, project: Project, name: str, people: Sequence[str] = (), sample: int = 0
) -> list[Preview]:
    """The draft over profile ids, or over a number of people chosen by their keys. Raises PreviewError."""
    function = draft_of(project, name)
    inputs.update_inputs(lake, project)
    with lake.get_connection() as con, transaction(con):
        as_of = newest_day(con, project)
        if as_of is None:
            raise PreviewError("there are no events yet; run first: profiles run")
        stage_people(con, project, function, as_of)
        chosen = f"_person IN ({', '.join(map(literal, people))})" if people else "true"
        limit = f"ORDER BY person_key LIMIT {int(sample)}" if not people else ""
        con.execute(f"CREATE OR REPLACE TEMP TABLE function_slice AS FROM function_people WHERE {chosen} {limit}")
        found = {row[0] for row in con.execute("SELECT _person FROM function_slice").fetchall()}
        for one in people:
            if one not in found:
                raise PreviewError(f"{one} is not computed: {_why(function)}")
        before = published_rows(con, name)
        stream = chunks(con, project, function, as_of, People("function_slice", SHARED))
        return previewed(function, draft_job(lake, con, function, as_of), stream, before)


def preview_events(lake: Lake, project: Project, name: str, file: Path) -> list[Preview]:
    """The draft over the events in a file, as those of one made-up person. Raises PreviewError."""
    function, events = draft_of(project, name), events_in(file)
    with lake.get_connection() as con:
        as_of = newest_day(con, project) or project.start
        return previewed(function, draft_job(lake, con, function, as_of), iter([example_chunk(function, events)]), {})


def draft_of(project: Project, name: str) -> ProfileFunction:
    """The function of a name. Raises PreviewError."""
    if name not in project.functions:
        has = f"it has {', '.join(project.functions)}" if project.functions else "it has none"
        raise PreviewError(f'the project has no function "{name}"; {has}')
    return project.functions[name]


def draft_job(lake: Lake, con: Con, function: ProfileFunction, as_of: date) -> Job:
    """The job of a draft, as the version that it would be published as. Raises BrokenFunctionError."""
    state = versions.state_of(con, function.name)
    return job_of(function, state.target + 1 if state else 1, as_of, lake, con)


def previewed(
    function: ProfileFunction, job: Job, stream: Iterator[pa.Table], before: dict[str, dict[str, Any]]
) -> list[Preview]:
    """Previews of the people in some chunks, sorted; a row function gets one person at a time, for its log."""
    parts = stream if function.batch else (one for chunk in list(stream) for one in single_people(chunk))
    with Pool(job, 1) as pool:
        outcomes = list(pool.outcomes(iter(list(parts))))
    found = [_preview(function, a, before.get(a.person), o.lines) for o in outcomes for a in o.answers]
    return sorted(found, key=lambda one: one.person)


def single_people(chunk: pa.Table) -> Iterator[pa.Table]:
    """A chunk for each person of a chunk."""
    places = starts(chunk)
    for at, end in zip(places, [*places[1:], chunk.num_rows], strict=True):
        yield chunk.slice(at, end - at)


def published_rows(con: Con, name: str) -> dict[str, dict[str, Any]]:
    """Visible rows of a function, by person."""
    if not tables.exist(con):
        return {}
    state = versions.state_of(con, name)
    visible = state.visible if state else None
    rows = con.execute(
        f"""SELECT _person, profile_id, "table", destination, traits FROM {RESULTS}
        WHERE function = {literal(name)} AND version = {visible or 0} AND traits IS NOT NULL"""
    ).fetchall()
    return {row[0]: _row(*row[1:]) for row in rows}


def _row(profile_id: str, table: str | None, destination: str | None, traits: str) -> dict[str, Any]:
    return dict(zip(ROW, (profile_id, table, destination, orjson.loads(traits)), strict=True))


def _preview(function: ProfileFunction, answer: Answer, before: dict[str, Any] | None, lines: list[Line]) -> Preview:
    now = answer.traits is not None
    table, destination = answer.table or function.table, answer.destination or function.config.destination or None
    row = _row(answer.profile_id or "", table, destination, answer.traits or "{}") if now else None
    old, new = (one["traits"] if one else {} for one in (before, row))
    differs = {key: (old.get(key), new.get(key)) for key in sorted(old.keys() | new.keys()) if _differ(key, old, new)}
    return Preview(
        answer.person,
        row,
        before,
        {} if answer.kind else differs,
        answer.kind,
        answer.error,
        answer.transform_error,
        [key for key, _, _ in answer.stored],
        lines,
    )


def _differ(key: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
    return (key in old) != (key in new) or old[key] != new[key]


def _why(function: ProfileFunction) -> str:
    known = "" if function.config.anonymous else "nobody known, or "
    return f"{known}without events in the last {function.config.window} days"


def events_in(file: Path) -> list[dict[str, Any]]:
    """Events of a file: a JSON list, or an event per line. Raises PreviewError."""
    try:
        text = file.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise PreviewError(f"{file} cannot be read: {type(error).__name__}") from None
    whole = text.lstrip().startswith("[")
    found: list[Any] = []
    for number, line in enumerate([text] if whole else text.splitlines(), 1):
        if line.strip():
            try:
                found.append(json.loads(line))
            except json.JSONDecodeError as error:
                raise PreviewError(f"{file}:{number + error.lineno - 1}: this is not JSON: {error.msg}") from None
    events = found[0] if whole else found
    if not all(isinstance(event, dict) for event in events):
        raise PreviewError(f'{file}: every event is an object, such as {{"event": "page_viewed"}}')
    return list(events)


def example_chunk(function: ProfileFunction, events: Sequence[dict[str, Any]]) -> pa.Table:
    """A chunk of one made-up person with these events, in this order; ids and traits are those that the events tell."""
    traits: dict[str, Any] = {}
    for event in events:
        traits |= event["traits"] if isinstance(event.get("traits"), dict) else {}
    ids = {name: _last(events, name, key) for name, key in (("user_id", "userId"), ("anonymous_id", "anonymousId"))}
    user = {"profile_id": EXAMPLE, **ids, "ids": {k: [v] for k, v in ids.items() if v}, "traits": traits}
    head = {"user": user, "store": {}}
    count = len(events)
    payloads = [orjson.dumps(head).decode(), *(orjson.dumps(event).decode() for event in events)]
    columns: dict[str, Any] = {
        "source": pa.array([None, *[EXAMPLE] * count], pa.string()),
        "time": pa.array([None] * (count + 1), pa.timestamp("us")),
        "event": pa.array([EXAMPLE, *(_text(event.get("event")) for event in events)], pa.string()),
        "timestamp": pa.array([f"0{TOLD}", *[None] * count], pa.string()),
        "payload": pa.array(payloads, pa.string()),
    }
    assert tuple(columns) == COLUMNS
    for path in function.config.columns if function.batch else []:
        columns[path] = pa.array([None, *(_at(event, path) for event in events)], pa.string())
    return pa.table(columns)


def _last(events: Sequence[dict[str, Any]], *keys: str) -> str | None:
    told = [str(event[key]) for event in events for key in keys if event.get(key)]
    return told[-1] if told else None


def _at(event: Any, path: str) -> str | None:
    for part in path.split("."):
        event = event.get(part) if isinstance(event, dict) else None
    return _text(event)


def _text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else orjson.dumps(value).decode()
