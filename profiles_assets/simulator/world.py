"""The whole simulated world: people, what they do, and the lines that arrive on every day."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import pyarrow as pa

from profiles_assets.simulator import browsing, forms, words
from profiles_assets.simulator.arrays import Rows, concat
from profiles_assets.simulator.devices import Devices, hex_names, make_devices
from profiles_assets.simulator.noise import with_noise
from profiles_assets.simulator.people import People, emails, make_people, user_ids
from profiles_assets.simulator.purchases import Purchases, make_purchases
from profiles_assets.simulator.settings import Settings
from profiles_assets.simulator.visits import make_visits

Progress = Callable[[str, int, int], None]
SOURCES = ("tracks", "identifies", "orders")
ID_TYPES = {"user_id": "user", "email": "email", "device_id": "device", "anonymous_id": "anonymous"}


@dataclass(frozen=True)
class World:
    """Everything that happens: lines in the order of arrival, ids as codes, and the values of the codes."""

    settings: Settings
    people: People
    purchases: Purchases
    lines: dict[str, Rows]
    ids: dict[str, pa.Array]

    def day(self, index: int) -> date:
        """The date of a day by its number."""
        return self.settings.start + timedelta(days=index)

    def loaded(self, source: str, first: int, last: int) -> Rows:
        """The lines of a source that arrive from the first to the last day, both included."""
        rows = self.lines[source]
        begin, end = np.searchsorted(rows["load"], [first, last + 1])
        return Rows({name: column[begin:end] for name, column in rows.columns.items()})

    def void(self, column: str) -> int:
        """The first code of a column of ids that stands for a value that is nobody's."""
        void = {"user": words.BLOCKED_USER_IDS, "email": words.BLOCKED_EMAILS}.get(column, ())
        return len(self.ids[column]) - len(void)


def _id_values(settings: Settings, people: People, devices: Devices, bots: int) -> dict[str, pa.Array]:
    count = len(people)
    return {
        "user": pa.array(user_ids(settings, count) + list(words.BLOCKED_USER_IDS)),
        "email": pa.array(emails(people) + list(words.BLOCKED_EMAILS)),
        "device": pa.array(hex_names(settings, "device ids", len(devices.device_agent))),
        "anonymous": pa.array(hex_names(settings, "anonymous ids", devices.anonymous_ids + bots)),
    }


def make_world(settings: Settings) -> World:
    """Simulate the horizon; nothing is written."""
    people = make_people(settings)
    devices = make_devices(settings, people)
    purchases = make_purchases(settings, people)
    visits = make_visits(settings, people, devices, purchases)
    tracks = concat(
        [
            browsing.visit_events(settings, people, devices, visits),
            browsing.newsletters(settings, people, purchases),
            browsing.tickets(people, purchases),
            browsing.bots(settings, devices.anonymous_ids),
        ]
    )
    happened = {
        "tracks": tracks,
        "identifies": forms.identifies(settings, people, visits),
        "orders": forms.orders(settings, people, visits, purchases),
    }
    lines = {name: with_noise(settings, name, rows, len(people)) for name, rows in happened.items()}
    ids = _id_values(settings, people, devices, browsing.bot_count(settings))
    return World(settings, people, purchases, lines, ids)
