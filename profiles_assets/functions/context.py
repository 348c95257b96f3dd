"""The `context` of a profile function: log, env, fetch, store, warehouse and function."""

import io
import json
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, Generic, TypeVar

import orjson

from profiles_assets.events.transforms import ResultError
from profiles_assets.functions.contract import json_text
from profiles_assets.functions.frames import Job
from resources.limits import limit_memory, no_memory_limit

LEVELS = ("debug", "info", "warn", "error")
LINES_PER_PERSON = 20
FETCH_SECONDS, FETCH_BYTES = 10.0, 5_000_000
MOST_ROWS = 100_000
DAY = 86_400
Line = tuple[str, str]
Change = tuple[str, str | None, str | None]
T = TypeVar("T")


class Log:
    """Collects the lines of one person; what goes beyond a limit is counted only."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.dropped = 0

    def add(self, level: str, *words: object) -> None:
        """Keep a line."""
        if len(self.lines) < LINES_PER_PERSON:
            self.lines.append((level, " ".join(map(str, words))))
        else:
            self.dropped += 1

    def debug(self, *words: object) -> None:
        """Keep a line of level debug."""
        self.add("debug", *words)

    def info(self, *words: object) -> None:
        """Keep a line of level info."""
        self.add("info", *words)

    def warn(self, *words: object) -> None:
        """Keep a line of level warn."""
        self.add("warn", *words)

    warning = warn

    def error(self, *words: object) -> None:
        """Keep a line of level error."""
        self.add("error", *words)


class Printed(io.TextIOBase):
    """Standard output of a function: every line becomes a line of its log."""

    def __init__(self, log: Callable[[], Log]) -> None:
        self._log, self._rest = log, ""

    def write(self, text: str) -> int:
        """Keep the whole lines of a text."""
        *lines, self._rest = (self._rest + text).split("\n")
        for line in lines:
            self._log().add("info", line)
        return len(text)


class Store:
    """Values that a function keeps for a person; changes count only if the person succeeds.

    A ttl, in seconds or as `30 days`, ends with a day: what is kept at as_of for a day is gone the day after.
    """

    def __init__(self, kept: Mapping[str, Any], as_of: date) -> None:
        self._kept, self._as_of = kept, as_of
        self._changes: dict[str, Change] = {}

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a key."""
        if key in self._changes:
            text = self._changes[key][1]
            return default if text is None else orjson.loads(text)
        return self._kept.get(key, default)

    def set(self, key: str, value: Any, ttl: float | str | None = None) -> None:
        """Keep a value that JSON has words for."""
        if not isinstance(key, str):
            raise TypeError("a key of the store is a text")
        until = None if ttl is None else (self._as_of + timedelta(days=days_of(ttl))).isoformat()
        self._changes[key] = (key, json_text(value, "the value to store"), until)

    def delete(self, key: str) -> None:
        """Forget a key."""
        self._changes[key] = (key, None, None)

    @property
    def changes(self) -> list[Change]:
        """Key, JSON of the value (None: deleted) and first day without it of all that changed, by key."""
        return [self._changes[key] for key in sorted(self._changes)]


