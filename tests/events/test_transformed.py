"""Transformations of a source: what comes out of its records, what is counted, and what a changed one changes."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.events.checks import records_reconcile
from profiles_assets.events.load import load_events
from profiles_assets.events.report import LoadReport
from profiles_assets.events.sample import sample_project
from profiles_assets.events.transformed import NEXT, Tally, Transformer
from profiles_assets.project.loader import load_project
from profiles_assets.project.problems import ProjectError
from profiles_assets.project.sources import Source
from tests.events.shop import OpenLake

DOC = (Path(__file__).parents[2] / "docs" / "sources.md").read_text()
FILES = {
    "project.yml": "name: shop\nentities: {user: {ids: {user_id: {}}}}\n",
    "sources.yml": "sources: {app: {files: 'landing/{day}/*.jsonl', event_id: id, time: at, event: event, "
    "ids: {user_id: user}, transform: ['functions/t.py:first', 'functions/t.py:second']}}\n",
    "traits/all.yml": "traits: {paid: {sum: bought.total}}\n",
}
CODE = """
def first(event):
    kind = event.get("kind")
    if kind == "dropped":
        return None
    if kind == "fanned":
        return [event, {**event, "event": "bought", "total": 5}, {**event, "id": "own", "event": "bought", "total": 7}]
    if kind == "empty":
        return []
    if kind == "fails":
        event.clear()
        raise ValueError(f"no {event} of mine")
    if kind == "tells":
        raise ValueError("secret letter of " + event["text"])
    if kind == "odd":
        return 7
    if kind == "unwritable":
        return {**event, "x": {1, 2}}
    return event

def second(event):
    return {**event, "total": 10 * event["total"]} if "total" in event else event
