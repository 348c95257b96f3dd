"""Whatever the order in which files come, change and go: the lake ends as if loaded at once."""

import json
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from profiles_assets.project.traits import Trait
from resources.lake import Lake
from tests.events.shop import Shop, a_source
from tests.oracles import events as oracle

FIRST = date(2024, 3, 1)
DAYS = st.sampled_from([0, 1, 2, 7, 8, 9, 15, 16]).map(lambda n: FIRST + timedelta(days=n))
HOURS = st.sampled_from(["T00:30:00Z", "T10:00:00+00:00", "T23:30:00-02:00"])
TIMES = st.builds(lambda day, hour: f"{day}{hour}", DAYS, HOURS)
ODD_TIMES = st.sampled_from([None, "soon", "1970-01-01T00:00:00Z", "2090-01-01T00:00:00Z"])
RECORDS = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["e1", "e2", "e3", "e4", None]),
        "time": st.one_of(TIMES, TIMES, TIMES, ODD_TIMES),
        "user": st.sampled_from(["u1", " u2 ", "", None]),
    },
    optional={
        "got": TIMES,
        "total": st.sampled_from([1, 2.5, "3", "many", None]),
        "category": st.sampled_from(["a", "b"]),
    },
).map(json.dumps)
LINES = st.lists(st.one_of(RECORDS, RECORDS, RECORDS, st.sampled_from(["[]", "{"])), max_size=5)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), DAYS, st.sampled_from("ab"), LINES),
        st.tuples(st.just("put"), DAYS, st.sampled_from("ab"), LINES),
        st.tuples(st.just("drop"), DAYS, st.sampled_from("ab")),
        st.tuples(st.just("load"), st.none() | st.lists(DAYS, max_size=2), st.booleans()),
    ),
    max_size=12,
)
NUMBERS = count()
MakeShop = Callable[..., Shop]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory, lake: Lake) -> MakeShop:
    """Maker of shops with a source of their own in one folder and lake."""
    return partial(a_shop, tmp_path_factory.mktemp("histories"), lake)


def a_shop(root: Path, lake: Lake, folder: str, **changes: Any) -> Shop:
    files = changes.pop("files").replace("landing", folder)
    source = a_source(
        files=files,
        received="got",
        event=None,
        event_is="seen",
        types={"total": "number", "category": "text"},
        **changes,
    )
    traits = {"a": Trait(sum="seen.total"), "b": Trait(latest="seen.category")}
    return Shop(root, lake, source, traits, name=f"tracks{next(NUMBERS)}")


def path_of(shop: Shop, day: date, name: str) -> str:
    return shop.source.files.replace("{day}", str(day)).replace("*.jsonl*", f"{day}{name}.jsonl")


def content(shop: Shop) -> dict[str, list[tuple[Any, ...]]]:
    """All that the lake has about a source, but for its name and the times of its files."""
    mine = f"WHERE source = '{shop.name}' ORDER BY ALL"
    return {
        "rows": shop.query(f"SELECT * FROM raw_events.{shop.name} ORDER BY ALL"),
        "files": shop.query(f"SELECT * EXCLUDE (source, signature) FROM ops.files {mine}"),
        "versions": shop.query(
            f"SELECT partition, version FROM ops.progress WHERE step = 'raw_events/{shop.name}' ORDER BY ALL"
        ),
    } | {n: shop.query(f"SELECT * EXCLUDE source FROM ops.{n} {mine}") for n in ("rejects", "columns", "uncast")}


def replay(shop: Shop, steps: list[tuple[Any, ...]]) -> dict[str, list[str]]:
    """Play a history; returns the files that are left, with their lines."""
    files: dict[str, list[str]] = {}
    for kind, *what in steps:
        if kind == "load":
            shop.load(what[0], allow_shrink=what[1])
            continue
        path = path_of(shop, what[0], what[1])
        if kind == "put":
            files[path] = what[2]
            shop.put(path, what[2])
        elif files.pop(path, None) is not None:
            (shop.root / path).unlink()
    shop.load(allow_shrink=True)
    return files


def check_history(make: MakeShop, steps: list[tuple[Any, ...]], files: str, distinct: bool = False) -> None:
    folder = f"landing{next(NUMBERS)}"
    shop, whole = (make(folder, files=files, distinct=distinct) for _ in range(2))
    left = replay(shop, steps)
    whole.load()
    assert content(shop) == content(whole)
    check_against_oracle(shop, left, distinct)


def check_against_oracle(shop: Shop, files: dict[str, list[str]], distinct: bool) -> None:
    by_path = shop.source.by_path_day
    days = {path: date.fromisoformat(path.split("/")[1][:10]) if by_path else None for path in files}
    rows, rejects = oracle.load(files, days, "UTC")
    repeated = oracle.duplicates(rows)
    if distinct:
        repeated |= oracle.whole_duplicates(rows)
    columns = "day, event_day, time, received, event_id, id_user_id, file, position, payload, duplicate"
    expected = [(*vars(row).values(), (row.file, row.position) in repeated) for row in rows]
    assert shop.query(f"SELECT {columns} FROM raw_events.{shop.name} ORDER BY file, position") == sorted(
        expected, key=lambda row: row[6:8]
    )
    assert shop.rejects("file, position, reason") == sorted(rejects)


SETTINGS = settings(deadline=None, suppress_health_check=list(HealthCheck))
QUICK = settings(SETTINGS, max_examples=5, phases=[Phase.explicit, Phase.reuse, Phase.generate])
BY_DAY, BY_ARRIVAL = "landing/{day}/*.jsonl*", "landing/*.jsonl*"


@QUICK
@given(steps=STEPS)
def test_histories_by_day(make: MakeShop, steps: list[tuple[Any, ...]]) -> None:
    check_history(make, steps, BY_DAY)


@QUICK
@given(steps=STEPS)
def test_histories_without_days_in_paths(make: MakeShop, steps: list[tuple[Any, ...]]) -> None:
    check_history(make, steps, BY_ARRIVAL, distinct=True)


@pytest.mark.long
@settings(SETTINGS, max_examples=100)
@given(steps=STEPS, files=st.sampled_from([BY_DAY, BY_ARRIVAL]), distinct=st.booleans())
def test_many_histories(make: MakeShop, steps: list[tuple[Any, ...]], files: str, distinct: bool) -> None:
    check_history(make, steps, files, distinct)
