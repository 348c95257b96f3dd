"""How many lines of which kind were written, per source and day of arrival."""

from __future__ import annotations

from typing import Any

import numpy as np

from profiles_assets.simulator.arrays import DAY_MS, NONE, Bools, Rows
from profiles_assets.simulator.noise import CLEAN, DUPLICATE, FAULTS, FUTURE, MALFORMED, PAST, epoch_ms
from profiles_assets.simulator.world import World


def _daily(rows: Rows, chosen: Bools, days: int) -> list[int]:
    return np.bincount(rows["load"][chosen], minlength=days).tolist()  # type: ignore[no-any-return]


def source_counts(world: World, source: str, last: int) -> dict[str, dict[str, Any]]:
    """The lines of a source by day and kind, so that every line is accounted for."""
    rows = world.loaded(source, 0, last)
    role, well_formed = rows["role"], rows["role"] != MALFORMED
    event_day = (rows["time_ms"] - epoch_ms(world.settings.start)) // DAY_MS
    kinds = {
        "lines": role >= 0,
        "well_formed": well_formed,
        "duplicates": role == DUPLICATE,
        "late": (role == CLEAN) & (event_day < rows["load"]),
        "dated_1970": role == PAST,
        "dated_2090": role == FUTURE,
        "blocked_user_id": well_formed & (rows["user"] >= world.void("user")),
        "blocked_email": well_formed & (rows["email"] >= world.void("email")),
        "bots": (role == CLEAN) & (rows["person"] == NONE),
    }
    counts = {name: _daily(rows, chosen, last + 1) for name, chosen in kinds.items()}
    faults = {name: _daily(rows, rows["fault"] == code, last + 1) for code, name in enumerate(FAULTS) if code}
    days: dict[str, dict[str, Any]] = {}
    for index in range(last + 1):
        day: dict[str, Any] = {name: column[index] for name, column in counts.items()}
        day["malformed"] = {name: column[index] for name, column in faults.items() if column[index]}
        days[world.day(index).isoformat()] = day
    return days


def totals(days: dict[str, dict[str, Any]]) -> dict[str, int]:
    """The sums over days, broken lines summed over their kinds."""
    sums: dict[str, int] = {}
    for day in days.values():
        for name, value in day.items():
            sums[name] = sums.get(name, 0) + (sum(value.values()) if isinstance(value, dict) else value)
    return sums
