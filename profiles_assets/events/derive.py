"""From the text of a record to the columns of its row, as one SQL statement per source."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from profiles_assets.events.columns import candidates
from profiles_assets.events.ids import id_type_of, node_key_sql, normalised_sql, tuple_key_sql
from profiles_assets.events.keyed import unfolded_sql
from profiles_assets.events.normalised import FATE, fate_sql
from profiles_assets.events.times import day_sql, day_start_sql, time_sql
from profiles_assets.project.presets import KEYED_LISTS
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from resources.tables import literal, quote

NOT_JSON = "not valid JSON"
NOT_OBJECT = "not a JSON object"
NO_KEY = "no key"
NO_TIME = "no time"
BAD_TIME = "time not understood"
TOO_EARLY = "time before not_before"
TOO_LATE = "time more than a day after arrival"
JUDGED_BY_DEFINITION = (NO_KEY, NO_TIME, BAD_TIME, TOO_EARLY, TOO_LATE)


@dataclass
class Extraction:
    """The paths taken out of a record, in one parse of its JSON."""

    flat: bool
    record: str = "text"
    paths: dict[str, int] = field(default_factory=dict)

    def take(self, path: str | None) -> str:
        """SQL of the text at a path; of several paths joined by | the first one with a value counts.

        An empty cell of a flat record is no value.
        """
        if path is None:
            return "NULL::VARCHAR"
        first, *others = (self._take(one) for one in path.split("|"))
        if not others:
            return first
        filled = (f"nullif({one}, '')" for one in (first, *others))
        return f"coalesce({', '.join(filled)})"

    def _take(self, path: str) -> str:
        at = self.paths.setdefault(json_pointer(path, self.flat), len(self.paths) + 1)
        return f"nullif(v[{at}], '')" if self.flat else f"v[{at}]"

    def first_of(self, paths: Iterable[str]) -> str:
        """SQL of the text at the first path that has one."""
        taken = [self.take(path) for path in paths]
        return taken[0] if len(taken) == 1 else f"coalesce({', '.join(taken)})"

    @property
    def sql(self) -> str:
        """SQL of the list of all texts; NULL when the JSON is not valid."""
        return f"TRY(json_extract_string({self.record}, [{', '.join(literal(path) for path in self.paths)}]))"


def json_pointer(path: str, flat: bool) -> str:
    """JSON pointer of a dotted path; in a flat record the dots are part of the column's name."""
    parts = [path] if flat else path.split(".")
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def without_nul(text: str) -> str:
    """SQL of a text without NUL characters, which not every engine can hold."""
    return f"CASE WHEN contains({text}, chr(0)) THEN replace({text}, chr(0), '') ELSE {text} END"


def property_column(path: str) -> str:
    """Name of the column of a property."""
    return f"p_{path}"


def property_texts(source: Source, paths: Iterable[str], records: str, keep: str) -> str:
    """SQL that takes only properties, as text, out of the records (column `text`) of a relation."""
    extraction = extraction_of(source)
    columns = [f"{extraction.first_of(candidates(source, p))} AS {quote(property_column(p))}" for p in paths]
    return f"SELECT {', '.join([keep, *columns])} FROM (SELECT *, {extraction.sql} AS v FROM {records})"


def extraction_of(source: Source) -> Extraction:
    """Empty extraction that suits the records of a source."""
    flat = source.file_format == "csv"
    return Extraction(flat, "text" if flat else record_sql(source, "text"))


def record_sql(source: Source, column: str) -> str:
    """SQL of a record in which lists of keys and values are objects, where the preset of a source has such lists."""
    lists = KEYED_LISTS.get(source.preset or "")
    return unfolded_sql(column, lists) if lists else column


def record_key_sql(extraction: Extraction, source: Source) -> str:
    """SQL of the text that tells which record it is; NULL where a part of it is missing."""
    parts = [f"nullif(trim({without_nul(extraction.take(path))}), '')" for path in source.key]
    if len(parts) == 1:
        return parts[0]
    complete = " AND ".join(f"{part} IS NOT NULL" for part in parts)
    return f"CASE WHEN {complete} THEN to_json([{', '.join(parts)}])::VARCHAR END"


