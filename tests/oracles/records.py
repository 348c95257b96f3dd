"""Versions of records, computed the slow and obvious way: at each day, the newest visible one of a key counts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from tests.oracles.events import EARLIEST, Row, _arrival, day_of, duplicates, moment

START = date(2020, 1, 1)
Place = tuple[str, int]


@dataclass(frozen=True)
class Version:
    """A loaded row with the key of its record."""

    key: tuple[str, ...]
    row: Row

    @property
    def place(self) -> Place:
        """File and position."""
        return self.row.file, self.row.position

    @property
    def visible(self) -> date:
        """First day on which it can be seen."""
        return max(self.row.day, self.row.event_day)


def judge(line: str, place: Place, path_day: date | None, keys: Sequence[str]) -> Version | str:
    """The version in one line with the keys key, id, time, got and user, in UTC, or the reason of its rejection."""
    try:
        record = json.loads(line)
    except ValueError:
        return "not valid JSON"
    if not isinstance(record, dict):
        return "not a JSON object"
    key = tuple(str(record.get(name) or "").strip() for name in keys)
    if not all(key):
        return "no key"
    received = moment(record.get("got"))
    received = received if received and received > EARLIEST else None
    time = moment(record["time"]) if record.get("time") else received or midnight(path_day or START)
    if time is None:
        return "time not understood"
    if time < EARLIEST:
        return "time before not_before"
    if time > _arrival(received, path_day, "UTC") + timedelta(days=1):
        return "time more than a day after arrival"
    day = path_day or day_of(received or time, "UTC")
    user = str(record.get("user") or "").strip() or None
    return Version(key, Row(day, day_of(time, "UTC"), time, received, record.get("id"), user, *place, line))


def midnight(day: date) -> datetime:
    """Start of a day."""
    return datetime.combine(day, datetime.min.time())


def load(
    files: Mapping[str, Sequence[str]], days: Mapping[str, date | None], keys: Sequence[str], ids: bool
) -> tuple[list[Version], list[tuple[str, int, str]]]:
    """Versions and rejects (file, position, reason) of all lines of all files; `ids`: whether event ids count."""
    places = [(file, n, line) for file, lines in files.items() for n, line in enumerate(lines, 1)]
    judged = [(file, n, judge(line, (file, n), days[file], keys)) for file, n, line in places]
    found = [version for _, _, version in judged if isinstance(version, Version)]
    if not ids:
        found = [replace(version, row=replace(version.row, event_id=None)) for version in found]
    return found, [(file, n, reason) for file, n, reason in judged if isinstance(reason, str)]


def counting(versions: Iterable[Version], as_of: date) -> set[Place]:
    """File and position of the rows that count at a day."""
    found = list(versions)
    repeated = duplicates([version.row for version in found])
    newest: dict[tuple[str, ...], Version] = {}
    for version in found:
        if version.place in repeated or version.visible > as_of:
            continue
        if version.key not in newest or version.row.order > newest[version.key].row.order:
            newest[version.key] = version
    return {version.place for version in newest.values()}
