"""Tracked events: pages and products of visits, newsletters, tickets, and bots."""

from __future__ import annotations

import math

import numpy as np

from profiles_assets.simulator import words
from profiles_assets.simulator.arrays import (
    NONE,
    Bools,
    Column,
    Floats,
    Ints,
    Rows,
    choose,
    concat,
    positions,
    stream,
)  # fmt: skip
from profiles_assets.simulator.devices import Devices
from profiles_assets.simulator.people import GUEST, People
from profiles_assets.simulator.purchases import Purchases
from profiles_assets.simulator.settings import Settings
from profiles_assets.simulator.visits import MINUTE, ORDER

MAX_EVENTS = 20
SECONDS_APART = 40
PHONE_AGENTS = 2


def track_rows(person: Ints, time: Floats, **columns: Column) -> Rows:
    """Event rows; ids that aren't given are absent."""
    blank = np.full(len(person), NONE, dtype=np.int64)
    absent = dict.fromkeys(("user", "email", "device", "anonymous", "agent"), blank)
    return Rows({"person": person, "time": time, **absent, **columns})


def _pick_product(settings: Settings, people: People, person: Ints) -> Ints:
    """A product, often of the favourite category, some products far more often than others."""
    rng, count = stream(settings.seed, "products"), len(person)
    category = choose(rng.random(count) < 0.5, people.favourite[person], rng.integers(0, len(words.CATEGORIES), count))
    within = rng.random(count) ** 2 * words.PRODUCTS_PER_CATEGORY
    return category * words.PRODUCTS_PER_CATEGORY + within.astype(np.int64)


def _kinds_of_events(settings: Settings, steps: Rows, added: Bools) -> Ints:
    rng = stream(settings.seed, "kinds of events")
    first = steps["position"] == 0
    app = first & (steps["agent"] < PHONE_AGENTS) & (rng.random(len(steps)) < 0.5)
    page = first | (rng.random(len(steps)) < 0.45)
    event = choose(page, words.PAGE, words.VIEWED)
    event[app], event[added] = words.APP, words.ADDED
    return event


def _properties(settings: Settings, people: People, steps: Rows) -> Ints:
    rng, event, count = stream(settings.seed, "properties"), steps["event"], len(steps)
    product = _pick_product(settings, people, steps["person"])
    quantity = rng.choice(words.MAX_QUANTITY, count, p=[0.8, 0.15, 0.05])
    page = rng.integers(0, len(words.PATHS), count) * len(words.REFERRERS)
    referrer = choose(steps["position"] == 0, rng.integers(0, len(words.REFERRERS), count), 0)
    app = steps["person"] % len(words.APP_VERSIONS)
    return np.select(
        [event == words.PAGE, event == words.VIEWED, event == words.ADDED],
        [
            words.PAGES_AT + page + referrer,
            words.VIEWED_AT + product,
            words.ADDED_AT + product * words.MAX_QUANTITY + quantity,
        ],
        words.APPS_AT + app,
    ).astype(np.int64)


def _known_by(settings: Settings, people: People, devices: Devices, steps: Rows) -> dict[str, Ints]:
    """User id where logged in (the first page often comes before that), sometimes the e-mail as well."""
    rng, person = stream(settings.seed, "known"), steps["person"]
    before = (steps["position"] == 0) & (rng.random(len(steps)) < 0.3)
    known = steps["logged_in"] & ~(before & (steps["profile"] < devices.personal))
    with_email = known & (steps["visit"] % 7 == 0)
    email = people.email_at(person, steps["time"])
    return {"user": choose(known, person, NONE), "email": choose(with_email, email, NONE)}


def _abandoned(settings: Settings, steps: Rows, added: Bools) -> Rows:
    left = steps.take(added & (steps["cause"] != ORDER))
    delay = stream(settings.seed, "abandoned").uniform(30 * MINUTE, 90 * MINUTE, len(left))
    return left.set(
        time=left["time"] + delay,
        event=left.full(words.ABANDONED),
        properties=left.full(words.NO_PROPERTIES),
    )