"""
KINDS = ["plain", "dropped", "fanned", "empty", "fails", "tells", "odd", "unwritable"]


class App:
    """A project with one transformed source, and its lake."""

    def __init__(self, root: Path, code: str = CODE) -> None:
        self.root = root
        for name, text in {**FILES, "functions/t.py": code}.items():
            self.write(name, text)
        self.lake = OpenLake(root=str(root / ".lake"), threads=1)

    def write(self, name: str, text: str) -> None:
        (self.root / name).parent.mkdir(parents=True, exist_ok=True)
        (self.root / name).write_text(text)

    def land(self, day: int, *events: dict[str, Any]) -> None:
        lines = "".join(json.dumps({"at": f"2025-01-0{day}T10:00:00Z", "event": "seen"} | e) + "\n" for e in events)
        self.write(f"landing/2025-01-0{day}/a.jsonl", lines)

    def load(self, days: list[date] | None = None) -> LoadReport:
        return load_events(self.lake, load_project(self.root), "app", days)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with self.lake.get_connection() as con:
            return con.execute(sql).fetchall()

    def rows(self) -> list[tuple[Any, ...]]:
        return self.query(f"SELECT position % {NEXT}, event_id, event, p_total FROM raw_events.app ORDER BY day, 1, 2")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    app = App(tmp_path)
    app.land(1, *({"id": str(n), "user": f"u{n}", "kind": k, "text": "dear diary"} for n, k in enumerate(KINDS)))
    yield app
    app.lake.close()


def test_events_are_kept_dropped_and_fanned_out_and_errors_keep_them_as_they_were(app: App) -> None:
    report = app.load()
    assert app.rows() == [
        (1, "0", "seen", None),
        (3, "2", "seen", None),
        (3, "2#2", "bought", 50.0),
        (3, "own", "bought", 70.0),
        (5, "4", "seen", None),
        (6, "5", "seen", None),
        (7, "6", "seen", None),
        (8, "7", "seen", None),
    ]
    assert report.transformed == {"changed": 1, "dropped": 2, "added": 2, "failed": 4}
    assert (report.records, report.loaded, report.duplicates, report.rejected) == (8, 8, 0, {})
    assert app.query("SELECT outcome, records FROM ops.transformed WHERE position IS NULL ORDER BY 1") == [
        ("added", 2),
        ("changed", 1),
        ("dropped", 2),
        ("failed", 4),
    ]
    with app.lake.get_connection() as con:
        assert records_reconcile(con, "app")[0]


def test_errors_are_listed_without_personal_values(app: App) -> None:
    app.load()
    told = dict(app.query("SELECT position, error FROM ops.transformed WHERE position IS NOT NULL"))
    assert told.keys() == {5, 6, 7, 8}
    assert told[6].endswith("ValueError: secret letter of ***")
    assert told[6].startswith("functions/t.py:14 in first")
    assert "a transformation returns an event" in told[7]
    assert "not JSON serializable" in told[8]


def test_loading_again_changes_nothing_and_a_changed_file_replaces_its_rows(app: App) -> None:
    app.load()
    before = app.rows(), app.query("FROM ops.transformed ORDER BY ALL")
    assert app.load().files == 0
    assert (app.rows(), app.query("FROM ops.transformed ORDER BY ALL")) == before
    app.land(1, {"id": "9", "kind": "dropped"}, {"id": "10", "event": "bought", "total": 1, "user": "x"})
    assert app.load().transformed == {"changed": 1, "dropped": 1}
    assert app.rows() == [(2, "10", "bought", 10.0)]
    assert len(app.query("FROM ops.transformed")) == 2


def test_a_changed_transformation_reads_the_files_again_that_are_there(app: App) -> None:
    app.land(2, {"id": "20", "event": "bought", "total": 1, "user": "x"})
    app.load()
    (app.root / "landing/2025-01-01/a.jsonl").unlink()
    first_day = app.query("FROM raw_events.app WHERE day = '2025-01-01' ORDER BY ALL")
    app.write("functions/t.py", CODE.replace("10 *", "100 *"))
    report = app.load([date(2025, 1, 9)])
    assert report.days == (date(2025, 1, 2),), "of whatever days a run is"
    assert app.query("SELECT p_total FROM raw_events.app WHERE day = '2025-01-02'") == [(100.0,)]
    assert app.query("FROM raw_events.app WHERE day = '2025-01-01' ORDER BY ALL") == first_day
    assert app.load().files == 0


def test_incremental_equals_full(app: App, tmp_path: Path) -> None:
    app.load()
    app.land(2, {"id": "3", "kind": "fanned", "user": "x"}, {"id": "2#2", "user": "x"})
    app.load()
    whole = App(tmp_path / "whole")
    for day in (1, 2):
        file = f"landing/2025-01-0{day}/a.jsonl"
        whole.write(file, (app.root / file).read_text())
    whole.load()
    query = "SELECT day, position, event_id, event, duplicate, payload, p_total FROM raw_events.app ORDER BY ALL"
    assert whole.query(query) == app.query(query)
    assert app.query("SELECT event_id FROM raw_events.app WHERE duplicate") == [("own",), ("2#2",)]
    whole.lake.close()


def test_a_loop_without_end_keeps_its_record(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiles_assets.events.transformed.SECONDS", 0.1)
    loops = "def first(event):\n    while event['id'] == '0':\n        pass\n    return event\n"
    app.write("functions/t.py", loops + "\ndef second(event):\n    return event\n")
    assert app.load().transformed == {"failed": 1}
    assert app.query("SELECT error FROM ops.transformed WHERE position = 1") == [("it took longer than 0.1 seconds",)]
    assert len(app.rows()) == len(KINDS)


def test_what_is_no_json_is_a_reject_as_ever(app: App) -> None:
    file = app.root / "landing/2025-01-01/a.jsonl"
    file.write_text('{"broken\n[1]\n' + file.read_text())
    assert app.load().rejected == {"not a JSON object": 1, "not valid JSON": 1}


def test_samples_for_validation_are_transformed_too(app: App) -> None:
    sample = sample_project(load_project(app.root), str(app.root))["app"]
    assert sample.records == {"seen": 6, "bought": 2}


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("functions/t.py:frist", 'sources.yml:1: "functions/t.py" has no function "frist"; did you mean "first"?'),
        ("functions/x.py:first", 'there is no file "functions/x.py" in the project; did you mean "functions/t.py"?'),
        ("functions/t.py", '"functions/t.py" is no function; write its file and name'),
        ("functions/t.py:two", 'function "two" takes (event, context); write def two(event)'),
    ],
)
def test_wrong_ones_are_refused(tmp_path: Path, name: str, words: str) -> None:
    app = App(tmp_path, CODE + "\ndef two(event, context):\n    return event\n")
    app.write("sources.yml", FILES["sources.yml"].replace("functions/t.py:first", name))
    with pytest.raises(ProjectError) as error:
        load_project(tmp_path)
    assert words in str(error.value)


def test_csv_records_are_transformed_by_the_names_of_their_columns(app: App) -> None:
    app.write("sources.yml", FILES["sources.yml"].replace("jsonl", "csv"))
    app.write(
        "functions/t.py", "def first(event):\n    return [event, event]\n\ndef second(event):\n    return event\n"
    )
    app.write("landing/2025-01-01/a.csv", "id,at,event,user\n7,2025-01-01,seen,u\n")
    app.load()
    assert app.query("SELECT event_id FROM raw_events.app ORDER BY 1") == [("7",), ("7#2",)]


def test_the_example_of_the_docs(tmp_path: Path) -> None:
    blocks = dict(re.findall(r"```(?:yaml|python)\n# (\S+/app\.\w+)\n(.*?)```", DOC, re.DOTALL))
    app = App(tmp_path)
    (tmp_path / "sources.yml").unlink()
    for name, text in blocks.items():
        app.write(name, text)
    lines = [{"sku": "a"}, {"sku": "b"}]
    told = [{"id": "1", "user": "u", "event": "bought", "lines": lines}, {"id": "2", "user": "test-1"}]
    app.write("landing/app/2025-01-01/a.jsonl", "".join(json.dumps({"at": "2025-01-01", **e}) + "\n" for e in told))
    app.load()
    assert app.query("SELECT event_id, event, payload->>'sku' FROM raw_events.app ORDER BY 1") == [
        ("1", "bought", None),
        ("1#2", "line_bought", "a"),
        ("1#3", "line_bought", "b"),
    ]
    app.lake.close()


OUTCOMES = st.lists(st.sampled_from(["keep", "drop", "none", "two", "change", "fail"]), min_size=1, max_size=12)
DRAWN = """
def act(event):
    what = event["what"]
    if what == "fail":
        raise KeyError(what)
    return {"keep": event, "drop": "drop", "none": [], "two": [event, event], "change": {**event, "n": 1}}[what]
