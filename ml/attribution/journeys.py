"""Touchpoints and conversions as journeys: the touches that led to a conversion, or to none.

A touch belongs to the next conversion of its person, if that comes within the window; so each touch is in one
journey, and a person may have several. A conversion without touches is a journey of the channel `none`. Touches
that no conversion followed in time are a journey that failed; those that may yet convert are left out.
"""

from datetime import date

import duckdb

Con = duckdb.DuckDBPyConnection

TOUCHES = "journey_touches"
NONE = "none"


def stage_journeys(con: Con, touches: str, conversions: str, window: int, as_of: date) -> None:
    """Temporary table `journey_touches` from touches (person, time, day, channel) and conversions (…, value).

    A row per touch: journey, person, day of the conversion (of the first touch where there was none), conversions
    and value of the journey, channel, age in days before the conversion, position from 1, length, and `before_last` in
    days. `window` is in whole days: the day of the conversion and those before it.
    """
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE {TOUCHES} AS
        WITH won AS (
            SELECT person, time, day, count(*) AS conversions, sum(value) AS value FROM {conversions}
            WHERE day <= DATE '{as_of}' GROUP BY ALL),
        led AS (
            SELECT t.person, t.time, t.day, t.channel, c.time AS won_at, c.day AS won_on, c.conversions, c.value,
                coalesce(date_diff('day', t.day, c.day) < {window}, false) AS led
            FROM (FROM {touches} WHERE day <= DATE '{as_of}') t
            ASOF LEFT JOIN won c ON t.person = c.person AND t.time <= c.time),
        kept AS (
            SELECT person, won_at, won_on, led, time, day, channel, conversions, value FROM led
            WHERE led OR day + {window} <= DATE '{as_of}' + 1
            UNION ALL
            SELECT person, time, day, true, time, day, '{NONE}', conversions, value
            FROM won ANTI JOIN (FROM led WHERE led) l ON l.person = won.person AND l.won_at = won.time),
        numbered AS (
            SELECT *, row_number() OVER journey AS position, count(*) OVER whole AS length,
                min(day) OVER whole AS started, max(time) OVER whole AS ended
            FROM kept WINDOW whole AS (PARTITION BY person, won_at, led),
                journey AS (PARTITION BY person, won_at, led ORDER BY time, channel))
        SELECT dense_rank() OVER (ORDER BY person, led, won_at) AS journey, person,
            CASE WHEN led THEN won_on ELSE started END AS day,
            CASE WHEN led THEN conversions ELSE 0 END AS conversions,
            CASE WHEN led THEN coalesce(value, 0) ELSE 0 END AS value, channel,
            CASE WHEN led THEN (epoch_us(won_at) - epoch_us(time)) / 86400e6 ELSE 0 END AS age, position, length,
            (epoch_us(ended) - epoch_us(time)) / 86400e6 AS before_last
        FROM numbered"""
    )
