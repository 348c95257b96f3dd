"""Sources made from models: whatever the order in which files come, change and go, as if loaded at once."""

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from profiles_assets.events.arrivals import arrivals, listing_hash
from profiles_assets.events.assets import build_event_assets
from profiles_assets.events.discover import landing_files
from profiles_assets.events.load import load_events, newest_day
from profiles_assets.events.model_source import inputs_of, refresh_model_source
from profiles_assets.events.report import LoadReport
from profiles_assets.project.models import read_model
from resources.lake import Lake
from tests.events.model_world import FIRST, JOINED, LINES, UNION, World, order

NUMBERS = count()
Make = Callable[[str], World]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory, lake: Lake) -> Make:
    root = tmp_path_factory.mktemp("models")
    return lambda sql: World(root, lake, sql, f"w{next(NUMBERS)}")


def test_rows_become_events(make: Make) -> None:
    world = make(LINES)
    world.put("orders", FIRST, "a", [order("u1", FIRST), order("u2", FIRST, total=1), order("u3", FIRST, items=[])])
    report = world.load()
    assert (report.loaded, report.rejected, report.days) == (2, {}, (FIRST,))
    found = world.query(f"SELECT id_user_id, p_sku, p_twice, file FROM raw_events.{world.lines} ORDER BY p_sku")
    file = f"models/{world.lines}/{FIRST}/rows.parquet"
    assert found == [("u1", "hat", 5.0, file), ("u1", "shoe", 5.0, file)]
    assert inputs_of(world.project, world.lines) == [f"orders_{world.name}"]
    assert not world.load().changed


def test_files_of_models_are_no_landing_files(make: Make) -> None:
    world = make(LINES)
    world.put("orders", FIRST, "a", [order("u1", FIRST)])
    before = listing_hash(world.project)
    world.load()
    assert listing_hash(world.project) == before
    assert arrivals(world.lake, world.project) == []
    assert landing_files(world.project, world.lines) == []
    assert len(landing_files(world.project, world.lines, world.lake.root)) == 1


def test_only_changed_days_are_written(make: Make) -> None:
    world, later = make(LINES), FIRST + timedelta(days=1)
    for day in (FIRST, later):
        world.put("orders", day, "a", [order("u1", day)])
    world.load()
    first = Path(world.lake.root) / "models" / world.lines / str(FIRST) / "rows.parquet"
    before = first.stat().st_mtime_ns
    world.put("orders", later, "b", [order("u2", later)])
    load_events(world.lake, world.project, f"orders_{world.name}")
    assert refresh_model_source(world.lake, world.project, world.lines) == [str(later)]
    assert refresh_model_source(world.lake, world.project, world.lines) == []
    assert first.stat().st_mtime_ns == before


def test_a_join_belongs_to_the_later_day(make: Make) -> None:
    world, later = make(JOINED), FIRST + timedelta(days=3)
    world.put("orders", FIRST, "a", [order("u1", FIRST)])
    world.put("people", later, "a", [{"id": 1, "time": f"{later}T00:00:00Z", "user": "u1", "name": "Ada"}])
    world.load()
    assert world.query(f"SELECT day, event_day FROM raw_events.{world.lines}") == [(later, FIRST)]
    assert world.traits(FIRST) == []
    assert [row[0] for row in world.traits(later)] == ["u1"]


def test_vanished_rows_go(make: Make) -> None:
    world, later = make(UNION), FIRST + timedelta(days=1)
    world.put("orders", FIRST, "a", [order("u1", FIRST)])
    world.put("people", later, "a", [{"id": 1, "time": f"{later}T00:00:00Z", "user": "u1", "name": "Ada"}])
    world.load()
    assert [row[0] for row in world.rows()] == [FIRST, later]
    world.put("people", later, "a", None)
    assert world.load().days == (later,)
    assert [row[0] for row in world.rows()] == [FIRST]
    with world.lake.get_connection() as con:
        assert newest_day(con, world.project) == FIRST


def test_a_changed_model_makes_all_days_again(make: Make) -> None:
    world, later = make(LINES), FIRST + timedelta(days=1)
    for day in (FIRST, later):
        world.put("orders", day, "a", [order("u1", day)])
    world.load()
    world.sql = world.sql.replace("* 2", "* 3")
    assert world.load().days == (FIRST, later)
    assert {row[8] for row in world.rows()} == {7.5}


