"""A small world for tests of sources made from models: two sources of files, and three models over them."""

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from profiles_assets.events.load import load_events
from profiles_assets.events.report import LoadReport
from profiles_assets.project.entities import Entity
from profiles_assets.project.models import read_model
from profiles_assets.project.project import Project, Section
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.compile import compile_section
from resources.lake import Lake

LINES = """-- one row per thing in a basket
SELECT o.time, o.user_id, o.cart.id AS cart,
    unnest(TRY(json_extract_string(o.items, '$[*]'))) AS sku, o.total * 2 AS twice
FROM {orders} o
WHERE o.total > 1 AND o.cart.id ~ 'c.*';"""
JOINED = """WITH known AS (SELECT user_id, name FROM {people})
SELECT {orders}.time, {orders}.user_id, known.name AS name, {orders}.total AS twice, cart.id AS cart, '' AS sku
FROM {orders} JOIN known ON known.user_id = {orders}.user_id"""
UNION = """SELECT time, user_id, total AS twice, 'o' AS sku, cart.id AS cart FROM {orders}
UNION ALL
SELECT seen, who, NULL, sku, cart
FROM (SELECT time AS seen, user_id AS who, name AS sku, email AS cart FROM {people})"""
FIRST = date(2024, 3, 1)


@dataclass
class World:
    """Two sources of files, and a source made from a model over them, in a lake of their own."""

    root: Path
    lake: Lake
    sql: str
    name: str

    @property
    def project(self) -> Project:
        orders, people, lines = (f"{part}_{self.name}" for part in ("orders", "people", "lines"))
        common = {"time": "time", "event_id": "id", "ids": {"user_id": "user", "email": "email"}}
        files = {n: f"{self.root}/{n}/{{day}}/*.jsonl" for n in (orders, people)}
        entities = {"user": Entity.model_validate({"ids": {"user_id": {}, "email": {}}})}
        sources = {
            orders: {"files": files[orders], "event_is": "ordered", "types": {"total": "number"}} | common,
            people: {"files": files[people], "event_is": "seen"} | common,
            lines: {"model": lines, "time": "time", "event_is": "bought", "ids": {"user_id": "user_id"}},
        }
        trait = {
            "spent": {"sum": "bought.twice"},
            "skus": {"unique": "bought.sku"},
            "carts": {"unique_count": "bought.cart"},
        }
        sql = self.sql.format(orders=orders, people=people)
        return Project(
            self.root,
            "world",
            entities,
            {name: Source.model_validate(spec) for name, spec in sources.items()},
            {"shop": Section("shop", "user", {n: Trait.model_validate(spec) for n, spec in trait.items()})},
            models={lines: read_model(lines, sql, f"models/{lines}.sql")},
        )

    @property
    def lines(self) -> str:
        return f"lines_{self.name}"

    def put(self, source: str, day: date, file: str, records: list[dict[str, Any]] | None) -> None:
        path = self.root / f"{source}_{self.name}" / str(day) / f"{file}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        if records is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text("".join(json.dumps(record) + "\n" for record in records))

    def load(self) -> LoadReport:
        for part in ("orders", "people"):
            load_events(self.lake, self.project, f"{part}_{self.name}", allow_shrink=True)
        return load_events(self.lake, self.project, self.lines, [])

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.lake.get_connection() as con:
            return con.execute(sql).fetchall()

    def rows(self) -> list[tuple[Any, ...]]:
        names = "day, event_day, time, event, id_user_id, duplicate, position, payload, p_twice, p_sku, p_cart"
        return self.query(f"SELECT {names} FROM raw_events.{self.lines} ORDER BY ALL")

    def traits(self, as_of: date) -> list[tuple[Any, ...]]:
        """Traits over the model source as of a day, everybody known by user id."""
        with self.lake.get_connection() as con:
            con.execute(
                f"CREATE OR REPLACE TEMP TABLE attribution AS SELECT DISTINCT tuple_user AS tuple_key, "
                f"id_user_id AS profile_id, tuple_user AS profile_key FROM raw_events.{self.lines} "
                "WHERE id_user_id IS NOT NULL"
            )
            con.execute("CREATE OR REPLACE TEMP TABLE people AS SELECT profile_id, profile_key FROM attribution")
            sql = compile_section(self.project, "shop", event_columns(con, self.project), f"DATE '{as_of}'")
            return con.execute(f"SELECT * FROM ({sql}) WHERE carts > 0 ORDER BY ALL").fetchall()


def order(user: str, day: date, **more: Any) -> dict[str, Any]:
    record = {"id": f"{user}-{day}-{more}", "time": f"{day}T10:00:00Z", "user": user, "total": 2.5}
    return record | {"items": ["hat", "shoe"], "cart": {"id": f"c-{user}"}} | more
