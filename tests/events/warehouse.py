"""A table that grows and changes, in a DuckDB file, and a project whose source it is."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from profiles_assets.events.load import load_events
from profiles_assets.events.report import LoadReport
from profiles_assets.project.entities import Entity
from profiles_assets.project.project import Project
from profiles_assets.project.sources import Source
from resources.lake import Lake
from tests.events.shop import IDS

SOURCE: dict[str, Any] = {
    "table": "orders",
    "database": "warehouse.duckdb",
    "watermark": "changed",
    "event_id": "id",
    "time": "ordered",
    "received": "changed",
    "event_is": "ordered",
    "ids": {"user_id": "customer"},
    "types": {"total": "number"},
}
CREATE = (
    "CREATE TABLE orders (id VARCHAR, ordered TIMESTAMP, changed TIMESTAMP, customer VARCHAR, total DECIMAL(10, 2))"
)


@dataclass
class Warehouse:
    """The table, the lake it is read into, and the source that describes it."""

    root: Path
    lake: Lake
    source: Source
    name: str = "tracks"

    @classmethod
    def make(cls, root: Path, lake: Lake, name: str = "tracks", **changes: Any) -> "Warehouse":
        """Source of the table with other keys; None leaves a key out."""
        told = {key: value for key, value in (SOURCE | changes).items() if value is not None}
        return cls(root, lake, Source.model_validate(told), name)

    @property
    def project(self) -> Project:
        return Project(self.root, "shop", {"user": Entity(ids=IDS)}, {self.name: self.source})

    def execute(self, *statements: str) -> None:
        with duckdb.connect(str(self.root / "warehouse.duckdb")) as con:
            for statement in statements:
                con.execute(statement)

    def add(self, number: int, changed: str, customer: str = "u1", total: float = 1) -> None:
        row = f"'o{number}', TIMESTAMP '{changed}', TIMESTAMP '{changed}', '{customer}', {total}"
        self.execute(f"INSERT INTO orders VALUES ({row})")

    def load(self) -> LoadReport:
        return load_events(self.lake, self.project, self.name)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.lake.get_connection() as con:
            return con.execute(sql).fetchall()

    def rows(self, columns: str = "event_id") -> list[tuple[Any, ...]]:
        return self.query(f"SELECT {columns} FROM raw_events.{self.name} WHERE NOT duplicate ORDER BY ALL")
