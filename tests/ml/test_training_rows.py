"""Training rows of a handful of people whose every event is written out."""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ml.dates import Calendar
from ml.errors import PredictionError
from ml.training import TABLE, stage_training
from profiles_assets.events.load import load_events
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Project
from resources.lake import Lake
from tests.ml.predicting import forecast

START = date(2025, 1, 1)
FILES = {
    "project.yml": "name: tiny\nentities: {user: {ids: {user_id: {}, anonymous_id: {}}}}\nstart: 2025-01-01\n",
    "sources.yml": """
sources:
  events:
    files: landing/{day}/*.jsonl
    time: time
    event: event
    ids: {user_id: user_id, anonymous_id: anonymous_id}
    types: {total: number}
""",
    "traits/all.yml": """
traits:
  visits: {count: visited}
  spend: {sum: bought.total, unless_none: 0}
  last_total: {latest: bought.total}
  vip: {exists: bought, where: {total: "> 50"}}
  page: {latest: visited.page}
  pages: {unique: visited.page}
  seen_at: {latest: visited.time}
""",
}
Event = dict[str, Any]


def event(day: int, name: str, **keys: Any) -> Event:
    return {"day": day, "event": name, **keys}


def visit(day: int, **ids: str) -> Event:
    return event(day, "visited", page="home", **ids)


def buy(day: int, total: float, **ids: str) -> Event:
    return event(day, "bought", total=total, **ids)


BASE = [
    visit(0, anonymous_id="a1"),
    visit(1, user_id="u1"),
    buy(2, 10, user_id="u1"),
    buy(2, 5, user_id="u1"),
    buy(6, 60, user_id="u1"),
    visit(3, user_id="u2"),
    visit(4, anonymous_id="a3"),
    visit(5, user_id="u3"),
    buy(12, 20, anonymous_id="a1"),
    buy(15, 30, user_id="u2"),
    visit(21, user_id="u2"),
    visit(30, user_id="u2"),
]
CALENDAR = Calendar(START + timedelta(days=30), 10, (START + timedelta(days=10), START + timedelta(days=20)))


def write(root: Path, events: Iterable[Event], name: str = "a") -> None:
    lines: dict[int, list[str]] = {}
    for number, one in enumerate(events):
        time = f"{START + timedelta(days=one['day'])}T10:00:{number % 60:02}Z"
        lines.setdefault(one["load"] if "load" in one else one["day"], []).append(json.dumps(one | {"time": time}))
    for day, texts in lines.items():
        folder = root / "landing" / str(START + timedelta(days=day))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jsonl").write_text("\n".join(texts) + "\n")


def load(lake: Lake, project: Project) -> None:
    load_events(lake, project, "events")
    update_evidence(lake, project)
    update_stitched(lake, project, "user")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    return tmp_path


class Shop:
    """A lake with the base events and some more, and training rows of it."""

    def __init__(self, root: Path, *more: Event) -> None:
        write(root, [*BASE, *more])
        self.root, self.project, self.lake = root, load_project(root), Lake(root=str(root / "lake"))
        load(self.lake, self.project)

    def add(self, *events: Event) -> None:
        write(self.root, events, "later")
        load(self.lake, self.project)

    def rows(self, predict: str = "sum bought.total", **keys: Any) -> dict[tuple[int, str], dict[str, Any]]:
        """Rows by (day of the cut, smallest id of the person then)."""
        asked = forecast(predict, "10 days", **keys)
        with self.lake.get_connection() as con:
            self.features = stage_training(con, self.project, asked, CALENDAR)
            found = con.execute(
                f"SELECT r.*, s.value AS who FROM {TABLE} r "
                "JOIN (SELECT profile_id, arg_min(value, (first_day, first_seen, key)) AS value "
                "FROM identity.stitched_ids GROUP BY ALL) s ON s.profile_id = r._person ORDER BY ALL"
            )
            names = [column[0] for column in found.description]
            rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
        return {((row["_as_of"] - START).days, row["who"] + row["profile_id"][:0]): row for row in rows}


