"""Traits of functions that are typed and named in YAML: columns of profiles, in audiences, features; as of any day."""

import json
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ml.features import features_of
from profiles_assets.cli.show_trait import describe
from profiles_assets.definitions import build_defs
from profiles_assets.functions.as_of import stage_functions_as_of, unknown_then
from profiles_assets.functions.assets import function_key
from profiles_assets.functions.typed import typed_select, update_typed
from profiles_assets.path import build
from profiles_assets.profiles.read import read_profile_as_of
from profiles_assets.project.problems import ProjectError
from profiles_assets.traits.derived import function_table
from profiles_assets.traits.evaluate import stage_traits_as_of
from resources.tables import columns
from tests.functions.world import START, World, event
from tests.ml.predicting import forecast

MIXED = """
def profile(events, user, context):
    views = len([event for event in events if event["event"] == "viewed"])
    odd = {"u1": "many", "u2": 2.5, "u3": str(views), "u4": None}.get(user["user_id"], views)
    return {"traits": {"views": odd, "deep": {"er": {"last": events[-1]["at"]}}, "names": ["b", 1], "mail": "a@b.org",
                       "keen": views > 1, "free": {"any": "thing"}}}
"""
KEPT = """
def profile(events, user, context):
    context.store.set("n", 1)
    return {"traits": {"n": len(events)}}
"""
TRAITS = """\
defaults: {within: 7 days, owner: growth}
traits:
  views: {function: mixed.views, type: integer, unless_none: 0, title: Views}
  last_at: {function: mixed.deep.er.last, type: time}
  names: {function: mixed.names, type: list}
  mail: {function: mixed.mail, type: text, pii: mask}
  keen: {function: mixed.keen, type: boolean}
  not_there: {function: mixed.nothing, type: number}
  kept_n: {function: kept.n, type: integer}
  orders: {count: viewed}
  share: {ratio: [views, orders]}
  kept_share: {ratio: [kept_n, orders]}
  tier: {bucket: views, at: [2], labels: [few, many]}
"""
AUDIENCE = "audiences:\n  keen_people: {all: [{keen: true}, {views: '>= 2'}]}\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("typed"))
    world.write("traits/made.yml", TRAITS)
    world.write("audiences/keen.yml", AUDIENCE)
    world.function("mixed", MIXED)
    world.function("kept", KEPT)
    for day in range(3):
        world.land(day, *(event(day, n, f"u{n}") for n in range(6)), event(day, 50, None, anonymousId=f"a{day}"))
    world.stitch()
    build(world.lake, world.project)
    world.publish("mixed")
    world.publish("kept")
    build(world.lake, world.project)
    yield world
    world.close()


def people(world: World, names: str, table: str = 'profiles."user"') -> dict[str, tuple[object, ...]]:
    rows = world.query(
        f"SELECT coalesce(u.value, 'nobody'), {names} FROM {table} p LEFT JOIN identity.stitched_ids u "
        "ON u.profile_id = p.profile_id AND u.id_type = 'user_id'"
    )
    return {who: tuple(values) for who, *values in rows}


def test_they_are_columns_of_the_profile_in_their_types(world: World) -> None:
    found = people(world, "views, last_at, names, mail, keen, not_there, kept_n")
    last = datetime(2025, 1, 3, 0, 5)
    assert found["u5"] == (3, last, ["b", "1"], "a***@b.org", True, None, 3)
    assert [found[f"u{n}"][0] for n in range(6)] == [3, 0, 0, 3, 0, 3]
    assert found["nobody"] == (0, None, None, None, None, None, None)
    with world.lake.get_connection() as con:
        kinds = columns(con, 'profiles."user"')
    assert (kinds["views"], kinds["last_at"], kinds["names"]) == ("BIGINT", "TIMESTAMP", "VARCHAR[]")
    assert people(world, "mail", "profiles.user_unmasked")["u5"] == ("a@b.org",)
    free = world.query("SELECT DISTINCT traits::JSON->>'$.free.any' FROM functions.mixed")
    assert free == [("thing",)], "what is not declared stays in the JSON"


