"""The batch API: one table of many people, one row each; who fails is found by halving."""

from collections.abc import Iterator

import pyarrow as pa
import pytest

from profiles_assets.functions.feed import cut
from profiles_assets.functions.preview import preview_people
from tests.functions.world import World, event

BATCH = """
import pyarrow as pa
import pyarrow.compute as pc

config = {"columns": ["properties.total", "traits"], "transform": []}

def profile_batch(table, context):
    context.log.info("rows", table.num_rows)
    assert table.column_names == ["profile_id", "source", "time", "event", "properties.total", "traits"]
    if "boom" in table["event"].to_pylist():
        raise ValueError("boom of " + table["properties.total"].to_pylist()[-1])
    totals = table["properties.total"].cast(pa.float64())
    table = table.append_column("total", totals)
    table = table.filter(pc.not_equal(table["event"], "ignored"))
    return table.group_by("profile_id").aggregate([("total", "sum"), ("event", "count")])
"""


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("batch"))
    world.function("sums", BATCH)
    told = [event(0, n, f"u{n % 20}", properties={"total": n}, traits={"city": "Rome"}) for n in range(100)]
    told += [event(0, 200, "u3", "boom", properties={"total": 333_333}), event(0, 201, "quiet", "ignored")]
    world.land(0, *told)
    world.stitch()
    world.publish("sums")
    world.report = world.run("sums")  # type: ignore[attr-defined]
    yield world
    world.close()


def test_everybody_has_a_row_but_who_makes_it_fail_and_who_has_none(world: World) -> None:
    rows = world.rows("sums")
    expected = {f"u{n}": {"total_sum": n * 5 + 200.0, "event_count": 5, "city": "Rome"} for n in range(20) if n != 3}
    assert rows == expected
    kind, text = world.errors("sums")["u3"]
    assert kind == "exception"
    assert text.endswith("ValueError: boom of ***")
    assert world.query("SELECT count(*) FROM ops.function_results WHERE traits IS NULL") == [(1,)]


def test_preview_takes_the_same_path(world: World) -> None:
    previewed = preview_people(world.lake, world.project, "sums", sample=50)
    assert sum(one.published == one.row for one in previewed) == 21
    assert [one.kind for one in previewed if one.kind] == ["exception"]


KEEPS = """
import pyarrow as pa

def profile_batch(table, context):
    people = table["profile_id"].unique().to_pylist()
    for who in people:
        context.stores[who].set("runs", context.stores[who].get("runs", 0) + 1)
        if context.users[who]["user_id"] == "u3":
            raise ValueError("not this one")
    told = [context.users[who] for who in people]
    return pa.table({
        "profile_id": people,
        "user": [user["user_id"] for user in told],
        "home": [user["traits"].get("city") for user in told],
        "runs": [context.stores[who].get("runs") for who in people],
    })
"""


def test_users_and_stores_are_there_by_person(world: World) -> None:
    world.function("keeps", KEEPS)
    world.publish("keeps")
    assert world.run("keeps").errors == 1
    rows = world.rows("keeps")
    assert rows["u7"] == {"user": "u7", "home": "Rome", "runs": 1, "city": "Rome"}
    assert rows["quiet"] == {"user": "quiet", "home": None, "runs": 1}
    kept = "SELECT value, count(*) FROM ops.function_store WHERE function = 'keeps' GROUP BY ALL"
    assert world.query(kept) == [("1", 20)], "once each, however often a chunk was halved, and not of who failed"
    world.land(1, event(1, 0, "u7"), event(1, 1, "quiet"))
    world.stitch()
    world.run("keeps")
    assert [world.rows("keeps")[who]["runs"] for who in ("u7", "quiet", "u1")] == [2, 2, 1]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_chunks_are_cut_between_people(size: int) -> None:
    starts = [0, 1, 5, 6, 9]
    sources = [None if n in starts else "web" for n in range(12)]
    batches = [pa.record_batch({"source": pa.array(sources[n : n + 2], pa.string())}) for n in range(0, 12, 2)]
    tables = list(cut(iter(batches), size))
    assert pa.concat_tables(tables)["source"].to_pylist() == sources
    assert all(table["source"][0].as_py() is None for table in tables)
    assert max(table.num_rows for table in tables) <= max(size, 4) + 5
