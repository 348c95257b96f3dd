"""Training rows of a handful of people whose every event is written out."""

import json
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from ml.dates import Calendar
from ml.training import TABLE, read_training, stage_training
from profiles_assets.events.load import load_events
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.loader import load_project
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


EVENTS = [
    visit(1, user_id="buyer"),
    buy(2, 10, user_id="buyer"),
    buy(2, 5, user_id="buyer"),
    buy(6, 60, user_id="buyer"),
    visit(3, user_id="newcomer"),
    buy(15, 30, user_id="newcomer"),
    buy(16, 1, user_id="newcomer"),
    visit(21, user_id="newcomer"),
    visit(0, anonymous_id="merges soon"),
    buy(3, 44, user_id="soon"),
    visit(14, anonymous_id="merges soon", user_id="soon"),
    buy(18, 20, user_id="soon"),
    visit(0, anonymous_id="merges later"),
    visit(1, user_id="later"),
    visit(25, anonymous_id="merges later", user_id="later"),
    visit(1, user_id="late"),
    event(8, "bought", total=500, user_id="late", load=13),
    visit(30, user_id="last"),
]
CALENDAR = Calendar(START + timedelta(days=30), 10, (START + timedelta(days=10), START + timedelta(days=20)))
Key = tuple[int, str]


def write(root: Path, events: Iterable[Event], name: str = "a") -> None:
    lines: dict[int, list[str]] = {}
    for number, one in enumerate(events):
        time = f"{START + timedelta(days=one['day'])}T10:00:{number % 60:02}Z"
        lines.setdefault(one["load"] if "load" in one else one["day"], []).append(json.dumps(one | {"time": time}))
    for day, texts in lines.items():
        folder = root / "landing" / str(START + timedelta(days=day))
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.jsonl").write_text("\n".join(texts) + "\n")


class Shop:
    """A lake with these events and the training rows it gives."""

    def __init__(self, root: Path, *order: int) -> None:
        """Days are loaded together, or one by one in an order."""
        for name, text in FILES.items():
            file = root / name
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)
        self.root, self.project, self.lake = root, load_project(root), Lake(root=str(root / "lake"))
        write(root, EVENTS)
        for day in order:
            load_events(self.lake, self.project, "events", [START + timedelta(days=day)])
            update_evidence(self.lake, self.project)
        self.add(*EVENTS)

    def add(self, *events: Event, name: str = "a") -> None:
        write(self.root, events, name)
        load_events(self.lake, self.project, "events")
        update_evidence(self.lake, self.project)
        update_stitched(self.lake, self.project, "user")

    def rows(self, predict: str = "sum bought.total", **keys: Any) -> dict[Key, dict[str, Any]]:
        """Rows by day of the cut and oldest id of the person as of the cut."""
        asked = forecast(predict, "10 days", **keys)
        with self.lake.get_connection() as con:
            stage_training(con, self.project, asked, CALENDAR)
            oldest = " UNION ALL ".join(
                f"SELECT DATE '{cut}' AS _as_of, n.profile_id, arg_min(s.value, n.age) AS who FROM nodes_{number} n "
                "JOIN identity.stitched_ids s USING (key) GROUP BY ALL"
                for number, cut in enumerate(CALENDAR.cuts)
            )
            found = con.sql(f"FROM {TABLE} JOIN ({oldest}) USING (_as_of, profile_id)").to_arrow_table()
        return {((row["_as_of"] - START).days, row.pop("who")): row for row in found.to_pylist()}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return Shop(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def rows(shop: Shop) -> dict[Key, dict[str, Any]]:
    return shop.rows()


def test_features_are_as_of_the_cut_and_labels_of_the_window_after_it(rows: dict[Key, dict[str, Any]]) -> None:
    spend = {key: (row["spend"], row["_label"]) for key, row in rows.items() if key[1] in ("buyer", "newcomer")}
    assert spend == {
        (10, "buyer"): (75, 0), (20, "buyer"): (75, 0), (10, "newcomer"): (0, 31), (20, "newcomer"): (31, 0),
    }  # fmt: skip
    assert rows[10, "newcomer"]["visits"] == 1
    assert "last" not in {who for _, who in rows}


def test_purchases_of_a_day_are_one_and_the_first_says_nothing_of_their_value(
    rows: dict[Key, dict[str, Any]],
) -> None:
    names = ("_frequency", "_recency", "_age", "_monetary", "_recent")
    assert [rows[10, "buyer"][name] for name in names] == [1, 4, 8, 60, 75]
    assert [rows[10, "newcomer"][name] for name in names] == [None] * 5


@pytest.mark.parametrize(("predict", "label"), [("no bought", 0), ("bought", 1), ("count bought", 2)])
def test_each_goal_has_its_label(shop: Shop, predict: str, label: float) -> None:
    assert shop.rows(predict)[10, "newcomer"]["_label"] == label


def test_people_who_merge_within_the_window_count_once(rows: dict[Key, dict[str, Any]]) -> None:
    assert (10, "soon") not in rows
    merged = rows[10, "merges soon"]
    assert (merged["spend"], merged["_label"]) == (0, 20)  # known as of the cut, and done by both together
    assert rows[20, "merges soon"]["spend"] == 64


def test_people_who_merge_later_are_rows_of_one_person_today(rows: dict[Key, dict[str, Any]]) -> None:
    pair = [rows[10, "merges later"], rows[10, "later"]]
    assert pair[0]["profile_id"] != pair[1]["profile_id"]
    assert pair[0]["_person"] == pair[1]["_person"]


def test_events_count_from_the_day_they_arrive(rows: dict[Key, dict[str, Any]]) -> None:
    seen = {cut: (rows[cut, "late"]["spend"], rows[cut, "late"]["_label"]) for cut in (10, 20)}
    assert seen == {10: (0, 0), 20: (500, 0)}


def test_later_events_leave_old_rows_as_they_are(tmp_path: Path) -> None:
    shop = Shop(tmp_path)
    before = shop.rows()
    more = [buy(31, 99, user_id="buyer"), visit(32, user_id="new")]
    shop.add(*more, event(9, "bought", total=7, user_id="newcomer", load=33), name="b")
    assert shop.rows() == before


def test_the_order_in_which_partitions_arrive_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    other = Shop(tmp_path, 21, 6, 15)
    prints = []
    for one in (shop, other):
        with one.lake.get_connection() as con:
            prints.append(read_training(con, stage_training(con, one.project, forecast("bought", "10 days"), CALENDAR)))
    assert prints[0].fingerprint == prints[1].fingerprint
    assert prints[0].rows.frame.equals(prints[1].rows.frame)


def test_among_is_judged_as_of_the_cut(shop: Shop) -> None:
    rows = shop.rows(among={"spend": "> 0"})
    assert set(rows) == {
        (10, "buyer"), (10, "soon"), (20, "buyer"), (20, "newcomer"), (20, "merges soon"), (20, "late"),
    }  # fmt: skip