def test_what_does_not_fit_is_empty_and_counted(world: World) -> None:
    report = update_typed(world.lake, world.project, "mixed")
    assert report.unfit == {"views": 2}
    assert report.change.total == 0


def test_other_traits_and_audiences_are_made_from_them(world: World) -> None:
    assert people(world, "share, tier, keen_people")["u5"] == (1.0, "many", True)
    assert people(world, "share, tier, keen_people")["u1"] == (0.0, "few", False)
    about = describe(world.project, "views")
    assert (about["asset"], about["made_from"]) == ("functions/mixed", ["functions/mixed.traits"])
    assert set(about["used_by"]) == {"trait share", "trait tier", "audience keen_people"}
    assert describe(world.project, "views")["owner"] == "growth"


def test_a_past_day_has_what_pure_functions_would_have_given(world: World) -> None:
    day = START + timedelta(days=1)
    with world.lake.get_connection() as con:
        who = con.execute("SELECT profile_id FROM identity.stitched_ids WHERE value = 'u5'").fetchone()
        assert who is not None
        then = read_profile_as_of(con, world.project, str(who[0]), day)["traits"]["made"]
        assert (then["views"], then["share"], then["keen"]) == (2, 1.0, True)
        assert (then["kept_n"], then["kept_share"]) == (None, None), "nobody knows what its store had then"
        assert unknown_then(con, world.project, "user") == {"kept_n", "kept_share"}
        stage_traits_as_of(con, world.project, "user", day, "traits_then", more=stage_functions_as_of)
        have = {n: t for n, t in columns(con, "traits_then").items() if n not in ("kept_n", "kept_share")}
    assert {"views", "keen", "share", "tier"} <= set(features_of(world.project, forecast(), have))
    assert "mail" not in features_of(world.project, forecast(), have), "personal"
    with pytest.raises(ValueError, match="kept_n cannot be a feature: past days do not tell what its function gave"):
        features_of(world.project, forecast(features={"include": ["kept_n"]}), have)


def test_the_newest_day_as_of_is_what_the_tables_have(world: World) -> None:
    with world.lake.get_connection() as con:
        stage_traits_as_of(
            con, world.project, "user", START + timedelta(days=2), "now_then", more=stage_functions_as_of
        )
        names = "profile_id, views, last_at, names, keen, share"
        gone = con.execute(f"SELECT {names} FROM profiles.user_unmasked EXCEPT SELECT {names} FROM now_then").fetchall()
    assert gone == []


def test_incremental_equals_full(world: World) -> None:
    world.land(3, event(3, 0, "u0"), event(3, 1, "new"))
    build(world.lake, world.project)
    before = people(world, "views, last_at, keen, kept_n, share, keen_people")
    assert (before["u0"][0], before["new"][0]) == (4, 1)
    with world.lake.get_connection() as con:
        for name in ("mixed", "kept"):
            con.execute(f"DROP TABLE {function_table(name)}")
        con.execute("DROP VIEW profiles.user_unmasked")
        con.execute("DROP TABLE profiles.user_rows")
        con.execute("DELETE FROM ops.progress WHERE starts_with(step, 'profiles/')")
    build(world.lake, world.project)
    assert people(world, "views, last_at, keen, kept_n, share, keen_people") == before


def test_the_asset_feeds_the_profiles_and_warns_of_what_does_not_fit(world: World) -> None:
    definitions = build_defs(world.root, world.lake)
    graph = definitions.resolve_asset_graph()
    assert function_key("mixed") in graph.get(dg.AssetKey(["profiles", "user"])).parent_keys
    job = definitions.resolve_job_def("build_functions")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, asset_selection=[function_key("mixed")])
    found = {check.check_name: check for check in result.get_asset_check_evaluations()}
    assert found["errors_within_share"].passed
    assert not found["values_fit"].passed
    assert found["values_fit"].metadata["unfit/views"].value == 2


