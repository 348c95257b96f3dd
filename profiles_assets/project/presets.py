"""Layouts of sources that well-known tools write, so that nobody has to spell out their paths."""

from typing import Any, Literal, get_args

Preset = Literal["rudderstack", "segment", "jitsu", "snowplow", "ga4"]

PRESETS: dict[str, dict[str, Any]] = {}


def with_preset(data: Any) -> Any:
    """Raw source with what its preset says for the keys that it leaves out; anything else as it is."""
    preset = data.get("preset") if isinstance(data, dict) else None
    if preset not in get_args(Preset):
        return data
    filled = PRESETS.get(str(preset), {}) | data
    if "event_is" in data and "event" not in data:
        filled.pop("event", None)
    return filled