def test_features_are_as_of_the_cut_and_labels_of_the_window_after_it(root: Path) -> None:
    rows = Shop(root).rows()
    assert rows[10, "u1"]["spend"] == 75
    assert rows[10, "u1"]["_label"] == 0
    assert rows[10, "u2"]["spend"] == 0
    assert rows[10, "u2"]["_label"] == 30
    assert rows[20, "u2"]["spend"] == 30
    assert rows[20, "u2"]["_label"] == 0
    assert rows[10, "u2"]["visits"] == 1


def test_purchases_of_a_day_are_one_and_the_first_says_nothing_of_their_value(root: Path) -> None:
    row = Shop(root).rows()[10, "u1"]
    history = [row[name] for name in ("_frequency", "_recency", "_age", "_monetary", "_recent")]
    assert history == [1, 4, 8, 60, 75]
    row = Shop(root).rows()[10, "u3"]
    assert row["_frequency"] is None


@pytest.mark.parametrize(("predict", "label"), [("no bought", 0), ("bought", 1), ("count bought", 2)])
def test_each_goal_has_its_label(root: Path, predict: str, label: float) -> None:
    rows = Shop(root, buy(16, 1, user_id="u2")).rows(predict)
    assert rows[10, "u2"]["_label"] == label


def test_people_who_merge_within_the_window_count_once(root: Path) -> None:
    shop = Shop(root, visit(14, anonymous_id="a1", user_id="u1"))
    rows = [row for (cut, _), row in shop.rows().items() if cut == 10]
    assert len(rows) == 4
    merged = shop.rows()[10, "a1"]
    assert merged["_label"] == 20
    assert merged["spend"] == 0  # the older one's, as of the cut


def test_people_who_merge_later_are_rows_of_one_person(root: Path) -> None:
    apart = Shop(root).rows()
    together = Shop(root, visit(25, anonymous_id="a1", user_id="u1"))
    with together.lake.get_connection() as con:
        stage_training(con, together.project, forecast("bought", "10 days"), CALENDAR)
        found = con.execute(
            f"SELECT _as_of, _person, count(*), count(DISTINCT profile_id) FROM {TABLE} GROUP BY ALL "
            "HAVING count(*) > 1"
        ).fetchall()
    assert [(row[0], *row[2:]) for row in found] == [(CALENDAR.cuts[0], 2, 2)]
    assert len(apart) == 10


def test_later_events_leave_old_rows_as_they_are(root: Path) -> None:
    shop = Shop(root)
    before = shop.rows()
    shop.add(buy(31, 99, user_id="u1"), visit(32, user_id="u9"), event(9, "bought", total=7, user_id="u2", load=33))
    assert shop.rows() == before


def test_late_events_count_for_nothing_before_they_arrive(root: Path) -> None:
    late = event(8, "bought", total=500, user_id="u2", load=13)
    rows = Shop(root, late).rows()
    assert rows[10, "u2"]["spend"] == 0
    assert rows[10, "u2"]["_label"] == 30
    assert rows[20, "u2"]["spend"] == 530


def test_features_are_numbers_booleans_and_text(root: Path) -> None:
    shop = Shop(root)
    shop.rows()
    assert shop.features == {
        "last_total": "DOUBLE", "page": "VARCHAR", "spend": "DOUBLE", "vip": "DOUBLE", "visits": "DOUBLE",
    }  # fmt: skip


def test_features_can_be_chosen(root: Path) -> None:
    shop = Shop(root)
    shop.rows(features={"include": ["spend", "visits"], "exclude": ["visits"]})
    assert list(shop.features) == ["spend"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("pages", "VARCHAR\\[\\]"), ("seen_at", "TIMESTAMP"), ("nothing", "no such trait")],
)
def test_a_feature_that_cannot_be_used_is_told(root: Path, name: str, reason: str) -> None:
    with pytest.raises(PredictionError, match=f"{name} cannot be a feature: .*{reason}"):
        Shop(root).rows(features={"include": [name]})


def test_among_is_judged_as_of_the_cut(root: Path) -> None:
    rows = Shop(root).rows(among={"spend": "> 0"})
    assert set(rows) == {(10, "u1"), (20, "u1"), (20, "u2"), (20, "a1")}
