"""Predictions of a small simulated shop, from its files to the scores."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pytest

from ml import registry
from ml.candidates import Trees
from ml.card import read_card
from ml.checks import beats_baseline, enough_history, one_score_per_person, scores_in_range
from ml.definition import model_definition
from ml.model import load_champion
from ml.model_pictures import model_pictures
from ml.predict import TrainingReport, is_due, score, train
from ml.registry import Model
from ml.report import score_picture
from ml.rows import Rows
from ml.training import read_rows
from profiles_assets.events.load import load_events
from profiles_assets.identity.evidence import update_evidence
from profiles_assets.identity.stitch import update_stitched
from profiles_assets.project.loader import load_project
from profiles_assets.project.project import Forecast, Project
from profiles_assets.simulator import Settings, simulate
from profiles_assets.simulator.settings import Trouble
from profiles_assets.traits.evaluate import update_section
from profiles_assets.traits.evaluate_metrics import update_metric
from profiles_assets.traits.funnel_report import update_funnel
from resources.lake import Lake
from tests.ml.predicting import forecast
from tests.shop import copy_shop

CAUSES = {"damaged_deliveries", "tickets_90d", "days_since_ticket"}
SETTINGS = Settings(people=1500, days=60, trouble=Trouble(damaged=0.12))


@dataclass(frozen=True)
class Shop:
    project: Project
    lake: Lake
    churn: Forecast
    first: TrainingReport


def upstream(lake: Lake, project: Project) -> None:
    for source in project.sources:
        load_events(lake, project, source)
    update_evidence(lake, project)
    update_stitched(lake, project, "user")
    for section in project.sections:
        update_section(lake, project, section)
    for funnel in project.funnels:
        update_funnel(lake, project, funnel)
    for metric in project.metrics:
        update_metric(lake, project, metric)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    root = copy_shop(tmp_path_factory.mktemp("shop") / "shop")
    file = root / "predictions" / "churn.yml"
    file.write_text(file.read_text().replace("over: 30 days", "over: 12 days"))
    simulate(SETTINGS, root)
    project, lake = load_project(root), Lake(root=str(root / ".lake"))
    upstream(lake, project)
    churn = project.predictions["churn_risk"]
    first = train(lake, project, churn)
    score(lake, project, churn)
    return Shop(project, lake, churn, first)


def scores(shop: Shop, name: str = "churn_risk") -> list[tuple[object, ...]]:
    with shop.lake.get_connection() as con:
        return con.execute(f"FROM predictions.{name} ORDER BY profile_id").fetchall()


def rows_of(shop: Shop, name: str = "churn_risk") -> Rows:
    with shop.lake.get_connection() as con:
        model = registry.current_model(con, name)
        assert model is not None
        return read_rows(con, registry.rows_table(name), dict(model.parameters["features"]))


def test_churn_is_predicted_clearly_better_than_by_chance(shop: Shop) -> None:
    model = shop.first.model
    assert shop.first.trained
    assert model is not None
    assert model.champion is not None
    assert model.metrics[model.champion]["auc"] > 0.65
    assert beats_baseline(shop.churn, model)[0]
    assert enough_history(model)[0]
    assert len({result.as_of for result in shop.first.results}) == 3


def test_a_training_leaves_its_card(shop: Shop) -> None:
    model = shop.first.model
    assert model is not None
    with shop.lake.get_connection() as con:
        told = read_card(con, "churn_risk")
        same = read_card(con, "churn_risk", model.model_id)
        assert read_card(con, "churn_risk", "unknown") is None
        assert read_card(con, "ltv_90d") is None
        rows = con.execute("SELECT count(*), avg(_label) FROM predictions.churn_risk__rows").fetchone()
        drawn = score_picture(con, shop.churn)
    assert told is not None
    assert told == same
    card, page = told
    assert (card["model_id"], card["champion"], card["parent"]) == (model.model_id, model.champion, None)
    people = sum(date["rows"] for date in card["training"])
    assert (people, sum(d["rows"] * d["mean_outcome"] for d in card["training"]) / people) == pytest.approx(rows)
    assert card["metrics"] == model.metrics
    assert {(r["as_of"], r["model"], r["metric"]) for r in card["backtest"]} == {
        (result.as_of.isoformat(), result.model, result.metric) for result in shop.first.results
    }
    assert card["gains"][-1] == {"people": 1.0, "caught": pytest.approx(1)}
    assert {one["feature"] for one in card["importance"]} == {"history of order_completed", *card["features"]}
    assert "every user, orders_90d > 0" in page
    assert f"`{model.model_id}`" in page
    assert model_pictures(shop.churn, model).keys() == {"calibration", "gains", "importance"}
    assert drawn.startswith("![how many people")


def test_no_label_window_closes_after_the_scoring_date(shop: Shop) -> None:
    rows = rows_of(shop)
    newest = rows.frame["_as_of"].max().date()
    assert newest + timedelta(days=shop.churn.spec.over) == shop.first.as_of


def test_the_planted_cause_is_learnt(shop: Shop) -> None:
    """Damaged deliveries drive people away: whoever reported one lately is at a higher risk, all else equal."""
    rows = rows_of(shop)
    trees = Trees(shop.churn).fit(rows, rows.frame)
    damaged = replace(rows, frame=rows.frame.assign(damaged_deliveries=1.0, tickets_90d=1.0, days_since_ticket=5.0))
    unhurt = replace(rows, frame=rows.frame.assign(damaged_deliveries=0.0, tickets_90d=0.0, days_since_ticket=np.nan))
    assert trees.predict(damaged).mean() > trees.predict(unhurt).mean() + 0.1


def test_the_planted_cause_is_the_reason_most_often_first(shop: Shop) -> None:
    """Among those whose last delivery was damaged, it is what moves their risk up most."""
    with shop.lake.get_connection() as con:
        first = con.execute(
            """SELECT reasons[1], count(*) FROM predictions.churn_risk JOIN entity_vars.support USING (profile_id)
            WHERE band = 'high' AND damaged_deliveries > 0 GROUP BY 1 ORDER BY 2 DESC"""
        ).fetchall()
    assert first[0][0] in CAUSES


def test_scores_say_which_model_made_them_and_when(shop: Shop) -> None:
    with shop.lake.get_connection() as con:
        found = con.execute("SELECT DISTINCT version, as_of, low, high FROM predictions.churn_risk").fetchall()
    assert shop.first.model is not None
    assert found == [(shop.first.model.model_id, shop.first.as_of, None, None)]


def test_scores_are_of_the_people_asked_about(shop: Shop) -> None:
    found = scores(shop)
    with shop.lake.get_connection() as con:
        people = con.execute("SELECT profile_id FROM entity_vars.commerce WHERE orders_90d > 0 ORDER BY 1").fetchall()
        assert one_score_per_person(con, shop.churn)[0]
        assert scores_in_range(con, shop.churn)[0]
    assert [row[0] for row in found] == [row[0] for row in people]
    assert {row[3] for row in found} == {"high", "medium", "low"}
    assert 0.08 < np.mean([row[3] == "high" for row in found]) < 0.12


def test_a_second_run_writes_nothing(shop: Shop) -> None:
    before = shop.lake.write(lambda _: None)
    assert not train(shop.lake, shop.project, shop.churn).trained
    assert score(shop.lake, shop.project, shop.churn).change.total == 0
    assert shop.lake.write(lambda _: None) == before


def test_rows_in_another_order_give_the_same_model_and_the_same_scores(shop: Shop) -> None:
    before, model = scores(shop), shop.first.model
    assert model is not None
    shop.lake.write(forget_model)
    again = train(shop.lake, shop.project, shop.churn)
    shop.lake.write(forget_scores)
    score(shop.lake, shop.project, shop.churn)
    assert again.trained
    assert again.model is not None
    assert again.model.model_id == model.model_id
    assert scores(shop) == before


def test_trees_are_read_not_fitted_again_and_fitted_again_where_they_cannot_be(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = forecast("no order_completed", "12 days", among={"orders": "> 0"}, model="boosted")
    report = train(shop.lake, shop.project, asked)
    assert report.model is not None
    assert report.model.champion == "boosted"
    with shop.lake.get_connection() as con:
        rows = read_rows(con, registry.rows_table("risk"), dict(report.model.parameters["features"]))
        fitted = Trees(asked).fit(rows, rows.frame).predict(rows)
        monkeypatch.setattr(Trees, "fit", None)
        read = load_champion(con, asked, report.model).predict(rows)
    assert read.tobytes() == fitted.tobytes()
    shop.lake.write(lambda con: con.execute("UPDATE ops.artefacts SET format = 'skops 0, scikit-learn 0'"))
    monkeypatch.undo()
    with shop.lake.get_connection() as con:
        again = load_champion(con, asked, report.model).predict(rows)
    assert again.tobytes() == fitted.tobytes()


def forget_model(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DELETE FROM ops.models")
    shuffle(con, "raw_events.orders")


def forget_scores(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("DELETE FROM predictions.churn_risk")
    con.execute("DELETE FROM ops.progress WHERE step = 'predictions/churn_risk'")
    shuffle(con, "predictions.churn_risk__rows")


def shuffle(con: duckdb.DuckDBPyConnection, table: str) -> None:
    """Write the rows of a table again, in another order."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE shuffled AS FROM {table} t ORDER BY md5(t::VARCHAR)")
    con.execute(f"DELETE FROM {table}")
    con.execute(f"INSERT INTO {table} FROM shuffled")


