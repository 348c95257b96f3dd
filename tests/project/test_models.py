"""Models in a project: what is refused, where and with which words, and what is read of which table."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles_assets.project.check_models import model_problems
from profiles_assets.project.draft import Draft
from profiles_assets.project.loader import read_draft
from profiles_assets.project.model_uses import used_in_models
from profiles_assets.project.models import read_model
from profiles_assets.project.problems import ProjectError

PROJECT = "name: small\nentities: {user: {ids: {user_id: {}, email: {}}}, account: {ids: {account_id: {}}}}\n"
SOURCES = """sources:
  orders: {files: o/*.csv, time: at, event_is: bought, ids: {user_id: id, email: mail}, types: {total: number}}
  tracks: {files: t/*.csv, time: at, event: name, ids: {user_id: id}}
  firms: {files: f/*.csv, time: at, event_is: firm, ids: {account_id: id}}
  crm: {kind: records, key: id, files: c/*.csv, ids: {user_id: id}}
"""
TRAITS = """traits:
  spent: {sum: bought.total}
  since: {days_since: bought}
  risky: {ratio: [churn, spent]}
"""
HABITS = "traits: {visits: {count: bought}}\n"
PREDICTIONS = "predictions: {churn: {predict: no bought, over: 30 days}}\n"
FUNNELS = "funnels: {checkout: {steps: [bought, firm]}}\n"

Problems = Callable[..., list[str]]


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")


@pytest.fixture
def problems(tmp_path: Path) -> Problems:
    """Problems of models, given by name, and of sources made from them."""

    def run(sources: str = "", **models: str) -> list[str]:
        texts = {"project.yml": PROJECT, "sources.yml": SOURCES + sources, "traits/commerce.yml": TRAITS}
        texts |= {"traits/habits.yml": HABITS, "predictions/p.yml": PREDICTIONS, "funnels/f.yml": FUNNELS}
        write(tmp_path, texts | {f"models/{name}.sql": sql for name, sql in models.items()})
        draft = read_draft(tmp_path)
        found = [*draft.problems, *model_problems(draft)]
        return str(ProjectError(found)).splitlines() if found else []

    return run


FINE = """
SELECT total, user_id, orders.cart.id AS cart, "a.b" AS ab, load_day FROM orders
SELECT profile_id, spent, since, visits FROM commerce JOIN habits USING (profile_id)
SELECT profile_id, checkout_step FROM checkout
WITH orders AS (SELECT user_id, total AS t FROM orders) SELECT *, t AS again FROM orders
SELECT o.total, t.total AS other FROM orders o LEFT JOIN tracks t ON t.user_id = o.user_id AND t.time < o.time
SELECT spent, total FROM commerce c JOIN orders USING (profile_id)
SELECT user_id, total * 2 AS twice, twice + 1 AS more FROM orders WHERE twice > 2 ORDER BY more
SELECT upper(city) AS city FROM orders WHERE city = 'x' GROUP BY ALL
SELECT o.total, item FROM orders o, unnest(string_split(o.items, ',')) u(item)
SELECT list_transform(tags, lambda tag: tag || suffix) AS tags FROM tracks
SELECT event, count(*) AS n FROM tracks t WHERE day > as_of - 3 AND EXISTS (FROM firms o WHERE o.id = t.id) GROUP BY 1
SELECT row_number() OVER (PARTITION BY user_id ORDER BY time) AS n FROM orders QUALIFY n = 1
SELECT (SELECT max(v.time) FROM tracks v WHERE v.user_id = o.user_id) AS last FROM orders o ORDER BY last LIMIT 5
SELECT id_type, count(DISTINCT value) AS n FROM stitched_ids GROUP BY id_type UNION ALL SELECT 'x', i FROM range(3) r(i)
SELECT total::DECIMAL(10, 2) AS t, time AT TIME ZONE 'UTC' AS local, email ~ 'a.*' AS a FROM orders;
SELECT total FROM ORDERS AS o
""".strip().splitlines()


@pytest.mark.parametrize("sql", FINE)
def test_fine(problems: Problems, sql: str) -> None:
    assert problems(model=sql) == []


WRONG = {
    "SELECT total\nFROM orderz": '2: unknown table "orderz"; did you mean "orders"?',
    "SELECT spend FROM commerce": '1: unknown column "spend"; did you mean "spent"?',
    "SELECT c.spend FROM commerce c": '1: "c" has no column "spend"; did you mean "spent"?',
    "SELECT risky FROM commerce": '1: unknown column "risky"',
    "SELECT total\nFROM orders JOIN tracks USING (user_id) WHERE price > 1": (
        '2: "price" could come from orders or tracks; write orders.price'
    ),
    "SELECT time FROM orders, tracks": '1: "time" could come from orders or tracks; write orders.time',
    "SELECT\n* FROM orders": '2: * stands for all columns, but events of the source "orders" have no fixed ones',
    "SELECT t.* FROM tracks t": "name the columns, such as t.time",
    "SELECT total, Total AS t FROM orders": '1: "Total" and "total" differ only in capital letters',
    "SELECT profile_id FROM firms": '1: the source "firms" has no id of user, so its events have no profile_id',
    "SELECT total, count(*) FROM orders GROUP BY ALL": "1: column 2 has no name; give it one with AS",
    "SELECT orders.a.b FROM orders": "1: column 1 has no name",
    "SELECT total, time AS total FROM orders": '1: two columns are called "total"',
    "SELECT a FROM orders o(a)": "1: a source cannot have its columns renamed here",
    "SELECT now() AS a FROM orders": "1: now depends on when it runs; use as_of, the day that is asked about",
    "SELECT total,\n current_date AS d FROM orders": "2: current_date depends on when it runs",
    "SELECT age(time) AS d FROM orders": "1: age depends on when it runs",
    "SELECT random() AS a FROM orders": "1: random differs with every run",
    "SELECT uuid() AS a FROM orders": "1: uuid differs with every run",
    "SELECT getenv('HOME') AS a FROM orders": "1: getenv reads what is not data of the project",
    "SELECT current_setting('x') AS a FROM orders": "1: current_setting reads what is not data of the project",
    "SELECT getvariable('x') AS a FROM orders": "1: getvariable reads what is not data of the project",
    "SELECT a FROM query('SELECT 1 AS a')": "1: query reads what is not data of the project",
    "SELECT a FROM read_csv('x.csv')": "1: read_csv reads what is not data of the project",
    "SELECT a FROM read_parquet('x')": "1: read_parquet reads what is not data of the project",
    "SELECT a FROM glob('*')": "1: glob reads what is not data of the project",
    "SELECT a FROM sqlite_scan('x', 'y')": "1: sqlite_scan reads what is not data of the project",
    "SELECT name FROM duckdb_settings()": "1: duckdb_settings reads what is not data of the project",
    "FROM pragma_version()": "1: pragma_version reads what is not data of the project",
    "SELECT a FROM 'x.csv'": '1: unknown table "x.csv"',
    "SELECT a FROM information_schema.tables": "1: information_schema.tables is a subquery to another schema",
    "SELECT a FROM lake.raw_events.orders": "1: lake.raw_events.orders is a subquery to another schema",
    "SELECT a FROM main.orders": "1: main.orders is a subquery to another schema",
    "SELECT total FROM orders LIMIT 3": "1: LIMIT without ORDER BY keeps any rows",
    "SELECT DISTINCT ON (user_id) total FROM orders": "1: DISTINCT ON without ORDER BY keeps any row",
    "SELECT row_number() OVER () AS n FROM orders": "1: row_number needs an ORDER BY in its OVER (…)",
    "SELECT lag(total) OVER (PARTITION BY user_id) AS n FROM orders": "1: lag needs an ORDER BY in its OVER (…)",
    "SELECT any_value(total) AS n FROM orders": "1: any_value depends on the order of rows; say which one",
    "SELECT first(total) AS n FROM orders": "1: first depends on the order of rows",
    "SELECT list(total) AS n FROM orders": "1: list depends on the order of rows",
    "SELECT approx_quantile(total, 0.5) AS n FROM orders": "1: approx_quantile depends on the order of rows; use",
    "SELECT total FROM orders TABLESAMPLE 10%": "1: a sample differs with every run",
    "SELECT orders.total FROM orders NATURAL JOIN tracks": "1: NATURAL JOIN depends on",
    "SELECT o.total FROM orders o ASOF JOIN tracks t ON o.time > t.time": "1: ASOF JOIN depends on the order of rows",
    "WITH RECURSIVE a AS (SELECT 1 AS x) SELECT x FROM a": "1: WITH RECURSIVE may never end",
    "SELECT $1 AS a FROM orders": "1: parameters are not possible here",
    "SELECT total FROM orders AT (VERSION => 3)": "1: AT reads another version of a table",
    "SELECT total FROM orders;\nDROP TABLE x": "2: there is more than one statement",
    "INSERT INTO x SELECT 1": "1: this is not a SELECT; a model is one SELECT",
    "CREATE TABLE x AS SELECT 1": "1: this is not a SELECT",
    "COPY orders TO 'x'": "1: this is not a SELECT",
    "ATTACH 'x' AS y": "1: this is not a SELECT",
    "PRAGMA version": "1: this is not a SELECT",
    "SET threads = 1": "1: this is not a SELECT",
    "INSTALL httpfs": "1: this is not a SELECT",
    "DESCRIBE orders": "1: this is not a SELECT",
    "VALUES (1)": "1: this is not a SELECT",
    "SELECT total\nFROM orders WHERE WHERE": "2: this is not a SELECT: syntax error",
    "-- title: nothing": "1: this is not a SELECT: there is no SQL that can be read",
}


@pytest.mark.parametrize(("sql", "told"), WRONG.items())
def test_wrong(problems: Problems, sql: str, told: str) -> None:
    found = problems(model=sql)
    assert any(told in problem for problem in found), found
    assert all(problem.startswith("models/model.sql:") for problem in found)


@pytest.mark.parametrize(
    ("name", "told"),
    {
        "orders": 'model "orders" has the name of a source; rename the file',
        "commerce": 'model "commerce" has the name of a section',
        "checkout": 'model "checkout" has the name of a funnel',
        "user": 'model "user" has the name of an entity',
        "stitched_ids": 'model "stitched_ids" has the name of the table of stitched ids',
        "select": '"select" is a word of SQL',
    }.items(),
)
def test_names(problems: Problems, name: str, told: str) -> None:
    assert any(told in problem for problem in problems(**{name: "SELECT total FROM tracks"}))


def test_circles(problems: Problems) -> None:
    found = problems(a="SELECT x FROM b", b="SELECT x FROM c", c="SELECT x FROM a")
    circle = "models are made from each other in a circle"
    assert found == [f"models/a.sql:1: {circle}: a → b → c → a; break it at one of them"]
    one = "SELECT 1 AS x"
    found = problems(LINE, lines="SELECT time, user_id FROM lines", a=one, b=one, c=one)
    assert any("in a circle: lines → lines" in problem for problem in found), found


def test_columns_of_other_models(problems: Problems) -> None:
    found = problems(a="SELECT total AS t FROM orders", b="SELECT t, u FROM a", c="FROM a", d="SELECT v FROM c")
    assert found == ['models/b.sql:1: unknown column "u"', 'models/d.sql:1: unknown column "v"']


LINE = "  lines: {model: lines, time: time, event_is: line, ids: {user_id: user_id}}\n"
ROW_WISE = {
    "SELECT time, user_id FROM orders GROUP BY ALL": "cannot use GROUP BY",
    "SELECT DISTINCT time, user_id FROM orders": "cannot use DISTINCT",
    "SELECT time, user_id, row_number() OVER (ORDER BY time) AS n FROM orders": "cannot use OVER",
    "SELECT o.time, o.user_id FROM orders o LEFT JOIN tracks t USING (user_id)": "cannot use LEFT JOIN",
    "SELECT o.time, o.user_id FROM orders o ANTI JOIN tracks t USING (user_id)": "cannot use ANTI JOIN",
    "SELECT time, user_id FROM orders ORDER BY time LIMIT 3": "cannot use LIMIT",
    "SELECT time, user_id FROM orders EXCEPT SELECT time, user_id FROM tracks": "can use UNION ALL, but not EXCEPT",
    "SELECT time, user_id FROM orders UNION SELECT time, user_id FROM tracks": "can use UNION ALL, but not UNION",
    "SELECT time, user_id, as_of AS d FROM orders": "cannot use as_of",
    "SELECT time, user_id FROM orders WHERE total > (SELECT max(t.x) FROM tracks t)": "cannot have a query inside",
    "SELECT max(time) AS time, min(user_id) AS user_id FROM orders": "cannot aggregate",
    "SELECT time, profile_id AS user_id FROM orders": "cannot use profile_id",
    "SELECT o.time, s.value AS user_id FROM orders o, stitched_ids s": 'read the stitched ids "stitched_ids"',
    "SELECT now.time, now.user_id FROM orders now, commerce": 'cannot read the section "commerce"',
    "SELECT time, user_id FROM other": 'cannot read the model "other"',
    "SELECT time, user_id FROM crm": '"crm" has records, of which the newest counts',
    "SELECT DATE '2024-01-01' AS time, 'u' AS user_id": "these rows come from no source",
    "SELECT x AS time, x AS user_id FROM range(3) r(x)": "these rows come from no source",
    "WITH a(time, user_id) AS (SELECT time, user_id FROM orders) FROM a": 'columns of "a" are named',
}


@pytest.mark.parametrize(("sql", "told"), ROW_WISE.items())
def test_models_that_cannot_be_sources(problems: Problems, sql: str, told: str) -> None:
    found = problems(LINE, lines=sql, other="SELECT time, user_id FROM tracks")
    assert any(told in problem for problem in found), found


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT time, user_id, unnest(string_split(items, ',')) AS item FROM orders WHERE total > 1",
        "WITH a AS (SELECT time, user_id FROM orders) SELECT a.time, t.user_id FROM a JOIN tracks t USING (user_id)",
        "SELECT time, user_id FROM orders UNION ALL SELECT time, user_id FROM (SELECT time, user_id FROM tracks) t",
        "SELECT o.time, o.user_id, v.rate FROM orders o JOIN (VALUES ('EUR', 1.0)) v(currency, rate) USING (currency)",
    ],
)
def test_models_that_can_be_sources(problems: Problems, sql: str) -> None:
    assert problems(LINE, lines=sql) == []


def test_sources_made_from_models(problems: Problems) -> None:
    sources = LINE.replace("model: lines", "model: lnes")
    found = problems(sources, lines="SELECT time, user_id FROM orders")
    assert 'sources.yml:6: there is no model "lnes"; did you mean "lines"?' in found
    found = problems(LINE, lines="SELECT time AS tim, user_id FROM orders")
    assert found == ['sources.yml:6: the model "lines" has no column "time"; did you mean "tim"?']


def test_used_in_models(tmp_path: Path) -> None:
    files = {
        "project.yml": PROJECT,
        "sources.yml": SOURCES,
        "models/a.sql": "SELECT user_id, sum(o.total) AS s, cart.id AS c FROM orders o GROUP BY ALL",
        "models/b.sql": "SELECT o.city, t.total FROM orders o JOIN tracks t USING (basket) WHERE o.amount > 5",
    }
    write(tmp_path, files)
    project = read_draft(tmp_path).project
    expected = {"total": True, "cart.id": False, "city": False, "basket": False, "amount": True}
    assert used_in_models(project, "orders") == expected
    assert used_in_models(project, "tracks") == {"total": False, "basket": False}
    assert used_in_models(project, "firms") == {}


def test_header() -> None:
    model = read_model("a", "-- title:  Big ones \n-- owner: me\n-- description: All.\nSELECT 1 AS x", "a.sql")
    assert (model.title, model.owner, model.description) == ("Big ones", "me", "All.")


TEXT = (
    "SELECT FROM orders tracks commerce AS a b total time * ( ) , . JOIN USING user_id WHERE > 1 'x' UNION ALL WITH "
    "count sum OVER ORDER BY LIMIT unnest lambda x : [ ] { } :: DATE as_of ; -- $1 # EXISTS IN NOT é"
)
WORDS = st.sampled_from(TEXT.split())


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=60, deadline=None)
@given(words=st.lists(WORDS, max_size=14))
def test_any_text_is_fine_or_told(words: list[str]) -> None:
    check_any_text(words)


@pytest.mark.long
@settings(max_examples=3_000, deadline=None)
@given(words=st.lists(WORDS, max_size=20))
def test_much_text_is_fine_or_told(words: list[str]) -> None:
    check_any_text(words)


@cache
def base() -> Draft:
    with TemporaryDirectory() as folder:
        write(Path(folder), {"project.yml": PROJECT, "sources.yml": SOURCES, "traits/commerce.yml": HABITS})
        return read_draft(Path(folder))


def check_any_text(words: list[str]) -> None:
    """Whatever is written, the checks end, with problems at lines of the file."""
    model = read_model("made", "\n".join(words), "models/made.sql")
    draft = replace(base(), project=replace(base().project, models={"made": model}))
    found = list(model_problems(draft))
    assert all(1 <= problem.line <= max(len(words), 1) for problem in found), found
    assert found or set(model.tables) <= {"orders", "tracks", "commerce"}
