"""Records of which the newest version counts: after any history the lake is as if loaded at once, at every as_of."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from profiles_assets.events.visible import counts_sql, ever_counts_sql
from profiles_assets.project.sources import Source
from resources import tables
from resources.lake import Lake, create_foundations
from tests.events.shop import OpenLake, Shop, a_source
from tests.events.test_histories import BY_ARRIVAL, BY_DAY, FIRST, NUMBERS, SETTINGS, content, path_of
from tests.oracles import records as oracle

DAYS = st.integers(0, 10).map(lambda n: FIRST + timedelta(days=n))
HOURS = st.sampled_from(["T00:30:00Z", "T10:00:00+00:00", "T23:30:00-02:00"])
TIMES = st.builds(lambda day, hour: f"{day}{hour}", DAYS, HOURS)
RECORDS = st.fixed_dictionaries(
    {"key": st.sampled_from(["k1", "k1", "k2", 3, " k2 "]) | st.sampled_from(["k1", "k2", 3, "", None])},
    optional={
        "id": st.sampled_from(["e1", "e2"]),
        "time": TIMES | st.sampled_from([None, "", "soon", "1970-01-01T00:00:00Z", "2090-01-01T00:00:00Z"]),
        "got": TIMES,
        "user": st.sampled_from(["u1", "u2", ""]),
    },
).map(json.dumps)
LINES = st.lists(st.one_of(RECORDS, RECORDS, RECORDS, RECORDS, st.just("{")), max_size=5)
DEFINITIONS: list[dict[str, Any]] = [
    {"kind": "records", "key": "key"},
    {"kind": "records", "key": "key", "event_id": None},
    {"kind": "records", "key": ["key", "user"]},
    {},
]
PUT = st.tuples(st.just("put"), DAYS, st.sampled_from("ab"), LINES)
LOAD = st.tuples(st.just("load"), st.none() | st.lists(DAYS, max_size=3), st.booleans())
STEPS = st.lists(
    st.one_of(
        *(PUT, PUT, PUT, LOAD, LOAD),
        st.tuples(st.just("drop"), DAYS, st.sampled_from("ab")),
        st.tuples(st.just("define"), st.sampled_from(DEFINITIONS)),
    ),
    max_size=12,
)
Steps = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("records")


SNAPSHOTS = count()


class MemoryLake(OpenLake):
    """The same tables in the engine's memory, where a load is many times as quick."""

    def _open(self, options: str) -> duckdb.DuckDBPyConnection:
        con = duckdb.connect(config={"threads": 1})
        con.execute("SET TimeZone = 'UTC'")
        create_foundations(con)
        return con

    def _snapshot(self, con: duckdb.DuckDBPyConnection) -> int:
        return next(SNAPSHOTS)


@pytest.fixture
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lake]:
    monkeypatch.setattr(tables, "create_like", partial(create_unpartitioned, tables.create_like))
    lake = MemoryLake(root=str(tmp_path))
    yield lake
    lake.close()


def create_unpartitioned(create: Callable[..., None], con: Any, table: str, staged: str, _: Any) -> None:
    create(con, table, staged)


def defined(folder: str, files: str, definition: dict[str, Any]) -> Source:
    return a_source(files=files.replace("landing", folder), received="got", event=None, event_is="known", **definition)


