"""What a limit counts: the values of an id type, or those first seen in one week, month or year.

A slot is `period * number of id types + id type`, with periods of the project's time zone; limits without a
period count in period 0.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from profiles_assets.identity.graph import NONE, Graph, Ints, Rules

UNLIMITED = np.iinfo(np.int64).max
FIRST_MONDAY = 3  # days from the Monday of the week of 1970-01-01 to that day
BEFORE_1970 = 1 << 20  # keeps the numbers of earlier periods positive


def slots_of(graph: Graph, rules: Rules) -> Ints:
    """Slot of each node; -1 for id types without a limit."""
    slots = np.full(len(graph.keys), NONE, dtype=np.int64)
    for kind in rules.max_per_profile:
        nodes = np.flatnonzero((graph.types == kind) & graph.inner)
        slots[nodes] = kind
        if kind in rules.periods:
            days = _days(graph.first_seen[nodes], rules.timezone)
            slots[nodes] += len(rules.types) * (BEFORE_1970 + _periods(days, rules.periods[kind]))
    return slots


def caps_of(rules: Rules) -> list[int]:
    """Limit of each id type."""
    return [rules.max_per_profile.get(kind, int(UNLIMITED)) for kind in range(len(rules.types))]


def _days(moments: Ints, timezone: str) -> Ints:
    here = pc.local_timestamp(pa.array(moments).cast(pa.timestamp("us", timezone)))
    days: Ints = pc.floor_temporal(here, unit="day").to_numpy().astype("datetime64[D]").astype(np.int64)
    return days


def _periods(days: Ints, period: str) -> Ints:
    if period == "week":
        return (days + FIRST_MONDAY) // 7
    unit = "M" if period == "month" else "Y"
    numbers: Ints = days.astype("datetime64[D]").astype(f"datetime64[{unit}]").astype(np.int64)
    return numbers
