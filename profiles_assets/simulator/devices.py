"""Devices, and on each the browser profiles whose anonymous id changes from time to time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from profiles_assets.simulator import words
from profiles_assets.simulator.arrays import NONE, Floats, Ints, stream
from profiles_assets.simulator.people import REGISTERED, People
from profiles_assets.simulator.settings import Settings

MAX_FAMILY = 4


@dataclass(frozen=True)
class Devices:
    """Devices and browser profiles: personal ones (by person, then start), then tablets, then kiosks."""

    profile_device: Ints
    profile_start: Floats
    profile_resets_every: Floats
    device_agent: Ints
    personal: int
    first_profile: Ints
    own_tablet_profile: Ints
    common_tablet_profile: Ints
    kiosk_profile: Ints
    resets: Floats

    def anonymous(self, profile: Ints, time: Floats, horizon: float) -> Ints:
        """The anonymous id of a browser profile at a time."""
        return (np.searchsorted(self.resets, profile * horizon + time, "right") + profile).astype(np.int64)

    @property
    def anonymous_ids(self) -> int:
        """How many anonymous ids there are, bots not counted."""
        return len(self.resets) + len(self.profile_device)


def _families(settings: Settings, people: People) -> list[Ints]:
    """Groups of two to four registered people who share a tablet."""
    rng = stream(settings.seed, "families")
    registered = np.flatnonzero((people.kind == REGISTERED) & (np.arange(len(people)) < settings.people))
    members = rng.permutation(registered)[: int(len(registered) * settings.devices.in_families)]
    cuts = np.cumsum(rng.integers(2, MAX_FAMILY + 1, len(members)))
    return [np.asarray(family) for family in np.split(members, cuts[cuts < len(members) - 1])]


def _personal(settings: Settings, people: People) -> tuple[Ints, Floats]:
    """Owner and first use of every personal device; the first one is there from the first visit."""
    rng = stream(settings.seed, "devices")
    extra = np.minimum(rng.poisson(settings.devices.extra_per_person, len(people)), 4)
    owner = np.repeat(np.arange(len(people), dtype=np.int64), extra + 1)
    later = people.joined[owner] + rng.random(len(owner)) * 0.7 * (settings.days - people.joined[owner])
    first = np.concatenate(([True], owner[1:] != owner[:-1]))
    start = np.where(first, people.joined[owner], np.maximum(later, people.joined[owner]))
    return owner, start[np.lexsort((start, owner))]


def _kiosk_profiles(settings: Settings, count: int, first: int) -> Ints:
    """The kiosk each person uses, if any, as a browser profile."""
    rng = stream(settings.seed, "kiosk users")
    kiosks = settings.devices.kiosks
    if kiosks == 0:
        return np.full(count, NONE, dtype=np.int64)
    uses = rng.random(count) < settings.devices.kiosk_users
    return np.where(uses, first + rng.integers(0, kiosks, count), NONE).astype(np.int64)


def _resets(settings: Settings, every: Floats) -> Floats:
    """All moments at which a profile gets a new anonymous id, as one ascending series over profiles."""
    rng = stream(settings.seed, "resets")
    counts = rng.poisson(settings.horizon / every)
    profile = np.repeat(np.arange(len(every)), counts)
    return np.sort(profile * settings.horizon + rng.random(len(profile)) * settings.horizon)


def make_devices(settings: Settings, people: People) -> Devices:
    """All devices of the horizon."""
    owner, start = _personal(settings, people)
    families, kiosks, personal = _families(settings, people), settings.devices.kiosks, len(owner)
    members = np.concatenate([*families, np.zeros(0, np.int64)]).astype(np.int64)
    family = np.repeat(np.arange(len(families)), [len(each) for each in families])
    common_at = personal + len(members)
    kiosk_at = common_at + len(families)
    own, common = np.full((2, len(people)), NONE, dtype=np.int64)
    own[members], common[members] = personal + np.arange(len(members)), common_at + family
    device = np.concatenate(
        [np.arange(personal), personal + family, personal + np.arange(len(families) + kiosks)]
    ).astype(np.int64)
    every = np.full(len(device), settings.devices.days_between_resets)
    every[kiosk_at:] = 1.0
    agents = stream(settings.seed, "agents").integers(0, words.PERSONAL_AGENTS, personal)
    shared_agents = [words.TABLET_AGENT] * len(families) + [words.KIOSK_AGENT] * kiosks
    return Devices(
        profile_device=device,
        profile_start=np.concatenate([start, np.zeros(len(device) - personal)]),
        profile_resets_every=every,
        device_agent=np.concatenate([agents, np.array(shared_agents, dtype=np.int64)]),
        personal=personal,
        first_profile=np.searchsorted(owner, np.arange(len(people))).astype(np.int64),
        own_tablet_profile=own,
        common_tablet_profile=common,
        kiosk_profile=_kiosk_profiles(settings, len(people), kiosk_at),
        resets=_resets(settings, every),
    )


def hex_names(settings: Settings, topic: str, count: int) -> list[str]:
    """Random names of the form 8-4-12 hexadecimal digits."""
    digits = stream(settings.seed, topic).bytes(12 * count).hex()
    parts = (digits[at : at + 24] for at in range(0, len(digits), 24))
    return [f"{part[:8]}-{part[8:12]}-{part[12:]}" for part in parts]
