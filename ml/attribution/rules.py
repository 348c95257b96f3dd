"""Shares of a conversion by rule: SQL over the touches of a journey, each journey's shares adding up to one."""

from collections.abc import Sequence

from resources.tables import literal

ENDS = 0.4
OF_JOURNEY = "OVER (PARTITION BY journey)"


def rules(direct: Sequence[str], half_life: float) -> dict[str, str]:
    """SQL of each touch's share by model; `direct` are channels that are no reason, `half_life` is in days.

    `shapley` is the Shapley value of the channels where a set of them wins the journeys that need no other: the
    conversion is split over the journey's distinct channels.
    """
    named = ", ".join(map(literal, direct)) or "NULL"
    is_reason = f"coalesce(channel NOT IN ({named}), true)"
    last_reason = f"coalesce(max(position) FILTER (WHERE {is_reason}) {OF_JOURNEY}, length)"
    distinct = f"count(DISTINCT channel) {OF_JOURNEY}"
    fresh = f"pow(2, -before_last / {half_life!r})"
    return {
        "first": "(position = 1)::DOUBLE",
        "last": "(position = length)::DOUBLE",
        "last_non_direct": f"(position = {last_reason})::DOUBLE",
        "linear": "1.0 / length",
        "time_decay": f"{fresh} / (sum({fresh}::DECIMAL(38, 18)) {OF_JOURNEY})::DOUBLE",
        "position": f"CASE WHEN length <= 2 THEN 1.0 / length WHEN position IN (1, length) THEN {ENDS} "
        f"ELSE {1 - 2 * ENDS:.1f} / (length - 2) END",
        "shapley": f"1.0 / {distinct} / count(*) OVER (PARTITION BY journey, channel)",
    }
