"""Models as tables: what their SQL becomes, when rows are written, and that loads in any order end alike."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import PrivateAttr

from profiles_assets.events.load import load_events
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.check_models import model_problems
from profiles_assets.project.entities import Entity
from profiles_assets.project.loader import read_draft
from profiles_assets.project.models import ModelError, read_model
from profiles_assets.project.project import Project, Section
from profiles_assets.project.references import reference_problems
from profiles_assets.project.sources import Source
from profiles_assets.project.traits import Trait
from profiles_assets.traits.columns import event_columns
from profiles_assets.traits.evaluate import update_section
from profiles_assets.traits.model_assets import build_model_assets
from profiles_assets.traits.models import ModelReport, built_models, compile_model, update_model
from resources.lake import Lake

FIRST = date(2024, 3, 1)
NEXT = FIRST + timedelta(days=1)


class OpenLake(Lake):
    """A lake that keeps its connection."""

    _con: duckdb.DuckDBPyConnection | None = PrivateAttr(None)

    @contextmanager
    def get_connection(self) -> Iterator[duckdb.DuckDBPyConnection]:  # type: ignore[override]
        self._con = self._con or self._open("META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 10000")
        yield self._con


class Shop:
    """One source of orders in a lake, with a section of traits and any models."""

    def __init__(self, root: Path) -> None:
        self.root, self.lake, self.models = root, OpenLake(root=str(root / "lake"), threads=1), dict[str, str]()

    @property
    def project(self) -> Project:
        source = {
            "files": f"{self.root}/landing/{{day}}/*.jsonl",
            "time": "time",
            "event_id": "id",
            "event_is": "ordered",
            "ids": {"user_id": "user", "email": "mail"},
            "columns": {"net": {"sql": "total / 1.25", "type": "number"}},
        }
        traits = {"spent": {"sum": "ordered.total"}, "since": {"days_since": "ordered"}, "twice": {"ratio": []}}
        traits["twice"] = {"calculate": "spent * 2"}
        section = Section("commerce", "user", {n: Trait.model_validate(spec) for n, spec in traits.items()})
        other = Section("habits", "user", {"orders": Trait.model_validate({"count": "ordered"})})
        return Project(
            self.root,
            "shop",
            {"user": Entity.model_validate({"ids": {"user_id": {}, "email": {"normalise": "email"}}})},
            {"orders": Source.model_validate(source)},
            {"commerce": section, "habits": other},
            models={name: read_model(name, sql, f"models/{name}.sql") for name, sql in self.models.items()},
        )

    def put(self, day: date, records: list[dict[str, Any]], file: str = "a") -> None:
        path = self.root / "landing" / str(day) / f"{file}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(record) + "\n" for record in records))
        load_events(self.lake, self.project, "orders")

    def stitch(self) -> None:
        update_evidence(self.lake, self.project)
        update_stitched(self.lake, self.project, "user")
        for name in self.project.sections:
            update_section(self.lake, self.project, name)

    def update(self, sql: str, name: str = "made") -> ModelReport:
        self.models[name] = sql
        load_events(self.lake, self.project, "orders")
        return update_model(self.lake, self.project, name)

    def rows(self, name: str = "made") -> list[tuple[Any, ...]]:
        with self.lake.get_connection() as con:
            return con.execute(f"SELECT * FROM models.{name} ORDER BY ALL").fetchall()

    def types(self, name: str = "made") -> list[str]:
        with self.lake.get_connection() as con:
            return [row[1] for row in con.execute(f"DESCRIBE models.{name}").fetchall()]


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """Two people with three orders; the second order of Ada comes later, one order comes twice."""
    shop = Shop(tmp_path_factory.mktemp("models"))
    shop.models["first"] = "SELECT total, cart.id AS cart, net FROM orders"
    shop.put(FIRST, [order("1", "u1", 10, mail=" Ada@x.org "), order("2", "u2", 2.5), order("2", "u2", 2.5)])
    shop.put(NEXT, [order("3", None, 5, NEXT, mail="ada@x.org")])
    shop.stitch()
    return shop


def order(number: str, user: str | None, total: float, day: date = FIRST, **more: Any) -> dict[str, Any]:
    cart = {"cart": {"id": f"c{number}"}}
    return {"id": number, "time": f"{day}T10:00:00Z", "user": user, "total": total} | cart | more


def test_a_source_has_its_columns(filled: Shop) -> None:
    filled.update("SELECT user_id, email, event, event_id, day, load_day, total, orders.cart.id AS cart FROM orders")
    assert filled.rows() == [
        ("u1", "ada@x.org", "ordered", "1", FIRST, FIRST, 10.0, "c1"),
        ("u2", None, "ordered", "2", FIRST, FIRST, 2.5, "c2"),
        (None, "ada@x.org", "ordered", "3", NEXT, NEXT, 5.0, "c3"),
    ]


def test_people_sections_and_ids(filled: Shop) -> None:
    filled.update(
        """SELECT sum(o.total) AS total, spent, since, c.twice, habits.orders, max(as_of) AS today
        FROM commerce c JOIN habits USING (profile_id) JOIN orders o USING (profile_id)
        GROUP BY profile_id, spent, since, twice, habits.orders"""
    )
    assert filled.rows() == [(2.5, 2.5, 1, 5.0, 1, NEXT), (15.0, 15.0, 0, 30.0, 2, NEXT)]
    filled.update("SELECT entity, id_type, value FROM stitched_ids s WHERE s.profile_id IS NOT NULL")
    assert filled.rows() == [("user", "email", "ada@x.org"), ("user", "user_id", "u1"), ("user", "user_id", "u2")]


def test_models_read_models_and_own_names_go_first(filled: Shop) -> None:
    filled.update("SELECT user_id, net FROM orders", "base")
    filled.update("WITH orders AS (SELECT user_id, net FROM base) SELECT user_id AS who, net FROM orders WHERE net > 2")
    assert filled.rows() == [("u1", 8.0), (None, 4.0)]


def test_types_that_every_engine_reads(filled: Shop) -> None:
    filled.update(
        "SELECT sum(1) AS a, 1.5 AS b, 1::UTINYINT AS c, TIME '10:00' AS d, INTERVAL 1 DAY AS e, [1.5::FLOAT] AS f, "
        "{'x': 1::DECIMAL(4, 2), 'y': MAP {'k': 1::SMALLINT}} AS g, TIMESTAMPTZ '2024-01-01 00:00:00+00' AS h, "
        "NULL AS i, count(*) AS j FROM orders"
    )
    nested = "STRUCT(x DOUBLE, y MAP(VARCHAR, BIGINT))"
    plain = ["BIGINT", "DOUBLE", "BIGINT", "VARCHAR", "VARCHAR", "DOUBLE[]"]
    assert filled.types() == [*plain, nested, "TIMESTAMP", "BIGINT", "BIGINT"]


def test_written_only_when_rows_differ(tmp_path: Path) -> None:
    shop, sql = Shop(tmp_path), "SELECT user_id, total FROM orders"
    shop.models["made"] = sql
    assert shop.update(sql) == ModelReport(None)
    shop.put(FIRST, [order("1", "u1", 1), order("2", "u1", 1)])
    assert shop.update(sql) == ModelReport(FIRST, 2, 2)
    assert shop.update(sql) == ModelReport(FIRST, 2)
    shop.put(NEXT, [order("3", "u1", 1, NEXT)])
    assert shop.update(sql) == ModelReport(NEXT, 3, 1)
    shop.put(NEXT, [order("3", "u1", 1, NEXT, more="other")])
    assert shop.update(sql) == ModelReport(NEXT, 3)
    shop.put(FIRST, [order("1", "u1", 4)])
    assert shop.update(sql) == ModelReport(NEXT, 2, 1, 2)
    assert shop.rows() == [("u1", 1.0), ("u1", 4.0)]
    assert shop.update("SELECT total, user_id FROM orders") == ModelReport(NEXT, 2, 2, 2)
    assert shop.rows() == [(1.0, "u1"), (4.0, "u1")]


def test_events_after_the_day_are_not_seen(filled: Shop) -> None:
    filled.models["made"], found = "SELECT count(*) AS n, as_of FROM orders GROUP BY ALL", []
    with filled.lake.get_connection() as con:
        for day in (FIRST, NEXT):
            sql = compile_model(filled.project, "made", event_columns(con, filled.project), f"DATE '{day}'")
            found += con.execute(sql).fetchall()
    assert found == [(2, FIRST), (3, NEXT)]


def test_what_does_not_fit_tells_the_file(filled: Shop) -> None:
    with pytest.raises(ModelError, match=r"models/made.sql: Binder Error: .*year"):
        filled.update("SELECT year(user_id) AS y FROM orders")
    with pytest.raises(ModelError, match=r"models/made.sql: Conversion Error: .*TRY") as error:
        filled.update("SELECT email::INTEGER AS y FROM orders")
    assert "ada" not in str(error.value)


def test_assets_depend_on_what_models_read(filled: Shop) -> None:
    shop = Shop(filled.root)
    shop.models = {
        "plain": "-- title: Plain ones\n-- owner: ada@example.org\nSELECT total FROM orders",
        "who": "SELECT profile_id FROM orders",
        "more": "SELECT total, spent FROM plain, commerce",
        "lines": "SELECT time, user_id FROM orders",
    }
    project = shop.project
    lines = Source.model_validate({"model": "lines", "time": "time", "event_is": "x", "ids": {"user_id": "user_id"}})
    assets = build_model_assets(replace(project, sources={**project.sources, "lines": lines}))
    deps = {a.key.to_user_string(): {d.to_user_string() for d in a.dependency_keys} for a in assets}
    assert deps == {
        "models/plain": {"raw_events/orders"},
        "models/who": {"raw_events/orders", "id_edges", "stitched_ids"},
        "models/more": {"models/plain", "entity_vars/commerce"},
    }
    (spec,) = (spec for asset in assets for spec in asset.specs if spec.key == dg.AssetKey(["models", "plain"]))
    assert (spec.group_name, spec.owners, spec.kinds) == ("models", ["ada@example.org"], {"duckdb", "sql"})
    assert spec.description is not None
    assert spec.description.startswith("Plain ones")
    assert "```sql" in spec.description


def test_an_asset_fills_its_table(filled: Shop) -> None:
    filled.models["filled"] = "SELECT user_id, total FROM orders"
    (asset,) = (a for a in build_model_assets(filled.project) if a.key == dg.AssetKey(["models", "filled"]))
    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([asset], resources={"lake": filled.lake}, instance=instance)
    (made,) = result.asset_materializations_for_node(asset.op.name)
    assert made.metadata["dagster/row_count"].value == 3
    assert [c.name for c in made.metadata["dagster/column_schema"].value.columns] == ["user_id", "total"]


VALUES = st.tuples(st.sampled_from("123"), st.sampled_from(["u1", "u2"]), st.sampled_from([0.1, 0.2, 0.7, 1e9]))
FILES = st.tuples(st.sampled_from([FIRST, NEXT]), st.sampled_from("ab"), st.lists(VALUES, max_size=4))
LOADS = st.lists(FILES, max_size=4)
SQL = """SELECT user_id, sum(total) AS total, avg(total) AS mean, count(*) AS n, arg_max(total, day) AS latest
FROM orders GROUP BY user_id"""


def check_loads(root: Path, loads: list[tuple[date, str, list[tuple[str, str, float]]]]) -> None:
    """Loaded bit by bit or at once, a model has the same rows."""
    step, whole = Shop(root / "step"), Shop(root / "whole")
    step.models["made"] = whole.models["made"] = SQL
    for day, file, rows in loads:
        step.put(day, [order(*row, day) for row in rows], file)
        step.update(SQL)
    for day, file, rows in sorted({(d, f): (d, f, r) for d, f, r in loads}.values(), reverse=True):
        whole.put(day, [order(*row, day) for row in rows], file)
    report = whole.update(SQL)
    if report.as_of:
        assert step.rows() == whole.rows()


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=2)
@given(loads=LOADS)
def test_loads(tmp_path_factory: pytest.TempPathFactory, loads: Any) -> None:
    check_loads(tmp_path_factory.mktemp("loads"), loads)


@pytest.mark.long
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=40)
@given(loads=LOADS)
def test_many_loads(tmp_path_factory: pytest.TempPathFactory, loads: Any) -> None:
    check_loads(tmp_path_factory.mktemp("loads"), loads)


DOC = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
BLOCKS = dict(re.findall(r"```(?:sql|yaml)\n(?:--|#) (\S+)\n(.*?)```", DOC, re.DOTALL))
MORE = {
    "project.yml": "name: docs\nentities: {user: {ids: {user_id: {}, email: {normalise: email}}}}\n",
    "traits/commerce.yml": "traits: {spend_30d: {sum: order_completed.total, within: 30 days}}\n",
    "traits/lines.yml": "traits: {things: {unique: line_bought.sku}}\n",
}


def test_the_examples_of_the_docs_run(tmp_path: Path) -> None:
    assert len(BLOCKS) == DOC.count("```sql") + DOC.count("```yaml") == 4
    for name, text in (BLOCKS | MORE).items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    draft = read_draft(tmp_path)
    assert [*draft.problems, *reference_problems(draft), *model_problems(draft)] == []
    project, lake = draft.project, OpenLake(root=str(tmp_path / "lake"), threads=1)
    common = {"at": f"{FIRST}T10:00:00Z", "cart": {"currency": "EUR"}, "items": [{"sku": "hat"}, {"sku": "shoe"}]}
    records = [{"id": 1, "user": "u1", "total": 150}, {"id": 2, "user": "u1", "mail": "a@x.org", "total": 5.5}]
    (tmp_path / f"landing/orders/{FIRST}").mkdir(parents=True)
    (tmp_path / f"landing/orders/{FIRST}/a.jsonl").write_text("\n".join(json.dumps(r | common) for r in records))
    for source in project.sources:
        load_events(lake, project, source)
    update_evidence(lake, project)
    update_stitched(lake, project, "user")
    for section in project.sections:
        update_section(lake, project, section)
    assert built_models(project) == ["big_orders", "order_habits"]
    reports = [update_model(lake, project, name) for name in built_models(project)]
    assert [report.rows for report in reports] == [1, 1]
    with lake.get_connection() as con:
        habits = con.execute("SELECT * EXCLUDE (profile_id) FROM models.order_habits").fetchall()
        things = con.execute("SELECT things FROM entity_vars.lines").fetchall()
    assert habits == [(155.5, 2, 155.5, "EUR", 1)]
    assert things == [(["hat", "shoe"],)]
