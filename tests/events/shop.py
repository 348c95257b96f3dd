"""A small project and its landing files, for the tests of this folder."""

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
from pydantic import PrivateAttr

from profiles_assets.events.load import load_events, reconcile
from profiles_assets.events.report import LoadReport
from profiles_assets.project.entities import Entity, IdType
from profiles_assets.project.project import Project, Section
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait
from resources.lake import Lake


class OpenLake(Lake):
    """A lake that keeps its connection."""

    _con: duckdb.DuckDBPyConnection | None = PrivateAttr(None)

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:  # type: ignore[override]
        self._con = self._con or self._open("META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 10000")
        yield self._con

    def close(self) -> None:
        if self._con:
            self._con.close()


IDS = {"user_id": IdType(), "email": IdType(normalise="email"), "anonymous_id": IdType()}
SOURCE: dict[str, Any] = {
    "files": "landing/{day}/*.jsonl*",
    "format": "jsonl",
    "time": "time",
    "event": "event",
    "event_id": "id",
    "ids": {"user_id": "user", "email": "context.email"},
}


def a_source(**changes: Any) -> Source:
    return Source.model_validate({k: v for k, v in (SOURCE | changes).items() if v is not None})


def section(**traits: Trait) -> dict[str, Section]:
    return {"shop": Section("shop", "user", traits)}


@dataclass
class Shop:
    """A project folder with one source, and the lake it is loaded into."""

    root: Path
    lake: Lake
    source: Source = field(default_factory=a_source)
    traits: dict[str, Trait] = field(default_factory=dict)
    timezone: str = "UTC"
    name: str = "tracks"
    entities: dict[str, Entity] = field(default_factory=lambda: {"user": Entity(ids=IDS)})

    @property
    def project(self) -> Project:
        return Project(
            self.root, "shop", self.entities, {self.name: self.source}, section(**self.traits), timezone=self.timezone
        )

    def put(self, path: str, content: bytes | list[Any]) -> Path:
        """Write bytes, or records as JSON lines (text as it is), packed when the name says so."""
        if isinstance(content, list):
            lines = [one if isinstance(one, str) else json.dumps(one) for one in content]
            content = "".join(line + "\n" for line in lines).encode()
            content = gzip.compress(content) if path.endswith(".gz") else content
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
        return file

    def load(self, days: list[date] | None = None, **options: Any) -> LoadReport:
        report = load_events(self.lake, self.project, self.name, days, **options)
        assert report.records == report.loaded + sum(report.rejected.values())
        self.check()
        return report

    def check(self) -> None:
        """The notes, the table and the rejects agree."""
        with self.lake.get_connection() as con:
            found = reconcile(con, self.name)
        assert found["records"] == found["rows"] + found["rejects"], found
        assert (found["loaded"], found["rejected"], found["duplicates"]) == (
            found["rows"],
            found["rejects"],
            found["flagged"],
        ), found

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.lake.get_connection() as con:
            return con.execute(sql).fetchall()

    def rows(self, columns: str = "position") -> list[tuple[Any, ...]]:
        return self.query(f"SELECT {columns} FROM raw_events.{self.name} ORDER BY day, file, position")

    def rejects(self, columns: str = "position, reason") -> list[tuple[Any, ...]]:
        return self.query(f"SELECT {columns} FROM ops.rejects WHERE source = '{self.name}' ORDER BY file, position")


def event(number: int, time: str = "2024-01-01T10:00:00Z", **more: Any) -> dict[str, Any]:
    """A good record with its own id."""
    return {"id": f"e{number}", "time": time, "event": "seen", "user": f"u{number}"} | more
