"""Visits: who comes when, on which device and anonymous id, and whether they are logged in."""

from __future__ import annotations

import numpy as np

from profiles_assets.simulator.arrays import NONE, Bools, Floats, Ints, Rows, choose, concat, stream
from profiles_assets.simulator.calendar import thinned_times
from profiles_assets.simulator.devices import Devices
from profiles_assets.simulator.people import REGISTERED, People
from profiles_assets.simulator.purchases import Purchases
from profiles_assets.simulator.settings import Settings

BROWSE, ORDER, SIGN_UP, NEW_EMAIL = range(4)
MINUTE = 1 / 1440
ORDER_AFTER = 15 * MINUTE


def _rows(person: Ints, time: Floats, cause: int) -> Rows:
    return Rows({"person": person, "time": time, "cause": np.full(len(person), cause, dtype=np.int64)})


def _browsing(settings: Settings, people: People, purchases: Purchases) -> Rows:
    """A first visit of all who are new, then seasonal ones until interest ends, few after damage."""
    rng = stream(settings.seed, "browsing")
    end = np.minimum(people.leaves_at, settings.horizon)
    who, when = thinned_times(rng, settings, people.visit_rate, people.joined, end)
    stays = (when < purchases.driven_away[who]) | (rng.random(len(who)) < settings.trouble.visits_kept_after_leaving)
    new = np.flatnonzero(people.joined > 0)
    return concat([_rows(new, people.joined[new], BROWSE), _rows(who[stays], when[stays], BROWSE)])


def _moments(settings: Settings, people: People) -> list[Rows]:
    """Visits to sign up and to change the e-mail address."""
    sign_up = np.flatnonzero((people.signed_up >= 0) & (people.signed_up < settings.horizon))
    change = np.flatnonzero(people.email_changed < settings.horizon)
    return [
        _rows(sign_up, people.signed_up[sign_up], SIGN_UP),
        _rows(change, people.email_changed[change], NEW_EMAIL),
    ]


def _personal_profile(settings: Settings, devices: Devices, visits: Rows) -> Ints:
    """One of the person's devices in use by then, the older ones more often."""
    rng, person = stream(settings.seed, "device choice"), visits["person"]
    owners = np.repeat(
        np.arange(len(devices.first_profile)),
        np.diff(devices.first_profile, append=devices.personal),
    )
    known = owners * settings.horizon + devices.profile_start[: devices.personal]
    until = np.searchsorted(known, person * settings.horizon + visits["time"], "right")
    active = np.maximum(until - devices.first_profile[person], 1)
    chosen = (rng.random(len(visits)) ** 1.5 * active).astype(np.int64)
    return np.asarray(devices.first_profile[person] + chosen, dtype=np.int64)


def _shared_profile(settings: Settings, people: People, devices: Devices, visits: Rows) -> Ints:
    """The profile on a family tablet or kiosk where the visit takes place there, else none."""
    rng, rates, person = stream(settings.seed, "shared devices"), settings.devices, visits["person"]
    free = (visits["cause"] == BROWSE) | (visits["cause"] == ORDER)
    kiosk = free & (rng.random(len(visits)) < rates.kiosk_visits)
    chosen = choose(kiosk, devices.kiosk_profile[person], NONE)
    tablet = free & (visits["time"] > people.signed_up[person]) & (devices.own_tablet_profile[person] != NONE)
    tablet &= (rng.random(len(visits)) < rates.family_tablet_visits) & (chosen == NONE)
    common = rng.random(len(visits)) < rates.family_common_profile
    theirs = choose(common, devices.common_tablet_profile[person], devices.own_tablet_profile[person])
    return choose(tablet, theirs, chosen)


def _logged_in(settings: Settings, people: People, devices: Devices, visits: Rows) -> Bools:
    """Orders mostly are; a person's own profile on the tablet always is, so it never looks foreign."""
    rates, person, cause = settings.devices, visits["person"], visits["cause"]
    chance = np.where(visits["profile"] >= devices.personal, rates.shared_logged_in, rates.logged_in)
    careless = settings.behaviour.order_without_login * (people.email_changed[person] == np.inf)
    chance = np.where(cause == ORDER, 1 - careless, chance)
    own_on_tablet = visits["profile"] == devices.own_tablet_profile[person]
    chance[(cause == NEW_EMAIL) | own_on_tablet] = 1.0
    chance[(cause == SIGN_UP) | (people.kind[person] != REGISTERED)] = 0.0
    drawn = stream(settings.seed, "log in").random(len(visits)) < chance
    return np.asarray(drawn & (visits["time"] >= people.signed_up[person]), dtype=np.bool_)


def _hidden(settings: Settings, devices: Devices, profile: Ints, logged_in: Bools) -> Bools:
    """Some visits tell no device id; shared devices tell it of people who are logged in only."""
    drawn = stream(settings.seed, "hidden device").random(len(profile)) < settings.devices.device_id_missing
    return np.asarray(drawn | ((profile >= devices.personal) & ~logged_in), dtype=np.bool_)


def make_visits(settings: Settings, people: People, devices: Devices, purchases: Purchases) -> Rows:
    """All visits; those to order come last, in the order of `purchases.orders`."""
    orders = purchases.orders
    ordering = _rows(orders["person"], np.maximum(orders["time"] - ORDER_AFTER, 0), ORDER)
    visits = concat([_browsing(settings, people, purchases), *_moments(settings, people), ordering])
    shared = _shared_profile(settings, people, devices, visits)
    profile = choose(shared == NONE, _personal_profile(settings, devices, visits), shared)
    visits = visits.set(profile=profile)
    device, logged_in = devices.profile_device[profile], _logged_in(settings, people, devices, visits)
    return visits.set(
        device=choose(_hidden(settings, devices, profile, logged_in), NONE, device),
        anonymous=devices.anonymous(profile, visits["time"], settings.horizon),
        agent=devices.device_agent[device],
        logged_in=logged_in,
    )