def rows_sql(project: Project, source: Source, paths: Iterable[str], records: str) -> str:
    """SQL of the rows, and of the rejects with their `reason`, of a relation of records.

    The relation has file_no, path_day, position, text, record and reason; properties stay text here.
    """
    extraction = extraction_of(source)
    parts = {
        "time_text": extraction.take(source.time),
        "received_text": extraction.take(source.received),
        "event": literal(source.event_is) if source.event_is else without_nul(extraction.take(source.event)),
        "event_id": f"nullif({without_nul(extraction.take(source.event_id))}, '')",
        "traits_text": extraction.take(source.identify_traits),
    }
    if source.kind == "records":
        parts["time_text"] = f"nullif(trim({parts['time_text']}), '')"
        parts["record_key"] = record_key_sql(extraction, source)
    for id_type, path in source.ids.items():
        raw, spec = extraction.take(path), id_type_of(project.entities, id_type)
        parts |= {f"raw_{id_type}": raw, f"id_{id_type}": normalised_sql(spec, raw)}
    parts |= {property_column(p): extraction.first_of(candidates(source, p)) for p in paths}
    columns = ", ".join(f"{sql} AS {quote(name)}" for name, sql in parts.items())
    kept = "file_no, path_day, position, text, record, reason"
    return f"""
        WITH parsed AS (SELECT {kept}, {extraction.sql} AS v FROM {records}),
        taken AS (SELECT {kept}, v IS NULL AS invalid, {columns} FROM parsed),
        timed AS (SELECT *, {_times(project, source)} FROM taken),
        keyed AS (SELECT *, {_node_keys(source)} FROM timed)
        SELECT {_row(project, source, parts)} FROM keyed
    """


def _times(project: Project, source: Source) -> str:
    time, received = (time_sql(f"{name}_text", project.timezone) for name in ("time", "received"))
    earliest = f"TIMESTAMP '{source.not_before}'"
    plausible = f"nullif(greatest({received}, {earliest}), {earliest})" if source.received else "NULL::TIMESTAMP"
    if source.kind == "records":
        first = f"greatest(DATE '{project.start}', DATE '{source.not_before}')"
        start = day_start_sql(f"coalesce(path_day, {first})", project.timezone)
        time = f"CASE WHEN time_text IS NULL THEN coalesce({plausible}, {start}) ELSE {time} END"
    return f"{time} AS time, {plausible} AS received"


def _node_keys(source: Source) -> str:
    return ", ".join(f"{node_key_sql(t, quote(f'id_{t}'))} AS {quote(f'node_{t}')}" for t in source.ids)


def _row(project: Project, source: Source, parts: Iterable[str]) -> str:
    columns = {
        "file_no": "file_no",
        "position": "position",
        "reason": _reason(project, source),
        "day": f"coalesce(path_day, {day_sql('coalesce(received, time)', project.timezone)})",
        "event_day": day_sql("time", project.timezone),
        "time": "time",
        "received": "received",
        "event": "event",
        "event_id": "event_id",
        "payload": "coalesce(text, record)",
        "identify_traits": "CASE WHEN traits_text[1] = '{' AND json_valid(traits_text) THEN traits_text END",
    }
    columns |= {name: quote(name) for name in parts if name == "record_key" or name.startswith("id_")}
    columns |= {f"tuple_{entity}": _tuple_key(project, source, entity) for entity in project.entities}
    columns |= {f"{FATE}{t}": fate_sql(quote(f"raw_{t}"), quote(f"id_{t}")) for t in source.ids}
    columns |= {name: quote(name) for name in parts if name.startswith("p_")}
    return ", ".join(f"{sql} AS {quote(name)}" for name, sql in columns.items())


def _tuple_key(project: Project, source: Source, entity: str) -> str:
    return tuple_key_sql([quote(f"node_{t}") for t in project.entities[entity].ids if t in source.ids])


def _reason(project: Project, source: Source) -> str:
    arrival = f"coalesce(received, {day_start_sql('path_day + 1', project.timezone)})"
    return f"""CASE
        WHEN reason IS NOT NULL THEN reason
        WHEN invalid THEN {literal(NOT_JSON)}
        WHEN NOT starts_with(text, '{{') AND ltrim(text, ' ' || chr(9) || chr(13))[1] <> '{{' THEN {literal(NOT_OBJECT)}
        {_lacking(source)}
        WHEN time IS NULL THEN {literal(BAD_TIME)}
        WHEN time < DATE '{source.not_before}' THEN {literal(TOO_EARLY)}
        WHEN time > {arrival} + INTERVAL 1 DAY THEN {literal(TOO_LATE)}
    END"""


def _lacking(source: Source) -> str:
    if source.kind == "records":
        return f"WHEN record_key IS NULL THEN {literal(NO_KEY)}"
    return f"WHEN time_text IS NULL THEN {literal(NO_TIME)}"
