"""Layouts of sources that well-known tools write, so that nobody has to spell out their paths.

Of several paths joined by | the first one with a value counts: tools write raw JSON with one spelling and
warehouse tables with another.
"""

from typing import Any, Literal

Preset = Literal["rudderstack", "segment", "jitsu", "snowplow", "ga4"]

CALLS: dict[str, Any] = {
    "event_id": "messageId|message_id|id",
    "time": "timestamp|originalTimestamp|original_timestamp",
    "received": "receivedAt|received_at",
    "event": "event|type",
    "ids": {
        "user_id": "userId|user_id",
        "anonymous_id": "anonymousId|anonymous_id",
        "email": "context.traits.email|traits.email|context_traits_email",
        "device_id": "context.device.id|context_device_id",
    },
    "identify_traits": "traits|context.traits",
}

PRESETS: dict[str, dict[str, Any]] = {
    "rudderstack": CALLS,
    "segment": CALLS,
    "jitsu": CALLS
    | {
        "event_id": "messageId|message_id|eventn_ctx_event_id|id",
        "time": "timestamp|_timestamp|utc_time",
        "event": "event|event_type|type",
        "ids": CALLS["ids"]
        | {
            "user_id": "userId|user_id|user.id",
            "anonymous_id": "anonymousId|anonymous_id|user.anonymous_id|user_anonymous_id",
            "email": f"{CALLS['ids']['email']}|user.email|user_email",
        },
    },
    "snowplow": {
        "event_id": "event_id",
        "time": "derived_tstamp|collector_tstamp",
        "received": "collector_tstamp",
        "event": "event_name|event",
        "ids": {
            "user_id": "user_id",
            "anonymous_id": "domain_userid",
            "device_id": "network_userid",
        },
    },
    "ga4": {
        "time": "event_timestamp",
        "event": "event_name",
        "ids": {"user_id": "user_id", "anonymous_id": "user_pseudo_id"},
        "identify_traits": "user_properties",
    },
}

# lists of {key, value: {string_value, int_value, …}} that are read as the object of this name
KEYED_LISTS: dict[str, dict[str, str]] = {
    "ga4": {"properties": "event_params", "user_properties": "user_properties"},
}


def with_preset(data: Any) -> Any:
    """Raw source with what its preset says for the keys and ids that it leaves out; anything else as it is.

    Records are told apart by their key and named after their source, so they take no ids or names of events.
    """
    told = PRESETS.get(str(data.get("preset"))) if isinstance(data, dict) else None
    if told is None:
        return data
    of_events = ("event", "event_id") if data.get("kind") == "records" else ()
    filled = {key: value for key, value in told.items() if key not in of_events} | data
    if isinstance(data.get("ids"), dict):
        filled["ids"] = told["ids"] | data["ids"]
    if "event_is" in data and "event" not in data:
        filled.pop("event", None)
    return filled