def test_too_little_history_leaves_an_empty_table_and_says_why(shop: Shop) -> None:
    ltv = shop.project.predictions["ltv_90d"]
    model = train(shop.lake, shop.project, ltv).model
    report = score(shop.lake, shop.project, ltv)
    passed, metadata = enough_history(model)
    assert not passed
    assert "at least 270 days of events, and there are 60" in metadata["problem"]
    assert report.problem == metadata["problem"]
    assert scores(shop, "ltv_90d") == []


def test_amounts_are_predicted_too(shop: Shop) -> None:
    bands = {"top": "top 10%", "others": "rest"}
    asked = forecast("sum order_completed.total", "12 days", among={"orders": "> 0"}, bands=bands)
    report = train(shop.lake, shop.project, asked)
    assert report.model is not None
    assert report.model.champion is not None
    assert report.model.metrics[report.model.champion]["gini"] > 0.3
    assert score(shop.lake, shop.project, asked).people > 100
    assert model_pictures(asked, report.model).keys() == {"calibration", "gains", "importance"}
    assert len(report.model.parameters["deciles"]) == 10
    with shop.lake.get_connection() as con:
        assert scores_in_range(con, asked)[0]
        inside = con.execute("SELECT bool_and(low <= score AND score <= high), avg(high - low) FROM predictions.risk")
        assert (found := inside.fetchone()) is not None
        assert found[0]
        assert found[1] > 0


