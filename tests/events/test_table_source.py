"""Tables as sources: what is inserted, changed or late comes once, whatever happens in between."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from threading import Event
from typing import Any

import dagster as dg
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from profiles_assets.definitions import build_defs
from profiles_assets.events import load, table_source
from profiles_assets.events.table_database import TableError, with_variables
from profiles_assets.events.table_source import new_rows
from profiles_assets.watching import Watch
from resources.kept import KeptLake
from resources.lake import Lake
from tests.events.conftest import empty
from tests.events.warehouse import CREATE, Warehouse

NUMBERS = count()


@pytest.fixture
def warehouse(tmp_path: Path, lake: Lake) -> Iterator[Warehouse]:
    made = Warehouse.make(tmp_path, lake)
    made.execute(CREATE)
    yield made
    lake.write(empty)
    lake.write(lambda con: [con.execute(f"DROP TABLE IF EXISTS {name}") for name in table_source.COLUMNS])


def test_rows_come_once_with_their_load_day_and_payload(warehouse: Warehouse) -> None:
    warehouse.add(1, "2024-01-01 10:00:00", total=2.5)
    warehouse.add(2, "2024-01-02 10:00:00")
    assert warehouse.load().loaded == 2
    assert warehouse.load().loaded == 0
    warehouse.add(3, "2024-01-02 11:00:00")
    report = warehouse.load()
    assert (report.loaded, [str(day) for day in report.days]) == (1, ["2024-01-02"])
    found = warehouse.rows("event_id, day::VARCHAR, id_user_id, payload")
    assert [row[:3] for row in found] == [
        ("o1", "2024-01-01", "u1"),
        ("o2", "2024-01-02", "u1"),
        ("o3", "2024-01-02", "u1"),
    ]
    assert json.loads(found[0][3])["total"] == 2.5
    assert not [path for path in Path(warehouse.lake.root).glob("tables/tracks/*") if path.name != "lock"]


def test_late_rows_within_the_overlap_are_found_and_later_ones_are_not(warehouse: Warehouse) -> None:
    warehouse.add(1, "2024-01-01 10:00:00")
    warehouse.load()
    warehouse.add(2, "2024-01-01 09:00:00")
    warehouse.add(3, "2024-01-01 08:59:59")
    warehouse.load()
    assert warehouse.rows() == [("o1",), ("o2",)]


def test_a_changed_row_is_a_repeated_event_or_a_newer_version(warehouse: Warehouse) -> None:
    records = Warehouse.make(warehouse.root, warehouse.lake, name="versions", kind="records", key=["id"], event_id=None)
    warehouse.add(1, "2024-01-01 10:00:00", total=1)
    for one in (warehouse, records):
        one.load()
    warehouse.execute("UPDATE orders SET total = 7, changed = TIMESTAMP '2024-01-03 10:00:00'")
    assert (warehouse.load().duplicates, records.load().loaded) == (1, 1)
    total = "(payload::JSON->>'total')::DOUBLE"
    assert warehouse.rows(total) == [(1.0,)]
    assert records.query(f"SELECT {total} FROM raw_events.versions WHERE superseded IS NULL") == [(7.0,)]


def test_equal_rows_are_as_many_as_in_the_table(tmp_path: Path, lake: Lake, warehouse: Warehouse) -> None:
    plain = Warehouse.make(tmp_path, lake, event_id=None)
    for _ in range(2):
        plain.add(1, "2024-01-01 10:00:00")
    assert plain.load().loaded == 2
    plain.add(1, "2024-01-01 10:00:00")
    assert plain.load().loaded == 1
    assert len(plain.rows()) == 3


def test_rows_without_a_watermark_and_rejects_come_once_too(warehouse: Warehouse) -> None:
    warehouse.add(1, "2024-01-01 10:00:00")
    warehouse.execute("INSERT INTO orders (id, ordered) VALUES ('o2', TIMESTAMP '2024-01-01 11:00:00'), ('o3', NULL)")
    report = warehouse.load()
    assert (report.loaded, report.rejected) == (2, {"no time": 1})
    warehouse.add(4, "2024-01-05 10:00:00")
    assert warehouse.load().records == 1
    assert warehouse.query("SELECT count(*) FROM ops.rejects WHERE source = 'tracks'") == [(1,)]


@pytest.mark.parametrize(
    ("type_", "values"), [("BIGINT", "1 5 4 9"), ("DATE", "2024-01-01 2024-01-03 2024-01-02 2024-02-01")]
)
def test_other_watermarks(tmp_path: Path, lake: Lake, warehouse: Warehouse, type_: str, values: str) -> None:
    overlap = 1 if type_ == "BIGINT" else "1 day"
    other = Warehouse.make(tmp_path, lake, table="others", overlap=overlap, received=None, event_id="id")
    other.execute(f"CREATE TABLE others (id VARCHAR, ordered TIMESTAMP, changed {type_}, customer VARCHAR)")
    for number, value in enumerate(values.split()):
        other.execute(f"INSERT INTO others VALUES ('o{number}', TIMESTAMP '2024-01-01', '{value}', 'u1')")
        assert other.load().loaded == 1
    assert other.load().records == 0


def test_a_load_that_fails_has_not_happened(warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    warehouse.add(1, "2024-01-01 10:00:00")
    warehouse.load()
    warehouse.add(2, "2024-01-01 10:30:00")
    for name in ("read_new_rows", "write_state"):
        original = getattr(table_source, name)

        def failing(*given: Any, original: Any = original) -> Any:
            original(*given)
            raise KeyboardInterrupt

        with monkeypatch.context() as patched:
            patched.setattr(load.table_source, name, failing)
            with pytest.raises(KeyboardInterrupt):
                warehouse.load()
        assert warehouse.rows() == [("o1",)]
    assert warehouse.load().loaded == 1
    assert warehouse.rows() == [("o1",), ("o2",)]


def test_another_column_or_table_is_read_from_its_beginning(warehouse: Warehouse) -> None:
    warehouse.add(1, "2024-01-01 10:00:00")
    warehouse.load()
    by_id = Warehouse.make(warehouse.root, warehouse.lake, watermark="ordered")
    with by_id.lake.get_connection() as con:
        assert new_rows(con, warehouse.project, "tracks").rows == 0
        assert new_rows(con, by_id.project, "tracks").rows == 1


def test_what_cannot_be_read_is_told_without_the_password(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(TableError, match='has no column "when"; it has id, ordered'):
        Warehouse.make(warehouse.root, warehouse.lake, watermark="when").load()
    with pytest.raises(TableError, match="it should be a time, a date or a whole number"):
        Warehouse.make(warehouse.root, warehouse.lake, watermark="customer").load()
    with pytest.raises(TableError, match='table "lost" cannot be read'):
        Warehouse.make(warehouse.root, warehouse.lake, table="lost").load()
    with pytest.raises(TableError, match="NO_SUCH is not set"):
        with_variables("${NO_SUCH}")
    monkeypatch.setenv("SHOP_DB", "postgresql://reader:hush@127.0.0.1:1/shop")
    with pytest.raises(TableError) as error:
        Warehouse.make(warehouse.root, warehouse.lake, database="${SHOP_DB}").load()
    assert "hush" not in str(error.value)


START = datetime(2024, 1, 1, 12)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("insert"), st.integers(-60, 600), st.integers(0, 3)),
        st.tuples(st.just("insert"), st.integers(-60, 5), st.integers(0, 3)),
        st.tuples(st.just("load"), st.just(0), st.just(0)),
    ),
    max_size=12,
)


def check_history(folder: Path, lake: Lake, steps: list[tuple[str, int, int]]) -> None:
    """Rows come in any order within the overlap of an hour; loads happen in between."""
    number, newest = next(NUMBERS), START
    folder = folder / str(number)
    folder.mkdir()
    shop = Warehouse.make(folder, lake, name=f"orders{number}", event_id=None)
    shop.execute(CREATE)
    expected: Counter[str] = Counter()
    for kind, minutes, customer in [*steps, ("load", 0, 0)]:
        if kind == "load":
            shop.load()
            continue
        moment = newest + timedelta(minutes=minutes)
        newest = max(newest, moment)
        shop.add(0, str(moment), customer=f"u{customer}")
        expected[f"{moment} u{customer}"] += 1
    if expected:
        assert Counter(row[0] for row in shop.rows("time::VARCHAR || ' ' || id_user_id")) == expected


@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=5, phases=[Phase.generate])
@given(steps=STEPS)
def test_histories(tmp_path_factory: pytest.TempPathFactory, lake: Lake, steps: list[tuple[str, int, int]]) -> None:
    check_history(tmp_path_factory.mktemp("orders"), lake, steps)


@pytest.mark.long
@settings(deadline=None, suppress_health_check=list(HealthCheck), max_examples=2_000)
@given(steps=STEPS)
def test_many_histories(
    tmp_path_factory: pytest.TempPathFactory, lake: Lake, steps: list[tuple[str, int, int]]
) -> None:
    check_history(tmp_path_factory.mktemp("orders"), lake, steps)


TABLE_PROJECT = {
    "project.yml": "name: tiny\nstart: 2024-01-01\nend: 2024-12-31\nentities: {user: {ids: {user_id: {}}}}\n",
    "sources.yml": """