def replay(shop: Shop, folder: str, files: str, steps: Steps) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Play a history; returns the files that are left, with their lines, and the definition."""
    left: dict[str, list[str]] = {}
    last = DEFINITIONS[0]
    for kind, *what in steps:
        if kind == "define":
            last = what[0]
            shop.source = defined(folder, files, last)
        elif kind == "load":
            shop.load(what[0], allow_shrink=what[1])
        else:
            path = path_of(shop, what[0], what[1])
            if kind == "put":
                left[path] = what[2]
                shop.put(path, what[2])
            elif left.pop(path, None) is not None:
                (shop.root / path).unlink()
    shop.load(allow_shrink=True)
    return left, last


def check_history(root: Path, lake: Lake, steps: Steps, files: str) -> None:
    folder = f"landing{next(NUMBERS)}"
    shop = Shop(root, lake, defined(folder, files, DEFINITIONS[0]), name=f"crm{next(NUMBERS)}")
    left, last = replay(shop, folder, files, steps)
    whole = replace(shop, name=f"crm{next(NUMBERS)}")
    whole.load()
    assert named_content(shop) == named_content(whole)
    if shop.source.kind == "records":
        check_against_oracle(shop, left, last)
    for made in (shop, whole):
        forget(lake, made.name)


def named_content(shop: Shop) -> dict[str, Any]:
    """Content with the columns in one order, since those of another definition come and go."""
    names = sorted(name for (name,) in shop.query(f"SELECT column_name FROM (DESCRIBE raw_events.{shop.name})"))
    columns = ", ".join(f'"{name}"' for name in names)
    return content(shop) | {"rows": [names, *shop.query(f"SELECT {columns} FROM raw_events.{shop.name} ORDER BY ALL")]}


def forget(lake: Lake, name: str) -> None:
    with lake.get_connection() as con:
        con.execute(f"DROP TABLE raw_events.{name}")
        for table in ("files", "rejects", "columns", "uncast"):
            con.execute(f"DELETE FROM ops.{table} WHERE source = ?", [name])
        con.execute("DELETE FROM ops.progress WHERE ends_with(step, ?)", [f"/{name}"])


def check_against_oracle(shop: Shop, files: dict[str, list[str]], definition: dict[str, Any]) -> None:
    days = {p: date.fromisoformat(p.split("/")[1][:10]) if shop.source.by_path_day else None for p in files}
    versions, rejects = oracle.load(files, days, shop.source.key, ids="event_id" not in definition)
    assert shop.rejects("file, position, reason") == sorted(rejects)
    rows = shop.rows("file, position, day, event_day, time, received")
    expected = [(*v.place, v.row.day, v.row.event_day, v.row.time, v.row.received) for v in versions]
    assert sorted(rows) == sorted(expected)
    dates = [oracle.START, *(FIRST + timedelta(days=n) for n in range(-1, 14)), date(2100, 1, 1)]
    conditions = [counts_sql(shop.source, f"DATE '{as_of}'", shop.name) for as_of in dates]
    flags = shop.rows(f"file, position, {ever_counts_sql(shop.source, shop.name)}, [{', '.join(conditions)}]")
    for number, as_of in enumerate(dates):
        assert {(f, p) for f, p, _, counts in flags if counts[number]} == oracle.counting(versions, as_of)
    assert all(any(counts) == ever for *_, ever, counts in flags)


QUICK = settings(SETTINGS, phases=[Phase.explicit, Phase.reuse, Phase.generate])


@settings(QUICK, max_examples=4)
@given(steps=STEPS, files=st.sampled_from([BY_DAY, BY_ARRIVAL]))
def test_histories_in_a_lake(root: Path, lake: Lake, steps: Steps, files: str) -> None:
    check_history(root, lake, steps, files)


@settings(QUICK, max_examples=15)
@given(steps=STEPS)
def test_histories_by_day(root: Path, memory: Lake, steps: Steps) -> None:
    check_history(root, memory, steps, BY_DAY)


@settings(QUICK, max_examples=15)
@given(steps=STEPS)
def test_histories_without_days_in_paths(root: Path, memory: Lake, steps: Steps) -> None:
    check_history(root, memory, steps, BY_ARRIVAL)


@pytest.mark.long
@settings(SETTINGS, max_examples=2000)
@given(steps=STEPS, files=st.sampled_from([BY_DAY, BY_ARRIVAL]))
def test_many_histories(root: Path, memory: Lake, steps: Steps, files: str) -> None:
    check_history(root, memory, steps, files)