def days_of(ttl: float | str) -> int:
    """Whole days of a ttl in seconds or in words, at least one. Raises ValueError."""
    if isinstance(ttl, str):
        from profiles_assets.project.base import parse_days

        return parse_days(ttl)
    return max(1, -int(-ttl // DAY))


class Response:
    """Answer to a fetch."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.ok, self.body = status, 200 <= status < 300, body

    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as values."""
        return json.loads(self.body)


class Warehouse:
    """Reads the lake as it was when the run began."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._con: Any = None

    def query(self, sql: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """Rows of one SELECT, as dicts; `$as_of` is the day of the run. Raises ValueError for what is no SELECT."""
        con = self.opened()
        import duckdb

        statements = duckdb.extract_statements(sql)
        if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
            raise ValueError("warehouse.query takes one SELECT")
        given = {"as_of": date.fromisoformat(self._job.as_of), **(parameters or {})}
        asked = {name: value for name, value in given.items() if name in statements[0].named_parameters}
        cursor = con.execute(sql, asked or None)
        names = [column[0] for column in cursor.description]
        rows = cursor.fetchmany(MOST_ROWS + 1)
        if len(rows) > MOST_ROWS:
            raise ValueError(f"warehouse.query found more than {MOST_ROWS:,} rows")
        return [dict(zip(names, row, strict=True)) for row in rows]

    def opened(self) -> Any:
        """The connection; it takes seconds to open the first time."""
        if self._con is None:
            no_memory_limit()  # DuckDB has one of its own
            try:
                from resources.lake import Lake

                told = dict(self._job.lake)
                snapshot = told.pop("snapshot")
                self._reading = Lake(**told, threads=1, memory_limit=f"{self._job.memory_mb}MiB").read(snapshot)
                self._con = self._reading.__enter__()
            finally:
                limit_memory(self._job.memory_mb)
        return self._con


class PerPerson(Generic[T]):
    """Something of each person of a table by profile_id, made when it is asked for. Raises KeyError for others."""

    def __init__(self, make: Callable[[str], T]) -> None:
        self._make = make
        self.made: dict[str, T] = {}

    def __getitem__(self, profile_id: str) -> T:
        if profile_id not in self.made:
            self.made[profile_id] = self._make(profile_id)
        return self.made[profile_id]


class Stores(PerPerson[Store]):
    """Stores of the people of a table."""

    def changes(self, profile_id: str) -> list[Change]:
        """What changed in the store of a person."""
        return self.made[profile_id].changes if profile_id in self.made else []


class AnyContext:
    """What a function of either kind gets as its last parameter."""

    def __init__(self, job: Job, warehouse: Warehouse, log: Log) -> None:
        self.log, self.warehouse = log, warehouse
        self.env = dict(job.env)
        self.as_of = job.as_of
        self.function = {"id": job.name, "version": job.version}
        self._may_fetch = job.fetch

    def fetch(
        self, url: str, method: str = "GET", headers: Mapping[str, str] | None = None, body: bytes | str | None = None
    ) -> Response:
        """Ask a web server; only where the function's config says fetch: True. Raises OSError."""
        if not self._may_fetch:
            raise ResultError('context.fetch is off; write "fetch": True in config to allow it')
        return fetched(url, method, headers or {}, body.encode() if isinstance(body, str) else body)


class Context(AnyContext):
    """What a function over the events of one person gets."""

    def __init__(self, job: Job, warehouse: Warehouse, log: Log, store: Store) -> None:
        super().__init__(job, warehouse, log)
        self.store = store


class BatchContext(AnyContext):
    """What a function over the events of many people gets: users and stores by profile_id."""

    def __init__(
        self, job: Job, warehouse: Warehouse, log: Log, users: PerPerson[dict[str, Any]], stores: Stores
    ) -> None:
        super().__init__(job, warehouse, log)
        self.users, self.stores = users, stores


def fetched(url: str, method: str, headers: Mapping[str, str], body: bytes | None) -> Response:
    """Answer of a web server, at most so long and so large. Raises OSError and ValueError."""
    from urllib.error import HTTPError
    from urllib.request import Request, urlopen

    if not url.startswith(("http://", "https://")):
        raise ValueError("context.fetch takes an http or https address")
    request = Request(url, data=body, headers=dict(headers), method=method)  # noqa: S310
    try:
        with urlopen(request, timeout=FETCH_SECONDS) as answer:  # noqa: S310
            status, content = answer.status, answer.read(FETCH_BYTES + 1)
    except HTTPError as error:
        status, content = error.code, error.read(FETCH_BYTES + 1)
    if len(content) > FETCH_BYTES:
        raise ValueError(f"the answer is longer than {FETCH_BYTES:,} bytes")
    return Response(status, content)