sources:
  orders:
    table: orders
    database: warehouse.duckdb
    watermark: changed
    time: ordered
    event_is: ordered
    ids: {user_id: customer}
""",
    "traits/facts.yml": "traits: {orders: {count: ordered}}\n",
}


def test_the_sensor_and_the_watch_notice_new_rows(tmp_path: Path) -> None:
    for name, text in TABLE_PROJECT.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    with KeptLake(root=str(tmp_path / ".lake"), threads=1) as lake:
        shop = Warehouse.make(tmp_path, lake, name="orders")
        shop.execute(CREATE)
        shop.add(1, "2024-01-02 10:00:00")
        watch, never = Watch(lake, tmp_path), Event()
        assert watch.changed() == ["orders"]
        assert watch.refresh(["orders"], never).reports["raw_events/orders"].loaded == 1
        definitions = build_defs(tmp_path, lake)
        assert requests(definitions) == []
        shop.add(2, "2024-01-02 10:30:00")
        first, second = requests(definitions), requests(definitions)
        assert len(first) == 1
        assert first[0].run_key == second[0].run_key
        watch._asked.clear()
        assert watch.changed() == ["orders"]
        watch._asked.clear()
        assert watch.changed() == []
        watch.refresh(["orders"], never)
        assert requests(definitions) == []
        shop.add(3, "2024-01-02 10:40:00")
        assert requests(definitions)[0].run_key != first[0].run_key
        with lake.read() as con:
            assert con.execute("SELECT orders FROM profiles.user").fetchall() == [(2,)]


def requests(definitions: dg.Definitions) -> list[dg.RunRequest]:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_sensor_context(instance=instance)
        return list(definitions.resolve_sensor_def("source_tables").evaluate_tick(context).run_requests or [])
