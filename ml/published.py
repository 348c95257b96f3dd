"""Published scores, kept until what they say has come or not.

Kept are the newest scores of a day, and no day within a quarter of the horizon after one that is kept, so at most five
are. It is a record of what was said: a lake that is built anew has said nothing yet, and begins with its first scores.
"""

from datetime import date

import duckdb

from ml.definition import text_hash
from profiles_assets.project.project import Forecast
from resources.tables import create_like, exists, literal, quote

Con = duckdb.DuckDBPyConnection

OUTCOMES = "ops.outcomes"
PER_HORIZON = 4


def published_table(prediction: str) -> str:
    """Table of the published scores whose horizon is still open."""
    return f"predictions.{quote(prediction + '__published')}"


def stage_published(con: Con, forecast: Forecast, as_of: date, scores: str, table: str) -> bool:
    """Temporary table of the scores of a day as they are kept; False where an earlier day stands for it."""
    last = _newest(con, forecast, as_of)
    if last is not None and 0 < (as_of - last).days < max(1, forecast.spec.over // PER_HORIZON):
        return False
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {table} AS SELECT profile_id, score, version, as_of,
            as_of + {forecast.spec.over} AS closes, {literal(_asked(forecast))} AS asked FROM {scores}"""
    )
    return True


def closed_days(con: Con, forecast: Forecast, newest: date) -> list[date]:
    """Days of published scores, of the prediction as it is declared now, whose horizon has closed."""
    table = published_table(forecast.name)
    if not exists(con, table):
        return []
    sql = f"SELECT DISTINCT as_of FROM {table} WHERE closes <= ? AND asked = ? ORDER BY 1"
    return [row[0] for row in con.execute(sql, [newest, _asked(forecast)]).fetchall()]


def write_published(con: Con, forecast: Forecast, newest: date, staged: str) -> None:
    """Forget what has closed, and keep the staged scores of the newest day if there are any; caller's transaction."""
    table = published_table(forecast.name)
    if staged:
        create_like(con, table, staged)
    if exists(con, table):
        con.execute(f"DELETE FROM {table} WHERE closes <= ? OR asked <> ?", [newest, _asked(forecast)])
    if staged:
        con.execute(f"DELETE FROM {table} WHERE as_of = ?", [newest])
        con.execute(f"INSERT INTO {table} BY NAME FROM {staged}")


def _newest(con: Con, forecast: Forecast, as_of: date) -> date | None:
    """Newest day up to as_of whose scores were kept for the prediction as it is declared now."""
    found: list[date] = []
    for table, mine in (
        (published_table(forecast.name), f"asked = {literal(_asked(forecast))}"),
        (OUTCOMES, f"prediction = {literal(forecast.name)}"),
    ):
        if exists(con, table):
            row = con.execute(f"SELECT max(as_of) FROM {table} WHERE {mine} AND as_of <= ?", [as_of]).fetchone()
            found += [row[0]] if row and row[0] else []
    return max(found, default=None)


def _asked(forecast: Forecast) -> str:
    """Hash of what is predicted over which horizon: scores of another question are not held against this one."""
    return text_hash(forecast.spec.predict.model_dump_json(), forecast.spec.over)
