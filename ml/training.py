"""Training rows, keyed (profile, as_of, horizon): what was known of people, and what they did next.

Features are traits as of the date, for the people known by then; labels follow these people to the close of
the window, through the oldest of their ids that still identifies somebody there; where traits are predicted, what
they are as of that close. People who have merged by then are one row, with the features of the older one.
`_person` is whoever they are today, so that splits can keep a person's rows together.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import duckdb
import pandas as pd

from ml.dates import Calendar
from ml.errors import PredictionError
from ml.features import Features, among_sql, drop_many_valued, features_of, select_features
from ml.histories import HISTORY, Seen, outcome_sql, outcomes_sql, stage_history
from ml.rows import Rows
from ml.targets import MET, met_later_sql, met_sql, shown
from profiles_assets.functions.as_of import stage_functions_as_of, unknown_then
from profiles_assets.functions.pool import BrokenFunctionError
from profiles_assets.identity.attribution import create_attribution
from profiles_assets.project.project import Forecast, Project
from profiles_assets.traits.evaluate import stage_traits_as_of
from resources.tables import columns, literal, quote

Con = duckdb.DuckDBPyConnection

TABLE, HISTORIES = "training_rows", "training_histories"
FEWEST = 25
MOST_HISTORIES = 20_000
NO_HISTORIES = "SELECT NULL::DATE AS _as_of WHERE false"


@dataclass(frozen=True)
class TrainingSet:
    """Labelled rows of all cuts, and the purchase histories as of every date, as_of included."""

    rows: Rows
    histories: pd.DataFrame
    fingerprint: str

    def histories_at(self, day: date) -> pd.DataFrame:
        """Purchase histories as of one date."""
        return self.histories[self.histories["_as_of"] == pd.Timestamp(day)]


def stage_training(con: Con, project: Project, forecast: Forecast, calendar: Calendar) -> Features:
    """Temporary tables `training_rows` and `training_histories`; returns the features.

    The date of each window's close is also the next date, so identity is resolved once for both.
    """
    features: Features = {}
    for number, day in enumerate(calendar.days):
        stored = day == calendar.as_of and not forecast.spec.of_traits
        seen = _look(con, project, forecast.entity, day, stored=stored)
        if not forecast.spec.of_traits:
            stage_history(con, project, forecast, seen, f"history_{number}")
        if number:
            stage_labelled(con, project, forecast, str(number - 1), seen)
        if day != calendar.as_of:
            features = _stage_known(con, project, forecast, number, seen)
    _union(con, TABLE, [f"FROM labelled_{n}" for n in range(len(calendar.cuts))])
    histories = [] if forecast.spec.of_traits else [_histories_sql(day, n) for n, day in enumerate(calendar.days)]
    _union(con, HISTORIES, histories or [NO_HISTORIES])
    return drop_many_valued(con, forecast, TABLE, features)


def read_training(con: Con, features: Features) -> TrainingSet:
    """Training rows and histories from the temporary tables, in the one order that models are fitted in."""
    histories = con.execute(f"FROM {HISTORIES} ORDER BY ALL").fetch_df()
    return TrainingSet(read_rows(con, TABLE, features), histories, "".join(_hash(con, t) for t in (TABLE, HISTORIES)))


def read_rows(con: Con, table: str, features: Features) -> Rows:
    """Rows of a table in the order of date and person."""
    have = columns(con, table)
    known = ("profile_id", "_as_of", "_person", "_label", MET, *HISTORY, *features)
    names = [name for name in known if name in have]
    selected = ", ".join(map(quote, names))
    return Rows(con.execute(f"SELECT {selected} FROM {table} ORDER BY _as_of, profile_id").fetch_df(), features)


def known_sql(
    forecast: Forecast, features: Features, have: Mapping[str, str], day: date, tables: tuple[str, str, str]
) -> str:
    """SELECT of the people a prediction is about, from tables of traits, people and purchase histories."""
    traits, people, history = tables
    told, join = ", ".join(HISTORY), f"LEFT JOIN {history} USING (profile_key)"
    if forecast.spec.of_traits:
        told, join = f"{met_sql(forecast, have)} AS {MET}", ""
    return (
        f"SELECT t.profile_id, DATE '{day}' AS _as_of, {told}{select_features(features)} "
        f"FROM {traits} t JOIN {people} USING (profile_id) {join} WHERE {among_sql(forecast, have)}"
    )


def check_enough(rows: Rows, forecast: Forecast) -> None:
    """Raise PredictionError unless enough people did what is predicted, and enough did not."""
    positive = int((rows.label > 0).sum())
    event, over = forecast.spec.predict.event, forecast.spec.over
    words = f"had {'no' if forecast.spec.predict.goal == 'none' else 'any'} {event} in the {over} days after"
    if forecast.spec.of_traits:
        words = f"came to meet {shown(forecast.spec.predict.met)} by the end of {over} days"
    if positive < FEWEST:
        raise PredictionError(f"only {positive} of {len(rows)} people {words}; at least {FEWEST} are needed")
    if forecast.spec.is_probability and len(rows) - positive < FEWEST:
        others = len(rows) - positive
        raise PredictionError(f"all but {others} of {len(rows)} people {words}; at least {FEWEST} are needed")


def _look(con: Con, project: Project, entity: str, day: date, *, stored: bool) -> Seen:
    """Resolve identity as of a day, and traits with it; where only identity of the newest day counts, it is stored."""
    if stored:
        create_attribution(con, project, entity)
        return Seen(day)
    try:
        stage_traits_as_of(con, project, entity, day, "traits_then", more=stage_functions_as_of)
    except BrokenFunctionError as error:
        raise PredictionError(f"a function whose traits are features cannot be run: {error}") from None
    return Seen(day, "stitched_then", "attribution_then")


def _stage_known(con: Con, project: Project, forecast: Forecast, number: int, seen: Seen) -> Features:
    """Temporary tables of the people a model is about on a date, with their features and their ids."""
    unknown = unknown_then(con, project, forecast.entity)
    have = {name: kind for name, kind in columns(con, "traits_then").items() if name not in unknown}
    features = features_of(project, forecast, have)
    known = known_sql(forecast, features, have, seen.day, ("traits_then", "people_then", f"history_{number}"))
    con.execute(f"CREATE OR REPLACE TEMP TABLE known_{number} AS {known}")
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE nodes_{number} AS
        SELECT profile_id, key, {{'d': first_day, 't': first_seen, 'k': key}} AS age
        FROM {seen.stitched} SEMI JOIN known_{number} USING (profile_id) WHERE entity = ?""",
        [forecast.entity],
    )
    return features


