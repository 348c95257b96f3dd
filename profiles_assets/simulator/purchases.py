"""Who orders when, which orders go wrong, and who stops ordering because of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from profiles_assets.simulator import words
from profiles_assets.simulator.arrays import Floats, Ints, Rows, choose, concat, stream
from profiles_assets.simulator.calendar import thinned_times
from profiles_assets.simulator.people import People
from profiles_assets.simulator.settings import Settings

DAMAGED = words.TOPICS.index("delivery_damaged")
SEVERE = words.SEVERITIES.index("severe")


@dataclass(frozen=True)
class Purchases:
    """Orders (person, time), the tickets about them, and when damage drove somebody away."""

    orders: Rows
    tickets: Rows
    driven_away: Floats


def _wanted(settings: Settings, people: People) -> Rows:
    """Every order people would place if nothing went wrong: a first one, then a Poisson process.

    Those who were customers already placed their first one before the start.
    """
    rng = stream(settings.seed, "orders")
    end = np.minimum(people.leaves_at, settings.horizon)
    begins = np.flatnonzero(people.buys & (people.first_order < end))
    who, when = thinned_times(rng, settings, people.order_rate[begins], people.first_order[begins], end[begins])
    new = begins[people.joined[begins] > 0]
    first = Rows({"person": new, "time": people.first_order[new]})
    orders = concat([first, Rows({"person": begins[who], "time": when})])
    return orders.take(np.lexsort((orders["time"], orders["person"])))


def _driven_away(settings: Settings, people: People, orders: Rows, reported: Floats) -> Floats:
    """The moment of each person's first report of damage that makes them leave."""
    fatal = stream(settings.seed, "leaving").random(len(orders)) < settings.trouble.leave_after_damage
    when = np.full(len(people), np.inf)
    np.minimum.at(when, orders["person"], np.where(fatal, reported, np.inf))
    return when


def _tickets(settings: Settings, orders: Rows, damaged: Rows) -> Rows:
    rng = stream(settings.seed, "other tickets")
    other = orders.take(rng.random(len(orders)) < settings.trouble.other_tickets)
    other = other.set(time=other["time"] + rng.exponential(4.0, len(other)))
    mild = rng.integers(1, len(words.TOPICS), len(other)) * len(words.SEVERITIES)
    text = words.TICKETS_AT + mild + rng.integers(0, SEVERE, len(other))
    severe = damaged.full(words.TICKETS_AT + DAMAGED * len(words.SEVERITIES) + SEVERE)
    return concat([other.set(properties=text), damaged.set(properties=severe)])


def make_purchases(settings: Settings, people: People) -> Purchases:
    """The orders of the horizon, cut where damage ended them."""
    orders = _wanted(settings, people)
    rng = stream(settings.seed, "damage")
    damaged = rng.random(len(orders)) < settings.trouble.damaged
    reported = orders["time"] + rng.uniform(2.0, 6.0, len(orders))
    away = _driven_away(settings, people, orders, np.where(damaged, reported, np.inf))
    kept = orders["time"] <= away[orders["person"]]
    reports = orders.set(time=reported).take(damaged & kept)
    tickets = _tickets(settings, orders.take(kept), reports)
    return Purchases(orders.take(kept), tickets, away)


def order_details(settings: Settings, people: People, person: Ints) -> dict[str, Ints]:
    """What was bought and how it was paid, one value per order; totals are in cents."""
    rng, count = stream(settings.seed, "order details"), len(person)
    spread = settings.behaviour.order_value_spread_orders
    euros = people.order_value[person] * np.exp(rng.normal(0, spread, count))
    any_category = rng.integers(0, len(words.CATEGORIES), count)
    return {
        "cents": np.maximum(np.rint(euros * 100), 100).astype(np.int64),
        "items": 1 + rng.poisson(1.2, count),
        "category": choose(rng.random(count) < 0.6, people.favourite[person], any_category),
        "coupon": choose(rng.random(count) < 0.1, rng.integers(0, len(words.COUPONS), count), -1),
        "payment": rng.choice(len(words.PAYMENTS), count, p=[0.5, 0.3, 0.15, 0.05]),
    }