"""


def check_counts(outcomes: list[str]) -> None:
    """Counts and texts against what each record says of itself."""
    source = Source.model_validate(
        {"files": "a.jsonl", "time": "t", "event_is": "e", "event_id": "id", "ids": {"u": "u"},
         "transform": ["t.py:act"]}
    )  # fmt: skip
    source._code = {"t.py": DRAWN}
    tally, found = Tally(), list[list[str]]()
    for number, what in enumerate(outcomes):
        found.append(Transformer(source).texts(json.dumps({"id": str(number), "what": what}), number, tally))
    sizes = {"drop": 0, "none": 0, "two": 2}
    assert [len(texts) for texts in found] == [sizes.get(what, 1) for what in outcomes]
    ids = [json.loads(text)["id"] for texts in found for text in texts]
    assert len(set(ids)) == len(ids)
    assert tally.counts["dropped"] == outcomes.count("drop") + outcomes.count("none")
    assert (tally.counts["added"], tally.counts["failed"]) == (outcomes.count("two"), outcomes.count("fail"))
    assert [position for position, _ in tally.errors] == [n for n, what in enumerate(outcomes) if what == "fail"]
    untouched = [texts for texts, what in zip(found, outcomes, strict=True) if what in ("keep", "fail")]
    assert all('": "' in texts[0] for texts in untouched), "the text is as it arrived, spaces included"


@settings(max_examples=10, deadline=None)
@given(outcomes=OUTCOMES)
def test_what_comes_out_is_counted(outcomes: list[str]) -> None:
    check_counts(outcomes)


@pytest.mark.long
@settings(max_examples=2_000, deadline=None)
@given(outcomes=OUTCOMES)
def test_what_comes_out_is_counted_long(outcomes: list[str]) -> None:
    check_counts(outcomes)