def test_a_source_made_from_a_source_made_from_a_model(make: Make) -> None:
    world = make(LINES)
    world.put("orders", FIRST, "a", [order("u1", FIRST)])
    world.load()
    project, name = world.project, f"hats_{world.name}"
    sql = f"SELECT time, user_id, sku AS what FROM {world.lines} WHERE sku = 'hat'"
    project.models[name] = read_model(name, sql, f"models/{name}.sql")
    project.sources[name] = project.sources[world.lines].model_copy(update={"model": name, "event_is": "hat"})
    load_events(world.lake, project, world.lines)
    load_events(world.lake, project, name)
    assert world.query(f"SELECT day, id_user_id, event FROM raw_events.{name}") == [(FIRST, "u1", "hat")]


DAYS = st.sampled_from([0, 1, 2, 9]).map(lambda n: FIRST + timedelta(days=n))
USERS = st.sampled_from(["u1", "u2", None])
TIMES = DAYS.map(lambda day: f"{day}T10:00:00Z")
ORDERS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["1", "2", "3", None]),
        "time": TIMES,
        "user": USERS,
        "total": st.sampled_from([1, 2, 3.5, None]),
        "items": st.sampled_from([["hat"], ["hat", "hat"], ["shoe", "hat"], [], None]),
        "cart": st.sampled_from([{"id": "c1"}, {"id": "c2"}, {}]),
    }
)
PEOPLE = st.fixed_dictionaries(
    {"id": st.sampled_from(["1", "2", None]), "time": TIMES, "user": USERS, "name": st.sampled_from(["a", "b", None])}
)
FILES = st.sampled_from("ab")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("orders"), DAYS, FILES, st.none() | st.lists(ORDERS, max_size=4)),
        st.tuples(st.just("people"), DAYS, FILES, st.none() | st.lists(PEOPLE, max_size=3)),
        st.tuples(st.just("load")),
    ),
    max_size=10,
)


def check_history(make: Make, sql: str, steps: list[tuple[Any, ...]]) -> None:
    """A history of loads ends like one load of what is left; older days look as they did when they were new."""
    world, left = make(sql), dict[tuple[Any, ...], Any]()
    world.put("orders", FIRST, "seed", [order("u1", FIRST)])
    for kind, *what in steps:
        if kind == "load":
            world.load()
        else:
            world.put(kind, *what)
            left[kind, what[0], what[1]] = what[2]
    world.load()
    again = make(sql)
    again.put("orders", FIRST, "seed", [order("u1", FIRST)])
    for (kind, day, file), records in left.items():
        again.put(kind, day, file, records)
    again.load()
    assert world.rows() == again.rows()
    check_past(make, sql, left, again)


def check_past(make: Make, sql: str, left: dict[tuple[Any, ...], Any], whole: World) -> None:
    """What is visible at a day is what there was when only files up to that day had arrived."""
    day = FIRST + timedelta(days=1)
    early = make(sql)
    early.put("orders", FIRST, "seed", [order("u1", FIRST)])
    for (kind, arrived, file), records in left.items():
        if arrived <= day:
            early.put(kind, arrived, file, records)
    early.load()
    assert early.traits(day) == whole.traits(day)


SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))
QUICK = settings(SETTINGS, max_examples=2, phases=[Phase.explicit, Phase.reuse, Phase.generate])
ANY_SQL = st.sampled_from([LINES, JOINED, UNION])


@QUICK
@given(steps=STEPS, sql=ANY_SQL)
def test_histories(make: Make, steps: list[tuple[Any, ...]], sql: str) -> None:
    check_history(make, sql, steps)


@pytest.mark.long
@settings(SETTINGS, max_examples=40)
@given(steps=STEPS, sql=ANY_SQL)
def test_many_histories(make: Make, steps: list[tuple[Any, ...]], sql: str) -> None:
    check_history(make, sql, steps)


def test_without_input_there_is_nothing(make: Make) -> None:
    world = make(LINES)
    assert world.load() == LoadReport(world.lines)


def test_the_asset_of_a_model_source_depends_on_what_the_model_reads(make: Make) -> None:
    world = make(JOINED)
    assets = {asset.key.path[-1]: asset for asset in build_event_assets(world.project)}
    deps = {key.path[-1] for key in assets[world.lines].dependency_keys}
    assert deps == {f"orders_{world.name}", f"people_{world.name}"}
    (spec,) = assets[world.lines].specs
    assert spec.kinds == {"duckdb", "sql"}
    assert f"Rows of the model `{world.lines}`" in (spec.description or "")
    assert not assets[f"orders_{world.name}"].dependency_keys