@pytest.mark.parametrize(
    ("retrain", "days", "due"),
    [("weekly", 6, False), ("weekly", 7, True), ("monthly", 29, False), ("monthly", 30, True), ("always", 1, True)],
)
def test_retraining_follows_as_of(tmp_path: Path, retrain: str, days: int, due: bool) -> None:
    asked, project = forecast(retrain=retrain), Project(tmp_path, "tiny", {}, {})
    definition = model_definition(project, asked)
    have = Model("risk", date(2025, 6, 1), definition, "same", "id", "btyd", 9)
    assert is_due(definition, asked, have, date(2025, 6, 1) + timedelta(days=days), "same") is due
    assert not is_due(definition, asked, have, date(2025, 6, 1), "same")
    assert is_due(definition, asked, have, date(2025, 5, 31), "same")
    assert is_due(definition, asked, replace(have, problem="too little"), date(2025, 6, 1), "other")
    other = model_definition(project, forecast(retrain=retrain, over="31 days"))
    assert is_due(other, asked, have, date(2025, 6, 1), "same")


def test_a_retrained_model_knows_the_one_before_it(shop: Shop) -> None:
    with shop.lake.get_connection() as con:
        before = registry.current_model(con, "churn_risk")
    assert before is not None
    shop.lake.write(lambda con: con.execute("UPDATE ops.models SET definition = 'old' WHERE current"))
    again = train(shop.lake, shop.project, shop.churn).model
    assert again is not None
    assert again.parent == before.model_id
    with shop.lake.get_connection() as con:
        current = registry.current_model(con, "churn_risk")
    assert current is not None
    assert (current.model_id, current.parent, current.champion) == (again.model_id, again.parent, again.champion)


def test_the_champion_of_an_earlier_training_has_no_say(shop: Shop) -> None:
    with shop.lake.get_connection() as con:
        before = registry.current_model(con, "churn_risk")
    assert before is not None
    other = {"btyd": "boosted", "boosted": "blend", "blend": "btyd"}[str(before.champion)]
    change = f"UPDATE ops.models SET champion = '{other}', definition = 'old'"
    shop.lake.write(lambda con: con.execute(change))
    again = train(shop.lake, shop.project, shop.churn).model
    assert again is not None
    assert (again.model_id, again.champion) == (before.model_id, before.champion)