def stage_labelled(con: Con, project: Project, forecast: Forecast, name: str, closes: Seen) -> None:
    """Temporary table `labelled_<name>` of the people in `known_<name>` with what they did until a window's close.

    `nodes_<name>` has their ids with the age of each. People who are one by then are one row, of the oldest id.
    """
    entity = literal(forecast.entity)
    outcomes = (
        met_later_sql(forecast, columns(con, "traits_then"), "traits_then", "people_then")
        if forecast.spec.of_traits
        else outcomes_sql(con, project, forecast, closes)
    )
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE labelled_{name} AS
        WITH found AS (
            SELECT n.profile_id, arg_min(s.profile_key, age) AS profile_key, min(age) AS age
            FROM nodes_{name} n JOIN {closes.stitched} s USING (key)
            WHERE s.entity = {entity} AND s.profile_id IS NOT NULL GROUP BY n.profile_id),
        today AS (
            SELECT n.profile_id, arg_min(s.profile_id, age) AS _person
            FROM nodes_{name} n JOIN identity.stitched_ids s USING (key)
            WHERE s.entity = {entity} AND s.profile_id IS NOT NULL GROUP BY n.profile_id),
        once AS (FROM found QUALIFY row_number() OVER (PARTITION BY profile_key ORDER BY age) = 1),
        o AS ({outcomes})
        SELECT k.*, coalesce(_person, k.profile_id) AS _person, {outcome_sql(forecast)} AS _label
        FROM known_{name} k JOIN once USING (profile_id) LEFT JOIN today USING (profile_id)
        LEFT JOIN o ON o.profile_key = once.profile_key"""
    )


def _histories_sql(day: date, number: int) -> str:
    """Histories as of a date; a fixed sample of them where there are more than a purchase model needs."""
    return (
        f"(SELECT DATE '{day}' AS _as_of, * EXCLUDE (profile_key) FROM history_{number} "
        f"ORDER BY md5(profile_key::VARCHAR) LIMIT {MOST_HISTORIES})"
    )


def _union(con: Con, table: str, selects: list[str]) -> None:
    con.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {' UNION ALL BY NAME '.join(selects)}")


def _hash(con: Con, table: str) -> str:
    row = f"md5(row({', '.join(map(quote, sorted(columns(con, table))))})::VARCHAR)"
    found = con.execute(f"SELECT md5(coalesce(string_agg({row}, '' ORDER BY {row}), '')) FROM {table}").fetchone()
    return str(found[0]) if found else ""