def visit_events(settings: Settings, people: People, devices: Devices, visits: Rows) -> Rows:
    """What people look at and put in the basket during their visits."""
    rng = stream(settings.seed, "visit events")
    counts = np.minimum(rng.geometric(1 / settings.behaviour.events_per_visit, len(visits)), MAX_EVENTS)
    visit = np.repeat(np.arange(len(visits), dtype=np.int64), counts)
    steps = visits.take(visit).set(visit=visit, position=positions(counts))
    seconds = steps["position"] * SECONDS_APART + rng.random(len(steps)) * SECONDS_APART
    steps = steps.set(time=steps["time"] + seconds / 86_400)
    last = (steps["position"] == counts[visit] - 1) & (steps["position"] > 0)
    tempted = rng.random(len(visits)) < settings.behaviour.cart_abandoned
    added = np.asarray(last & ((steps["cause"] == ORDER) | tempted[visit]), dtype=np.bool_)
    steps = steps.set(event=_kinds_of_events(settings, steps, added))
    steps = steps.set(properties=_properties(settings, people, steps), **_known_by(settings, people, devices, steps))
    events = concat([steps, _abandoned(settings, steps, added)])
    names = ("user", "email", "device", "anonymous", "agent", "event", "properties")
    return track_rows(events["person"], events["time"], **{name: events[name] for name in names})


def newsletters(settings: Settings, people: People, purchases: Purchases) -> Rows:
    """Subscribers open the weekly letter, which knows their address and half the time their user id."""
    rng = stream(settings.seed, "newsletters")
    weeks = (settings.horizon + 6) // 7
    reader = np.repeat(np.flatnonzero(people.subscribed), weeks)
    week = np.arange(len(reader), dtype=np.int64) % weeks
    time = week * 7 + 1 / 3 + rng.exponential(0.3, len(reader))
    end = np.minimum(np.minimum(people.leaves_at, purchases.driven_away), settings.horizon)[reader]
    opened = rng.random(len(reader)) < settings.behaviour.newsletter_opened
    opened &= (time > people.signed_up[reader]) & (time < end)
    person, time, week = reader[opened], time[opened], week[opened]
    return track_rows(
        person,
        time,
        user=choose(rng.random(len(person)) < 0.5, person, NONE),
        email=people.email_at(person, time),
        event=np.full(len(person), words.NEWSLETTER),
        properties=words.CAMPAIGNS_AT + week % words.CAMPAIGNS,
    )


def tickets(people: People, purchases: Purchases) -> Rows:
    """Support tickets about orders, known by e-mail, and by user id if there is one."""
    opened = purchases.tickets
    person, time = opened["person"], opened["time"]
    return track_rows(
        person,
        time,
        user=choose(people.kind[person] == GUEST, NONE, person),
        email=people.email_at(person, time),
        event=opened.full(words.TICKET),
        properties=opened["properties"],
    )


def bots(settings: Settings, first_anonymous: int) -> Rows:
    """Crawlers: nobody, with one anonymous id each and very many pages."""
    rng, noise = stream(settings.seed, "bots"), settings.noise
    per_bot = rng.poisson(noise.bot_events_per_day * settings.horizon, bot_count(settings))
    bot = np.repeat(np.arange(len(per_bot), dtype=np.int64), per_bot)
    page = words.PAGES_AT + rng.integers(0, len(words.PATHS), len(bot)) * len(words.REFERRERS)
    nobody = np.full(len(bot), NONE, dtype=np.int64)
    return track_rows(
        nobody,
        rng.random(len(bot)) * settings.horizon,
        anonymous=first_anonymous + bot,
        agent=np.full(len(bot), words.BOT_AGENT),
        event=np.full(len(bot), words.PAGE),
        properties=page,
    )


def bot_count(settings: Settings) -> int:
    """How many bots there are."""
    return math.ceil(settings.people / 1000 * settings.noise.bots_per_thousand)