@pytest.mark.parametrize(
    ("trait", "words"),
    [
        ("{function: mixd.views, type: text}", 'there is no profile function "mixd"; did you mean "mixed"?'),
        ("{function: mixed, type: text}", "function needs a function, a key of its traits and a type"),
        ("{function: mixed.views}", "function needs a function, a key of its traits and a type"),
        ("{function: mixed.views, type: text, where: {a: 1}}", "within and where go with events"),
        (
            "{function: mixed.views, type: text, unless_none: 3}",
            'unless_none of trait "wrong" is "3", but the trait is',
        ),
    ],
)
def test_wrong_ones_are_refused(tmp_path: Path, trait: str, words: str) -> None:
    world = World(tmp_path)
    world.function("mixed", MIXED)
    world.write("traits/wrong.yml", f"traits:\n  wrong: {trait}\n")
    with pytest.raises(ProjectError) as error:
        _ = world.project
    assert words in str(error.value)
    assert "traits/wrong.yml:2" in str(error.value)
    world.close()


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=5) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)


def check_values(world: World, values: list[object]) -> None:
    """Every value is of the type or nothing, whatever a function gives."""
    text = [
        json.dumps({"x": value}, default=str).replace("NaN", "null").replace("Infinity", "null") for value in values
    ]
    text = [one.replace("-null", "null") for one in text]
    kinds = ("text", "number", "integer", "boolean", "time", "date", "list")
    world.write("traits/any.yml", "traits:\n" + "".join(f"  x_{k}: {{function: mixed.x, type: {k}}}\n" for k in kinds))
    traits = {n: t for n, t in world.project.function_traits_of("user")["mixed"].items() if n.startswith("x_")}
    (world.root / "traits/any.yml").unlink()
    with world.lake.get_connection() as con:
        con.execute(
            "CREATE OR REPLACE TEMP TABLE drawn AS SELECT unnest(?::VARCHAR[]) AS traits, 'p' AS _person", [text]
        )
        con.execute("CREATE OR REPLACE TEMP TABLE one AS SELECT 'p' AS profile_id")
        rows = con.execute(
            f"SELECT * EXCLUDE (profile_id) FROM ({typed_select(world.project, traits, 'drawn', 'one')})"
        )
        names = [column[0] for column in rows.description or []]
        found = [dict(zip(names, row, strict=True)) for row in rows.fetchall()]
    assert len(found) == len(values)
    for value, row in zip(values, found, strict=True):
        if isinstance(value, bool):
            assert row["x_boolean"] is value
        elif isinstance(value, int):
            assert (row["x_integer"], row["x_number"]) == (value, float(value))
        elif isinstance(value, list):
            assert len(row["x_list"]) == len(value)
        elif isinstance(value, dict):
            assert all(row[f"x_{k}"] is None for k in ("number", "integer", "boolean", "time", "date", "list"))
        elif isinstance(value, date):
            assert row["x_date"] == value
        elif value is None:
            assert set(row.values()) == {None}


@settings(max_examples=10, deadline=None)
@given(values=st.lists(VALUES, min_size=1, max_size=20))
def test_any_value_fits_or_is_nothing(world: World, values: list[object]) -> None:
    check_values(world, values)


@pytest.mark.long
@settings(max_examples=2_000, deadline=None)
@given(values=st.lists(VALUES, min_size=1, max_size=20))
def test_any_value_fits_or_is_nothing_long(world: World, values: list[object]) -> None:
    check_values(world, values)


def test_a_function_with_a_schedule_runs_by_it_and_not_with_every_file(world: World) -> None:
    world.function("nightly", 'config = {"schedule": "30 2 * * *"}\n' + KEPT)
    world.publish("nightly")
    definitions = build_defs(world.root, world.lake)
    key = function_key("nightly")
    job = definitions.resolve_job_def("build_function_nightly")
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(instance=instance, asset_selection=[key]).success
        before = world.rows("nightly")
        assert before["u0"]
        world.land(4, event(4, 0, "u0"), event(4, 1, "another"))
        world.stitch()
        with_files = definitions.resolve_job_def("build_profiles")
        assert with_files.execute_in_process(instance=instance, asset_selection=[key]).success
        assert world.rows("nightly") == before
        assert job.execute_in_process(instance=instance, asset_selection=[key]).success
        assert "another" in world.rows("nightly")
    schedule = definitions.resolve_schedule_def("function_nightly")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 2 * * *", "UTC")
