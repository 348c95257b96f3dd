"""Who the people are: when they come, whether they sign up, how they buy, and what they are called."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import partial

import numpy as np

from profiles_assets.simulator import words
from profiles_assets.simulator.arrays import Bools, Floats, Ints, stream
from profiles_assets.simulator.settings import Settings

REGISTERED, GUEST, ANONYMOUS = range(3)
KINDS = ("registered", "guest", "anonymous")


@dataclass(frozen=True)
class People:
    """One entry per person; times are days since the start, infinity for never."""

    kind: Ints
    joined: Floats
    signed_up: Floats
    email_changed: Floats
    leaves_at: Floats
    buys: Bools
    subscribed: Bools
    first_order: Floats
    order_rate: Floats
    visit_rate: Floats
    order_value: Floats
    favourite: Ints
    first_name: Ints
    last_name: Ints
    city: Ints
    plan: Ints
    plan_changed: Floats

    def __len__(self) -> int:
        return len(self.kind)

    def email_at(self, person: Ints, time: Floats) -> Ints:
        """Which address somebody uses at a time, as a position in `emails`."""
        return person + len(self) * (time >= self.email_changed[person])

    def plan_at(self, person: Ints, time: Floats) -> Ints:
        """Which plan somebody is on at a time."""
        return (self.plan[person] + (time >= self.plan_changed[person])) % len(words.PLANS)


def head_count(settings: Settings) -> int:
    """People of the whole horizon: those of `days`, and those who come on the spare days."""
    share = settings.population
    newcomers = 1 - share.already_customers * (1 - share.anonymous)
    daily = settings.people * newcomers / settings.days
    return settings.people + round(daily * settings.spare_days)


def _joined(settings: Settings, kind: Ints) -> Floats:
    rng, count = stream(settings.seed, "joined"), len(kind)
    joined = rng.random(count) * settings.days
    already = rng.random(count) < settings.population.already_customers
    joined[already & (kind != ANONYMOUS)] = 0.0
    later = count - settings.people
    joined[settings.people :] = settings.days + rng.random(later) * settings.spare_days
    return joined


def _kinds(settings: Settings, count: int) -> Ints:
    share = settings.population
    rest = 1 - share.guests - share.anonymous
    return stream(settings.seed, "kinds").choice(3, count, p=[rest, share.guests, share.anonymous])


def _signed_up(settings: Settings, kind: Ints, joined: Floats) -> Floats:
    delay = stream(settings.seed, "sign up").exponential(settings.population.sign_up_delay_days, len(kind))
    when = np.where(joined == 0, -1.0, joined + 0.01 + delay)
    return np.where(kind == REGISTERED, when, np.inf)


def _email_changed(settings: Settings, signed_up: Floats) -> Floats:
    rng = stream(settings.seed, "email change")
    begin = np.clip(signed_up, 0, None) + 1
    when = begin + rng.random(len(begin)) * np.clip(settings.days - begin, 0, None)
    changes = rng.random(len(begin)) < settings.population.change_email
    return np.where(changes & (begin < settings.days), when, np.inf)


def _plan_changed(settings: Settings, signed_up: Floats) -> Floats:
    rng = stream(settings.seed, "plan change")
    when = np.clip(signed_up, 0, None) + rng.random(len(signed_up)) * settings.horizon
    return np.where(rng.random(len(signed_up)) < settings.behaviour.change_plan, when, np.inf)


def _leaves_at(settings: Settings, kind: Ints, joined: Floats) -> Floats:
    """When interest ends by itself, whatever happens before."""
    behaviour = settings.behaviour
    rng = stream(settings.seed, "dropout")
    mean_rate = 1 / behaviour.dropout_days
    rate = rng.gamma(behaviour.dropout_shape, mean_rate / behaviour.dropout_shape, len(kind))
    buyer = rng.exponential(1 / np.maximum(rate, 1e-9))
    passer_by = rng.exponential(behaviour.anonymous_interest_days, len(kind))
    return joined + np.where(kind == ANONYMOUS, passer_by, buyer)


def _visit_rate(settings: Settings, kind: Ints) -> Floats:
    behaviour = settings.behaviour
    mean = np.array(
        [
            behaviour.visits_per_day_registered,
            behaviour.visits_per_day_guest,
            behaviour.visits_per_day_anonymous,
        ]
    )
    return mean[kind] * stream(settings.seed, "visit rate").gamma(1.5, 1 / 1.5, len(kind))


def _first_order(settings: Settings, kind: Ints, joined: Floats, signed_up: Floats) -> Floats:
    """The first order, or the start for those who were customers already."""
    delay = stream(settings.seed, "first order").exponential(settings.behaviour.days_to_first_order, len(kind))
    since = np.where(kind == REGISTERED, signed_up, joined)
    return np.where(joined == 0, 0.0, since + 0.05 + delay)


def make_people(settings: Settings) -> People:
    """Everybody who visits the shop within the horizon."""
    count = head_count(settings)
    behaviour, topic = settings.behaviour, partial(stream, settings.seed)
    kind = _kinds(settings, count)
    joined = _joined(settings, kind)
    signed_up = _signed_up(settings, kind, joined)
    registered = kind == REGISTERED
    buyer = topic("buyers").random(count) < behaviour.buyers_among_registered
    rate = topic("order rate").gamma(behaviour.order_rate_shape, 1 / behaviour.order_rate_shape, count)
    value = topic("order value").normal(0, behaviour.order_value_spread_people, count)
    return People(
        kind=kind,
        joined=joined,
        signed_up=signed_up,
        email_changed=_email_changed(settings, signed_up),
        leaves_at=_leaves_at(settings, kind, joined),
        buys=(registered & buyer) | (kind == GUEST),
        subscribed=registered & (topic("newsletter").random(count) < settings.population.newsletter),
        first_order=_first_order(settings, kind, joined, signed_up),
        order_rate=rate * behaviour.orders_per_day * np.where(kind == GUEST, 0.3, 1.0),
        visit_rate=_visit_rate(settings, kind),
        order_value=behaviour.order_value_median * np.exp(value),
        favourite=topic("favourite").integers(0, len(words.CATEGORIES), count),
        first_name=topic("first name").integers(0, len(words.FIRST_NAMES), count),
        last_name=topic("last name").integers(0, len(words.LAST_NAMES), count),
        city=topic("city").integers(0, len(words.CITIES), count),
        plan=topic("plan").choice(len(words.PLANS), count, p=[0.7, 0.2, 0.1]),
        plan_changed=_plan_changed(settings, signed_up),
    )


def person_names(count: int) -> list[str]:
    """The keys by which the truth files name people."""
    return [f"person-{number:06d}" for number in range(count)]


def user_ids(settings: Settings, count: int) -> list[str]:
    """A user id per person, in no meaningful order, used by those who sign up."""
    shuffled = stream(settings.seed, "user ids").permutation(count)
    return [f"u{100_000 + number}" for number in shuffled.tolist()]


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return bare.lower().replace(" ", "")


def emails(people: People) -> list[str]:
    """Two addresses per person: the first, then (after all first ones) that used after a change."""
    first = [_plain(name) for name in words.FIRST_NAMES]
    last = [_plain(name) for name in words.LAST_NAMES]
    names = list(zip(people.first_name.tolist(), people.last_name.tolist(), strict=True))
    hosts = words.MAIL_HOSTS
    before = [f"{first[f]}.{last[n]}{i}@{hosts[i % len(hosts)]}" for i, (f, n) in enumerate(names)]
    after = [f"{last[n]}.{first[f]}{i}@{hosts[(i + 2) % len(hosts)]}" for i, (f, n) in enumerate(names)]
    return before + after
