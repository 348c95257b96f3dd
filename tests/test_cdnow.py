"""The CDNOW example: traits against plain SQL on the file, models against the published figures."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import pytest

from examples.cdnow import report
from examples.cdnow.prepare import HERE, prepare
from profiles_assets.path import build
from profiles_assets.project.loader import load_project
from resources.kept import KeptLake
from tests.shop import lake_of

AS_OF = "DATE '1998-06-30'"
BY_HAND = f"""
    WITH p AS (SELECT *, day::DATE AS d, dollars::DECIMAL(28, 9) AS usd, row_number() OVER () AS n FROM log)
    SELECT customer, count(*), count(DISTINCT d), count(*) FILTER (d > {AS_OF} - 90), sum(usd)::DOUBLE,
        coalesce(sum(usd) FILTER (d > {AS_OF} - 90), 0)::DOUBLE, sum(usd)::DOUBLE / count(*), max(usd)::DOUBLE,
        min(usd)::DOUBLE, sum(discs::INT)::DOUBLE, min(d)::TIMESTAMP, max(d)::TIMESTAMP, {AS_OF} - max(d),
        count(*) FILTER (usd = 0) > 0, count(DISTINCT usd), bool_or(sample::BOOLEAN),
        coalesce(sum(usd) FILTER (d > {AS_OF} - 90), 0)::DOUBLE / nullif(sum(usd)::DOUBLE, 0),
        CASE WHEN sum(usd) < 50 THEN 'light' WHEN sum(usd) < 100 THEN 'regular'
             WHEN sum(usd) < 500 THEN 'heavy' ELSE 'whale' END
    FROM p GROUP BY customer ORDER BY customer"""
TRAITS = """
    SELECT ids['customer_id'][1], purchases, purchase_days, purchases_90d, spend, spend_90d, average_purchase,
        largest_purchase, smallest_purchase, discs, first_purchase_at, latest_purchase_at, days_since_purchase,
        free_discs, prices, in_sample, recent_share, value_tier
    FROM profiles.customer ORDER BY 1"""


@pytest.fixture(scope="module")
def cdnow(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ignored = shutil.ignore_patterns(".lake", ".dagster", "landing", "__pycache__")
    root = Path(shutil.copytree(HERE, tmp_path_factory.mktemp("cdnow") / "cdnow", ignore=ignored))
    prepare(root)
    for file in (root / "predictions").iterdir():  # a horizon that leaves fewer past dates to train and test on
        file.write_text(file.read_text().replace("over: 90 days", "over: 180 days"))
    with KeptLake(root=str(root / ".lake"), threads=2) as lake:
        build(lake, load_project(root))
    return root


def test_every_trait_equals_plain_sql(cdnow: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"CREATE TABLE log AS FROM read_csv('{cdnow}/landing/purchases.csv', all_varchar = true)")
        expected = con.execute(BY_HAND).fetchall()
    with lake_of(cdnow).read() as con:
        found = con.execute(TRAITS).fetchall()
    assert len(found) == 23_570
    assert found == expected


def test_the_models_reach_the_published_figures(cdnow: Path) -> None:
    with lake_of(cdnow).read() as con:
        histories = report.histories(con)
    assert len(histories["frequency"]) == 2_357
    figures, _ = report.figures(histories)
    assert [figure.name for figure in figures if not figure.holds] == []


def test_everybody_is_scored_and_the_champion_beats_the_base_rate(cdnow: Path) -> None:
    with lake_of(cdnow).read() as con:
        row: Any = con.execute("SELECT count(*), count(churn_risk), count(ltv_90d) FROM profiles.customer").fetchone()
        losses = dict(
            con.execute(
                "SELECT model, avg(value) FROM ops.backtests JOIN ops.models USING (prediction, model_id) "
                "WHERE current AND prediction = 'churn_risk' AND metric = 'log_loss' GROUP BY model"
            ).fetchall()
        )
        champion: Any = con.execute(
            "SELECT champion FROM ops.models WHERE current AND prediction = 'churn_risk'"
        ).fetchone()
    assert row == (23_570, 23_570, 23_570)
    assert losses[champion[0]] < losses["mean"]
