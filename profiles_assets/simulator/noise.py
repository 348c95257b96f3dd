"""What goes wrong between the shop and the files: delays, resends, broken lines, absurd dates, void ids."""

from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np

from profiles_assets.simulator import words
from profiles_assets.simulator.arrays import DAY_MS, NONE, Ints, Rows, choose, concat, stream
from profiles_assets.simulator.settings import Settings

CLEAN, DUPLICATE, MALFORMED, PAST, FUTURE = range(5)
FAULTS = ("", "truncated", "not_json", "missing_timestamp", "bad_timestamp", "wrong_columns")
TRUNCATED, NOT_JSON, MISSING_TIME, BAD_TIME, WRONG_COLUMNS = range(1, 6)
JSON_FAULTS = np.array([TRUNCATED, NOT_JSON, MISSING_TIME, BAD_TIME])
CSV_FAULTS = np.array([MISSING_TIME, BAD_TIME, WRONG_COLUMNS])


def epoch_ms(day: date) -> int:
    """Midnight of a day, UTC, in milliseconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) * 1000


def _numbered(settings: Settings, rows: Rows) -> Rows:
    """Rows in the order in which they happened, each with a number of its own and its time in ms."""
    rows = rows.take(np.argsort(rows["time"], kind="stable"))
    time_ms = epoch_ms(settings.start) + (rows["time"] * DAY_MS).astype(np.int64)
    return rows.set(number=np.arange(len(rows)), time_ms=time_ms, role=rows.full(CLEAN), fault=rows.full(0))


def _sent(settings: Settings, source: str, rows: Rows) -> Rows:
    """Arrival: some seconds after the event, for some rows days."""
    rng, noise = stream(settings.seed, f"{source} arrival"), settings.noise
    lag = (1000 * (0.2 + rng.exponential(8.0, len(rows)))).astype(np.int64)
    wait = (rng.uniform(0.5, noise.late_days - 0.01, len(rows)) * DAY_MS).astype(np.int64)
    late = rng.random(len(rows)) < noise.late
    received = rows["time_ms"] + np.where(late, wait, lag)
    load = (received - epoch_ms(settings.start)) // DAY_MS
    return rows.set(received_ms=received, load=load, position=received)


def _void_ids(settings: Settings, source: str, rows: Rows, people: int) -> Rows:
    """Some rows without a user id say so in words; some e-mails are the shop's own or void."""
    rng, noise = stream(settings.seed, f"{source} void ids"), settings.noise
    blank = 0 if source == "orders" else 1  # CSV can't tell an empty text from none
    no_user = (rows["user"] == NONE) & (rng.random(len(rows)) < noise.blocked_user_id)
    void_user = people + rng.integers(0, len(words.BLOCKED_USER_IDS) - 1 + blank, len(rows))
    no_email = (rows["email"] != NONE) & (rng.random(len(rows)) < noise.blocked_email)
    worded = rng.integers(1, len(words.BLOCKED_EMAILS) - 1 + blank, len(rows))
    void_email = 2 * people + choose(rng.random(len(rows)) < 0.7, 0, worded)
    capitals = (rows["email"] != NONE) & (rng.random(len(rows)) < noise.emails_in_capitals)
    return rows.set(
        user=choose(no_user, void_user, rows["user"]),
        email=choose(no_email, void_email, rows["email"]),
        capitals=capitals & ~no_email,
    )


def _resent(settings: Settings, source: str, rows: Rows) -> Rows:
    """The same lines once more, at once or some days later."""
    rng, noise = stream(settings.seed, f"{source} duplicates"), settings.noise
    again = rows.take(rng.random(len(rows)) < noise.duplicates)
    days = rng.integers(0, noise.duplicate_days + 1, len(again)) * (rng.random(len(again)) < 0.5)
    return again.set(
        load=again["load"] + days,
        position=again["received_ms"] + days * DAY_MS + 2000,
        role=again.full(DUPLICATE),
    )


def _broken(settings: Settings, source: str, rows: Rows, faults: Ints) -> Rows:
    """Lines that can't be read, made from copies, so that nothing but the line is lost."""
    rng = stream(settings.seed, f"{source} malformed")
    copies = rows.take(rng.random(len(rows)) < settings.noise.malformed)
    return copies.set(role=copies.full(MALFORMED), fault=rng.choice(faults, len(copies)))


def _misdated(settings: Settings, rows: Rows, role: int, count: int, year: int) -> Rows:
    """Copies of rows from within `days`, dated in another century."""
    rng = stream(settings.seed, f"misdated {year}")
    candidates = np.flatnonzero(rows["load"] < settings.days)
    copies = rows.take(rng.choice(candidates, min(count, len(candidates)), replace=False))
    time_ms = epoch_ms(date(year, 1, 1)) + copies["time_ms"] % DAY_MS
    return copies.set(role=copies.full(role), time_ms=time_ms)


def with_noise(settings: Settings, source: str, rows: Rows, people: int) -> Rows:
    """The lines of a source in the order of arrival: clean rows, resent ones, and all that's wrong."""
    noise, is_json = settings.noise, source != "orders"
    rows = _sent(settings, source, _numbered(settings, rows))
    if source != "identifies":
        rows = _void_ids(settings, source, rows, people)
    else:
        rows = rows.set(capitals=np.zeros(len(rows), dtype=np.bool_))
    extra = [_broken(settings, source, rows, JSON_FAULTS if is_json else CSV_FAULTS)]
    if source == "tracks":
        extra.append(_misdated(settings, rows, PAST, noise.dated_1970, 1970))
        extra.append(_misdated(settings, rows, FUTURE, noise.dated_2090, 2090))
    added = concat(extra)
    added = added.set(number=len(rows) + np.arange(len(added)))
    lines = concat([rows, _resent(settings, source, rows), added])
    return lines.take(np.lexsort((lines["position"], lines["load"])))
