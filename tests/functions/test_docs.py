"""Everything in docs/functions.md works as it stands there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from profiles_assets.cli.main import COMMANDS
from profiles_assets.functions.contract import KEYS
from profiles_assets.path import build
from profiles_assets.project.functions import FunctionConfig
from tests.functions.world import World, event

DOC = (Path(__file__).parents[2] / "docs" / "functions.md").read_text()
FILES = dict(re.findall(r"```(?:python|yaml)\n# (\S+)\n(.*?)```", DOC, re.DOTALL))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("docs"))
    for name, text in FILES.items():
        world.write(name, text)
    views = [event(0, n, "ann", "page_viewed") for n in range(4)]
    bots = [event(0, 20 + n, "ann", "page_viewed", agent="robot") for n in range(2)]
    wrong = [event(0, 30, "ann", "clicked", agent=7)]
    world.land(0, *views, *bots, *wrong, event(0, 10, None, "page_viewed", anonymousId="x"))
    world.land_orders(1, ("o1", "2025-01-02T10:00:00Z", "ann", 12.5), ("o2", "2025-01-02T11:00:00Z", "ann", 7.5))
    world.stitch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CRM_TOKEN", "t0ken")
        for name in ("event_counts", "engagement", "spend", "visits"):
            world.publish(name)
        build(world.lake, world.project)
    yield world
    world.close()


def test_every_block_is_tried(world: World) -> None:
    assert len(FILES) == len(re.findall("```(?:python|yaml)", DOC)) == 6
    assert set(world.project.functions) == {"event_counts", "engagement", "spend", "visits"}


def test_events_are_counted_by_type(world: World) -> None:
    assert world.rows("event_counts") == {"ann": {"page_viewed": 6, "clicked": 1, "order_completed": 2}}


def test_transformations_drop_events_and_their_errors_are_listed(world: World) -> None:
    rows = world.rows("crm_people")
    assert rows.pop("ann") == {"views": 4, "best": 4, "engaged": True}
    assert list(rows.values()) == [{"views": 1, "best": 1, "engaged": False}]
    kind, text = world.errors("engagement")["ann"]
    assert kind == "transform"
    assert text.splitlines()[-1].startswith("TypeError: argument of type 'int'")


def test_a_decorator_says_the_config(world: World) -> None:
    assert world.project.functions["visits"].config.window == 30
    assert world.rows("visits") == {"ann": {"visits": 7}}


def test_the_batch_function_sums(world: World) -> None:
    assert world.rows("spend") == {"ann": {"total_sum": 20.0, "event_count": 2}}


def test_traits_of_functions_are_columns(world: World) -> None:
    columns = "page_views, spent, pages_per_euro"
    assert world.query(f'SELECT {columns} FROM profiles."user" WHERE spent IS NOT NULL') == [(6, 20.0, 0.3)]


def test_every_key_and_command_is_mentioned() -> None:
    for name in (*FunctionConfig.model_fields, *KEYS):
        assert re.search(rf"\b{name}\b", DOC), name
    for command in re.findall(r"^profiles (\w+)|`profiles (\w+)", DOC, re.MULTILINE):
        assert "".join(command) in COMMANDS
