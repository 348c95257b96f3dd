"""When things happen: seasons over the year, the week and the day, and thinned Poisson processes."""

from __future__ import annotations

import numpy as np

from profiles_assets.simulator.arrays import Floats, Ints
from profiles_assets.simulator.settings import Settings

HOURS = np.array([2, 1, 1, 1, 1, 2, 4, 7, 9, 9, 9, 10, 11, 10, 9, 9, 10, 12, 14, 16, 17, 15, 10, 5]) / 17
PEAK_DAY_OF_YEAR = 345


def season(settings: Settings, time: Floats) -> Floats:
    """How busy the shop is at these times (days since the start), 1 on an average day."""
    behaviour = settings.behaviour
    day = np.floor(time)
    of_year = day + settings.start.timetuple().tm_yday
    of_week = (day + settings.start.weekday()) % 7
    yearly = 1 + behaviour.yearly_amplitude * np.cos(2 * np.pi * (of_year - PEAK_DAY_OF_YEAR) / 365.25)
    weekly = 1 + behaviour.weekly_amplitude * np.where(of_week >= 5, 1.0, -0.4)
    return np.asarray(yearly * weekly, dtype=np.float64)


def busiest(settings: Settings) -> float:
    """An upper bound of the season."""
    behaviour = settings.behaviour
    return (1 + behaviour.yearly_amplitude) * (1 + behaviour.weekly_amplitude)


def thinned_times(
    rng: np.random.Generator, settings: Settings, rate: Floats, begin: Floats, end: Floats
) -> tuple[Ints, Floats]:
    """Who and when: a seasonal Poisson process per row with `rate` a day from `begin` to `end`."""
    length = np.clip(end - begin, 0, None)
    top = busiest(settings) / HOURS.mean()
    counts = rng.poisson(rate * length * top)
    who = np.repeat(np.arange(len(rate), dtype=np.int64), counts)
    time = begin[who] + rng.random(len(who)) * length[who]
    wanted = season(settings, time) * HOURS[((time % 1) * 24).astype(np.int64)]
    kept = rng.random(len(who)) * busiest(settings) < wanted
    return who[kept], time[kept]
