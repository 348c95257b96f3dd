"""Moments and days, as SQL: the forms in which files write a time, and the day it belongs to."""

from resources.tables import literal

FORMS = ("%Y-%m-%dT%H:%M%z", "%Y-%m-%dT%H:%M", "%Y%m%dT%H%M%S%z", "%Y%m%dT%H%M%S")
EPOCHS = ((1e11, 1e6), (1e14, 1e3), (1e17, 1.0))


def time_sql(column: str, timezone: str) -> str:
    """SQL of the UTC TIMESTAMP that a text tells: ISO 8601, a date, or seconds, ms or µs since 1970.

    A date alone is the start of that day in the project's time zone; a time without offset is UTC.
    """
    ways = [
        *([] if timezone == "UTC" else [_date_alone(column, timezone)]),
        f"CASE WHEN suffix({column}, 'Z') THEN try_cast({column} AS TIMESTAMP) END",
        f"try_cast({column} AS TIMESTAMPTZ)::TIMESTAMP",
        _rarely_seen(f"replace(replace(replace(upper(trim({column})), 'Z', '+00:00'), ' +', '+'), ' -', '-')"),
    ]
    shape = " OR ".join(f"{column} LIKE '{shape}'" for shape in ("____-%", "____/%", "________T%"))
    calendar = f"{column} BETWEEN '0002' AND '9999' AND ({shape})"
    iso = f"CASE WHEN {calendar} THEN coalesce({', '.join(ways)})"
    return f"{iso} ELSE {_epoch(f'try_cast({column} AS DOUBLE)')} END"


def day_sql(time: str, timezone: str) -> str:
    """SQL of the DATE of a UTC TIMESTAMP in the project's time zone."""
    if timezone == "UTC":
        return f"({time})::DATE"
    return f"timezone({literal(timezone)}, timezone('UTC', {time}))::DATE"


def day_start_sql(day: str, timezone: str) -> str:
    """SQL of the UTC TIMESTAMP at which a DATE of the project's time zone starts."""
    if timezone == "UTC":
        return f"({day})::TIMESTAMP"
    return f"timezone('UTC', timezone({literal(timezone)}, ({day})::TIMESTAMP))"


def _date_alone(column: str, timezone: str) -> str:
    return f"CASE WHEN length({column}) = 10 THEN {day_start_sql(f'try_cast({column} AS DATE)', timezone)} END"


def _rarely_seen(text: str) -> str:
    forms = ", ".join(literal(form) for form in FORMS)
    return f"try_cast({text} AS TIMESTAMPTZ)::TIMESTAMP, try_strptime({text}, [{forms}])::TIMESTAMP"


def _epoch(number: str) -> str:
    cases = (
        f"WHEN abs({number}) < {limit} THEN make_timestamp(({number} * {scale})::BIGINT)" for limit, scale in EPOCHS
    )
    return f"CASE WHEN {number} < -6e10 THEN NULL {' '.join(cases)} END"
