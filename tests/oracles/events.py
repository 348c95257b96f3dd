"""What loading events must give, computed the slow and obvious way, record by record."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

LOOK_BACK = timedelta(days=7)
EARLIEST = datetime(1980, 1, 1)


@dataclass(frozen=True)
class Row:
    """A loaded record."""

    day: date
    event_day: date
    time: datetime
    received: datetime | None
    event_id: str | None
    user: str | None
    file: str
    position: int
    payload: str

    @property
    def order(self) -> tuple[date, datetime, str, int]:
        """Order of arrival."""
        return self.day, self.received or self.time, self.file, self.position


def moment(value: Any) -> datetime | None:
    """UTC time of an ISO text with offset; None for anything else."""
    try:
        return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None)
    except (TypeError, ValueError):
        return None


def day_of(time: datetime, timezone: str) -> date:
    """Day of a UTC time in a time zone."""
    return time.replace(tzinfo=UTC).astimezone(ZoneInfo(timezone)).date()


def judge(line: str, file: str, position: int, path_day: date | None, timezone: str) -> Row | str:
    """The row of one line with the keys id, time, got and user, or the reason of its rejection."""
    try:
        record = json.loads(line)
    except ValueError:
        return "not valid JSON"
    if not isinstance(record, dict):
        return "not a JSON object"
    if record.get("time") is None:
        return "no time"
    time, received = moment(record["time"]), moment(record.get("got"))
    if time is None:
        return "time not understood"
    received = received if received and received > EARLIEST else None
    if time < EARLIEST:
        return "time before not_before"
    if time > _arrival(received, path_day, timezone) + timedelta(days=1):
        return "time more than a day after arrival"
    day = path_day or day_of(received or time, timezone)
    user = str(record.get("user") or "").strip() or None
    return Row(day, day_of(time, timezone), time, received, record.get("id"), user, file, position, line)


def _arrival(received: datetime | None, path_day: date | None, timezone: str) -> datetime:
    if received:
        return received
    if path_day is None:
        return datetime(9000, 1, 1)
    midnight = datetime.combine(path_day + timedelta(days=1), datetime.min.time(), ZoneInfo(timezone))
    return midnight.astimezone(UTC).replace(tzinfo=None)


def duplicates(rows: Sequence[Row]) -> set[tuple[str, int]]:
    """File and position of rows whose event id arrived before, in the same load day or the seven before it."""
    return {
        (row.file, row.position)
        for row in rows
        if row.event_id is not None
        and any(
            other.event_id == row.event_id and other.order < row.order and other.day >= row.day - LOOK_BACK
            for other in rows
        )
    }


def whole_duplicates(rows: Sequence[Row]) -> set[tuple[str, int]]:
    """File and position of rows whose whole record arrived before in the same load day."""
    return {
        (row.file, row.position)
        for row in rows
        if any(other.payload == row.payload and other.day == row.day and other.order < row.order for other in rows)
    }


def load(
    files: Mapping[str, Sequence[str]], days: Mapping[str, date | None], timezone: str
) -> tuple[list[Row], list[tuple[str, int, str]]]:
    """Rows and rejects (file, position, reason) of all lines of all files."""
    judged = [
        (file, position, judge(line, file, position, days[file], timezone))
        for file, lines in files.items()
        for position, line in enumerate(lines, 1)
    ]
    rows = [found for _, _, found in judged if isinstance(found, Row)]
    return rows, [(file, position, found) for file, position, found in judged if isinstance(found, str)]
