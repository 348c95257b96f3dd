"""What people tell the shop themselves: identify calls and orders."""

from __future__ import annotations

import numpy as np

from profiles_assets.simulator.arrays import NONE, Rows, choose, concat, first_of_each, stream
from profiles_assets.simulator.people import People
from profiles_assets.simulator.purchases import Purchases, order_details
from profiles_assets.simulator.settings import Settings
from profiles_assets.simulator.visits import MINUTE, NEW_EMAIL, ORDER, SIGN_UP

ID_COLUMNS = ("person", "time", "device", "anonymous")


def _identifying(settings: Settings, visits: Rows) -> Rows:
    """Visits that end in an identify: sign-ups, new addresses, first log-ins on a profile, some updates."""
    cause, logged_in = visits["cause"], visits["logged_in"]
    told = np.flatnonzero((cause == SIGN_UP) | (cause == NEW_EMAIL))
    inside = visits.take(logged_in & (cause != NEW_EMAIL))
    profiles = int(visits["profile"].max()) + 1
    first = first_of_each(inside["person"] * profiles + inside["profile"], inside["time"])
    updates = stream(settings.seed, "updates").random(len(inside)) < settings.behaviour.profile_updates
    updates[first] = True
    return concat([visits.take(told), inside.take(updates)])


def identifies(settings: Settings, people: People, visits: Rows) -> Rows:
    """Identify calls with the traits a person has at the time."""
    calls = _identifying(settings, visits)
    person, time = calls["person"], calls["time"] + 5 * MINUTE
    return Rows({name: calls[name] for name in ID_COLUMNS}).set(
        time=time,
        user=person,
        email=people.email_at(person, time),
        first_name=people.first_name[person],
        last_name=people.last_name[person],
        city=people.city[person],
        plan=people.plan_at(person, time),
        newsletter=people.subscribed[person],
    )


def orders(settings: Settings, people: People, visits: Rows, purchases: Purchases) -> Rows:
    """Completed orders with the ids the till knew."""
    visit, placed = visits.take(visits["cause"] == ORDER), purchases.orders
    rng, person = stream(settings.seed, "order ids"), placed["person"]
    user = choose(visit["logged_in"], person, NONE)
    unnamed = (user != NONE) & (rng.random(len(placed)) < 0.03)
    linked = rng.random(len(placed)) < 0.8
    return Rows(
        {
            "person": person,
            "time": placed["time"],
            "device": placed.full(NONE),
            "anonymous": choose(linked, visit["anonymous"], NONE),
            "user": user,
            "email": choose(unnamed, NONE, people.email_at(person, placed["time"])),
            **order_details(settings, people, person),
        }
    )
