"""Whatever happened to a project, in whatever order: the lake is the same as if all were made again now."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from profiles_assets import path
from profiles_assets.cli.erase_steps import Erasing
from profiles_assets.events.load import load_events
from profiles_assets.identity.erasure_person import ErasureError
from profiles_assets.identity.rules import add_rule, remove_rule
from profiles_assets.project.rules import make_ruling
from resources.lake import Con
from resources.tables import exists
from tests.moving import TRAITS, Moving
from tests.test_moving import File, files

usual = settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(usual, max_examples=2_000)
TODAY = date(2025, 3, 1)
MORE = {
    "metrics/all.yml": "metrics:\n  revenue: {sum: bought.total}\n",
    "funnels/all.yml": "funnels:\n  buying: {steps: [viewed, bought]}\n",
    "models/cities.sql": "SELECT city, count(*) AS events FROM web WHERE city IS NOT NULL GROUP BY city",
    "audiences/all.yml": 'audiences:\n  buyers: {all: [{spend: "> 5"}]}\n',
    "views/all.yml": "views:\n  by_email: {key: email, traits: [spend, orders]}\n",
}
EDITS = {
    "orders_2d": ["{count: bought, within: 4 days}", "{count: viewed, within: 2 days}"],
    "city": ["{first: bought.city}", '{sql: "max(city)", from: bought, type: text}'],
    "favourite": ["{most_frequent: bought.city, within: 3 days}", ""],
    "more": ["{unique_count: bought.city}", "{sum: bought.total, within: 5 days}"],
}
IDS = ["user_id:u1", "user_id:u2", "user_id:u3", "email:a@x.org", "email:b@x.org", "device_id:d1", "device_id:d2"]
OWN = {"ops.progress", "ops.publications", "ops.erasures", "identity.identity_log", "audiences.log"}
Step = tuple[str, Any]
one_or_two = {"quarantine": 1, "allow": 1, "link": 2, "unlink": 2}


@dataclass
class Whole(Moving):
    """A project with something of every stage, refreshed by the whole path."""

    def __post_init__(self) -> None:
        for name, text in MORE.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text)
        super().__post_init__()

    def refresh(self) -> dict[str, Any]:
        """Load what there is and bring everything up to date."""
        load_events(self.lake, self.project, "web", allow_shrink=True)
        path.refresh(self.lake, self.project)
        return {}

    def rebuild(self) -> dict[str, Any]:
        """Make everything but the raw events again, in place."""
        self.lake.write(_forget)
        return self.refresh()

    def follow(self, step: Step) -> None:
        """Do one thing that can happen to a project."""
        kind, told = step
        if kind == "file":
            self.put(*told)
        elif kind == "trait":
            name, text = told
            lines = [line for line in TRAITS.splitlines() if not line.startswith(f"  {name}:")]
            self.write("\n".join([*lines, f"  {name}: {text}" if text else ""]))
        elif self.landed() and kind == "refresh":
            self.refresh()
        elif self.founded() and kind == "rule":
            ids = {"user": list(self.project.entities["user"].ids)}
            add_rule(self.lake, make_ruling(told[0], told[1], ids, why="a test"), TODAY)
        elif self.founded() and kind == "no rule":
            remove_rule(self.lake, "user", told)
        elif self.founded():
            with suppress(ErasureError):  # nobody has this id
                Erasing(self.lake, self.project, self.root / ".dagster", verify=False).run((told,), "erase", TODAY)

    def landed(self) -> bool:
        """True when there are files."""
        return any((self.root / "landing").rglob("*.jsonl"))

    def founded(self) -> bool:
        """True when something has been loaded."""
        return (self.root / ".lake" / "founded").exists()

    def tables(self) -> dict[str, list[str]]:
        """All rows of all tables, sorted."""
        with self.lake.get_connection() as con:
            named = con.execute(
                "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE database_name = 'lake'"
            ).fetchall()
            names = sorted({name for (name,) in named} - OWN)
            return {name: sorted(map(str, con.execute(f"FROM {name}").fetchall())) for name in names}


def _forget(con: Con) -> None:
    con.execute("DELETE FROM ops.progress WHERE step NOT LIKE 'raw_%'")
    if exists(con, "identity.id_edges"):
        con.execute("DELETE FROM identity.id_edges")


@st.composite
def steps(draw: st.DrawFn) -> Step:
    kind = draw(st.sampled_from(["file"] * 6 + ["refresh"] * 3 + ["rule", "rule", "no rule", "trait", "erase"]))
    if kind == "file":
        told: File = draw(files())
        return kind, told
    if kind == "rule":
        action = draw(st.sampled_from(sorted(one_or_two)))
        wanted = one_or_two[action]
        return kind, (action, draw(st.lists(st.sampled_from(IDS), min_size=wanted, max_size=wanted, unique=True)))
    if kind == "trait":
        name = draw(st.sampled_from(sorted(EDITS)))
        return kind, (name, draw(st.sampled_from(EDITS[name])))
    choices = {"no rule": st.integers(1, 3), "erase": st.sampled_from(IDS), "refresh": st.none()}
    return kind, draw(choices[kind])


histories = st.lists(steps(), min_size=6, max_size=14)


def check(history: list[Step]) -> None:
    with TemporaryDirectory() as folder:
        project = Whole(Path(folder))
        for step in history:
            project.follow(step)
        if project.landed():
            project.refresh()
            before = project.tables()
            project.rebuild()
            after = project.tables()
            assert before.keys() == after.keys()
            for name, rows in before.items():
                assert after[name] == rows, name
        project.lake.close()


@usual
@given(histories)
def test_after_any_history_everything_is_as_if_made_again(history: list[Step]) -> None:
    check(history)


@pytest.mark.long
@many
@given(histories)
def test_after_any_history_everything_is_as_if_made_again_long(history: list[Step]) -> None:
    check(history)
