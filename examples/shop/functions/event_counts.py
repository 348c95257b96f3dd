"""Events of a person by type. The file is the draft: profiles publish event_counts makes it count."""

config = {"window": "90 days", "title": "Events by type", "owner": "web"}


def profile(events, user, context):
    counts = {}
    for event in events:
        counts[event["event"]] = counts.get(event["event"], 0) + 1
    return {"traits": {"events": counts}}
